"""One tap from beginning to end: kernel, relays, recorder and client, and who ends whom."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kspy.errors import KspyError
from kspy.recording.writer import Writer
from kspy.tap.client import ClientProcess
from kspy.tap.client_side import client_side, connection_file, connection_path
from kspy.tap.connection import Connection, find, load
from kspy.tap.ending import Ending
from kspy.tap.kernel import LaunchedKernel
from kspy.tap.line import Line
from kspy.tap.metadata import describe
from kspy.tap.monitor import Monitor
from kspy.tap.options import Options, Outcome, Screen, Status
from kspy.tap.priority import give_way
from kspy.tap.status import in_words
from kspy.tap.terminal import remember
from kspy.wire.frames import CHANNELS

_POLL_SECONDS = 0.1
_CONNECT_SECONDS = 5.0
_LISTEN_SECONDS = 60.0
_GONE_SECONDS = 5.0


async def run(options: Options, screen: Screen) -> Outcome:
    """Tap until the user, the kernel or the client ends it.

    Raises `KspyError` if there is no such kernel, if it cannot be reached, or if the recording or
    the connection file cannot be written.
    """
    ending = Ending(has_client=bool(options.client_command))
    with ending.on_signals():
        path = connection_path(options)
        if options.kernel is not None:
            return await _tap_new(options, screen, ending, path)
        return await _tap_existing(options, screen, ending, path)


async def _tap_new(options: Options, screen: Screen, ending: Ending, path: str) -> Outcome:
    kernel = LaunchedKernel(
        options.kernel or "",
        transport=options.transport or "tcp",
        curve=options.kernel_curve,
        on_output=screen.kernel_output,
    )
    try:
        with _open_writer(options, screen, kernel.name, kernel.description()) as writer:
            connection = await kernel.start()
            line = Line(connection)
            line.start()
            return await Session(options, screen, ending, writer, line, kernel).run(path)
    finally:
        await kernel.shut_down()


async def _tap_existing(options: Options, screen: Screen, ending: Ending, path: str) -> Outcome:
    source = find(options.existing or "")
    connection = load(source)
    line = Line(connection)
    try:
        try:
            line.start()
            await _wait_connected(line.monitor, ending, connection)
        except KspyError as error:
            raise KspyError(f"{source}: {error}") from error
        name = str(connection.extra.get("kernel_name", ""))
        recording = _open_writer(options, screen, name, {})
    except KspyError:
        await asyncio.to_thread(line.abandon)
        raise
    with recording as writer:
        return await Session(options, screen, ending, writer, line, None).run(path)


@contextlib.contextmanager
def _removed_on_error(writer: Writer) -> Iterator[Writer]:
    """A recording of a tap that never came to be would only be in the way of the next try."""
    try:
        with writer:
            yield writer
    except KspyError:
        Path(writer.path).unlink(missing_ok=True)
        raise


async def _wait_connected(monitor: Monitor, ending: Ending, kernel: Connection) -> None:
    """Wait until a running kernel answers on every channel."""
    deadline = time.monotonic() + _CONNECT_SECONDS
    while len(monitor.ready) < len(CHANNELS) and not monitor.refused:
        if time.monotonic() > deadline or ending.asked:
            missing = [channel for channel in CHANNELS if channel not in monitor.ready]
            raise KspyError(
                f"no kernel answers at {kernel.endpoint(missing[0])}"
                f" ({', '.join(missing)}); it is dead, or the file is out of date"
            )
        await ending.wait(0.01)
    if monitor.refused:
        raise KspyError("the kernel refuses the connection; are the keys right?")


def _open_writer(
    options: Options, screen: Screen, name: str, kernel: Mapping[str, Any]
) -> contextlib.AbstractContextManager[Writer]:
    def on_error(error: str | None) -> None:
        if error:
            screen.warn(f"{error}; the session goes on")
        else:
            screen.warn(f"{options.output}: recording again")

    metadata = describe(name, kernel)
    writer = Writer(
        options.output,
        metadata,
        overwrite=options.overwrite,
        on_error=on_error,
        on_start=give_way,
    )
    return _removed_on_error(writer)


class Session:
    """A tap while messages pass; `run` is its whole life."""

    def __init__(
        self,
        options: Options,
        screen: Screen,
        ending: Ending,
        writer: Writer,
        line: Line,
        kernel: LaunchedKernel | None,
    ) -> None:
        self._options = options
        self._screen = screen
        self._ending = ending
        self._writer = writer
        self._line = line
        self._kernel = kernel
        self._recorder = line.record(writer, self._on_failure)
        self._client: ClientProcess | None = None
        self._viewer: ClientProcess | None = None
        self._restore_terminal = remember()
        self._failed = False
        self._kernel_gone = False
        self._status = Status(options.output)

    async def run(self, path: str) -> Outcome:
        """Record until the end; `path` is where the client's connection file goes."""
        recorder = self._recorder
        recorder.note("tap_started", {"kernel": "launched" if self._kernel else "existing"})
        if self._kernel:
            recorder.note("kernel_started", self._kernel.started)
        proxy = self._line.proxy
        reason, exit_code = "failed", 0
        try:
            if self._kernel:
                await self._wait_listening(self._kernel)
            client = proxy.bind(client_side(proxy.kernel, self._options, path))
            with connection_file(client, path):
                self._status.connection_file = path
                await self._start_what_is_run(path)
                reason = await self._watch()
                if self._client:
                    # It may yet notice by itself that the kernel is gone, and say so.
                    await self._client.end(grace=not self._ending.asked)
        finally:
            await self._stop(reason)
        await self._viewer_quit()
        if self._client and self._client.exit_code is not None:
            exit_code = self._client.exit_code
        lost = self._writer.lost
        if lost or self._failed:
            exit_code = 2
        return Outcome(reason, exit_code, self._writer.seq, lost)

    async def _start_what_is_run(self, path: str) -> None:
        """Start client or viewer, if there is to be one; else say how to connect."""
        options = self._options
        if options.viewer_command:
            self._screen.hold()
            self._viewer = await ClientProcess.start(options.viewer_command, path)
            return
        self._screen.ready(self._status)
        if options.client_command:
            self._client = await ClientProcess.start(options.client_command, path)

    def _left_alone(self) -> bool:
        """Has the viewer been quit? One that crashed is done without: the session goes on."""
        if self._viewer is None or (code := self._viewer.exit_code) is None:
            return False
        self._viewer = None
        if code == 0:
            self._screen.release()
            return True
        self._restore_terminal()
        self._screen.release()
        self._screen.warn(f"the viewer ended with exit code {code}; the session goes on")
        self._screen.ready(self._status)
        return False

    async def _viewer_quit(self) -> None:
        """Leave what was recorded on the screen until its user, or a signal, ends that."""
        viewer = self._viewer
        if viewer is None:
            return
        while viewer.exit_code is None and not self._ending.asked:
            await self._ending.wait(_POLL_SECONDS)
        await viewer.end()
        if viewer.exit_code:
            self._restore_terminal()
        self._screen.release()

    async def _wait_listening(self, kernel: LaunchedKernel) -> None:
        """Let clients come once the kernel listens: many give up if it does not answer at once."""
        deadline = time.monotonic() + _LISTEN_SECONDS
        while not self._line.kernel_listens and time.monotonic() < deadline:
            if self._ending.asked:
                return
            if ended := await kernel.ended():
                raise KspyError(
                    f"kernel {kernel.name}: ended before it listened ({in_words(ended)}):"
                    f" {kernel.last_output}"
                )
            await self._ending.wait(0.02)

    async def _stop(self, reason: str) -> None:
        """End the client, the kernel, then, once all they said has passed, the rest."""
        if self._client:
            await self._client.end()
        if self._viewer and self._ending.asked:
            await self._viewer.end()
        self._recorder.note("tap_stopped", {"reason": reason})
        if self._kernel:
            if not self._kernel_gone:
                self._recorder.note("kernel_shut_down")
            ended = await self._kernel.shut_down()
            if ended and not self._kernel_gone:
                self._recorder.note("kernel_died", ended)
        await asyncio.to_thread(self._line.close, kernel_gone=self._kernel is not None)
        await asyncio.to_thread(self._writer.close)

    async def _watch(self) -> str:
        """Wait for the end; why it came."""
        seen = time.monotonic()
        while not self._ending.asked:
            self._show()
            if self._client and self._client.exit_code is not None:
                return "the client ended"
            if self._left_alone():
                return "the viewer was quit"
            if self._kernel:
                ended = await self._kernel.ended()
                if ended and not await self._restart(self._kernel, ended):
                    self._recorder.note("kernel_died", ended)
                    self._kernel_gone = True
                    return f"the kernel ended ({in_words(ended)})"
                await self._pass_on_interrupt(self._kernel)
            elif self._line.monitor.ready:
                seen = time.monotonic()
            elif time.monotonic() - seen > _GONE_SECONDS:
                self._recorder.note("kernel_died", {"exit_status": None})
                return "the kernel is gone"
            await self._ending.wait(_POLL_SECONDS)
        return self._ending.reason

    async def _restart(self, kernel: LaunchedKernel, ended: Mapping[str, Any]) -> bool:
        """Start the kernel again where a client asked it to shut down for that."""
        if not self._recorder.restart_asked or ended.get("exit_status") != 0:
            return False
        self._recorder.restart_asked = False
        self._recorder.note("kernel_died", ended)
        await kernel.restart()
        self._recorder.note("kernel_restarted", {**kernel.started, "after": dict(ended)})
        return True

    async def _pass_on_interrupt(self, kernel: LaunchedKernel) -> None:
        if self._ending.take_interrupt() and self._recorder.kernel_state == "busy":
            self._recorder.note("kernel_interrupted", {"by": await kernel.interrupt()})

    def _show(self) -> None:
        self._status.kernel_state = self._recorder.kernel_state
        self._status.counts = dict(self._recorder.counts)
        self._status.size = self._writer.size
        self._status.failing = self._writer.failing or self._failed
        self._screen.show(self._status)

    def _on_failure(self, line: str) -> None:
        self._failed = True
        self._screen.warn(f"{self._options.output}: {line}; the session goes on")
