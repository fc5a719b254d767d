"""Open a connection to a kernel, wherever it is, and close it whatever happens."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kspy.errors import KspyError
from kspy.recording.writer import Writer
from kspy.speak.compose import new_session
from kspy.speak.hearing import until_heard
from kspy.speak.kernel import Kernel
from kspy.speak.link import Host
from kspy.speak.local import LATEST, LISTEN_SECONDS, Existing, Launched
from kspy.speak.log import Log
from kspy.speak.whole import whole
from kspy.tap.metadata import describe

_logger = logging.getLogger("kspy")


@dataclass(frozen=True)
class Target:
    """Which kernel, and what beside. `gateway`, `kernel` or else `existing` says where it is.

    existing        a connection file, or a part of its name; None: the latest
    gateway         the URL of a Jupyter server
    kernel          a kernelspec's name: start it, there if there is a `gateway`, else here
    kernel_id       of a kernel that the gateway runs already
    token           of the gateway; None: from the URL or the environment
    ca              certificates to trust, for a gateway; None: those that the system trusts
    insecure        trust any certificate of the gateway
    record          a recording to make; `overwrite` says that there may be one
    on_warning      gets a line where something went wrong that does not end the conversation
    on_output       gets the lines that a kernel prints that is started here
    listen_seconds  how long a kernel that is started here may take before it listens
    """

    existing: str | None = None
    gateway: str | None = None
    kernel: str | None = None
    kernel_id: str | None = None
    token: str | None = None
    ca: str | None = None
    insecure: bool = False
    record: str | None = None
    overwrite: bool = False
    on_warning: Callable[[str], None] = _logger.warning
    on_output: Callable[[str], None] = lambda _: None
    listen_seconds: float = LISTEN_SECONDS

    def __post_init__(self) -> None:
        """Raises `KspyError` for what does not go together."""
        if self.existing is not None and (self.kernel is not None or self.gateway is not None):
            other = "kernel" if self.kernel is not None else "gateway"
            raise KspyError(f"existing and {other} do not go together; choose one")
        if self.kernel is not None and self.kernel_id is not None:
            raise KspyError("kernel and kernel_id do not go together; choose one")
        if self.gateway is None and (
            any(one is not None for one in (self.kernel_id, self.token, self.ca)) or self.insecure
        ):
            raise KspyError("kernel_id, token, ca and insecure go with gateway")


@contextlib.asynccontextmanager
async def open_kernel(target: Target) -> AsyncIterator[Kernel]:
    """Raises `KspyError` where there is no such kernel, or it cannot be reached."""
    session = new_session()
    host = host_of(target, session)
    try:
        name, spec = await host.describe()
        with log_of(target, session, name, spec) as log:
            kernel = await _open(host, log, session)
            try:
                yield kernel
            finally:
                await whole(_end(kernel, host, log, target), patient=False)
    finally:
        await whole(close(host, target), patient=False)


def host_of(target: Target, session: str) -> Host:
    """Who has the kernel; nothing is started yet. `session` is the first client's."""
    if target.gateway is not None:
        from kspy.speak.gateway import OnServer
        from kspy.speak.server import Server

        server = Server(target.gateway, target.token, target.ca, insecure=target.insecure)
        return OnServer(server, target.kernel, target.kernel_id, session)
    if target.kernel is not None:
        return Launched(target.kernel, target.on_output, target.listen_seconds)
    return Existing(target.existing or LATEST)


@contextlib.contextmanager
def log_of(target: Target, session: str, name: str, spec: Mapping[str, Any]) -> Iterator[Log]:
    """A recording of a conversation that never came to be is taken away again."""
    if target.record is None:
        yield Log(session, None)
        return

    def on_error(error: str | None) -> None:
        target.on_warning(error or f"{target.record}: recording again")

    metadata = describe(name, spec)
    with Writer(target.record, metadata, overwrite=target.overwrite, on_error=on_error) as writer:
        log = Log(session, writer)
        try:
            yield log
        except BaseException:
            if not log.began:
                Path(writer.path).unlink(missing_ok=True)
            raise
    if writer.lost:
        target.on_warning(f"{target.record}: {writer.lost:,} messages could not be written")


async def _open(host: Host, log: Log, session: str) -> Kernel:
    link = await host.open()
    if host.owned:
        log.event("kernel_started", host.started)
    log.began = True
    kernel = Kernel(host, link, log, session)
    try:
        if link.subscribes:
            await until_heard(
                kernel.heard,
                lambda channel: kernel.send("kernel_info_request", channel=channel),
                owned=host.owned,
            )
    except BaseException:
        await whole(kernel.close())
        raise
    return kernel


async def _end(kernel: Kernel, host: Host, log: Log, target: Target) -> None:
    alive = not kernel.lost
    await whole(kernel.close())
    if host.owned and alive:
        log.event("kernel_shut_down")
    await close(host, target)


async def close(host: Host, target: Target) -> None:
    """Whatever the conversation ended with is what its user learns, not this."""
    try:
        await host.close()
    except KspyError as error:
        target.on_warning(f"{error}; the kernel may be there still")
