"""The kernel below: its process, its connection file, and who sees to its end."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from typing import TYPE_CHECKING, Any, Final

from kspy.errors import KspyError
from kspy.tap.connection import Connection
from kspy.tap.guardian import Guardian
from kspy.tap.parent import VARIABLE
from kspy.tap.ports import ReservedPorts
from kspy.tap.wrapper.frontend import Frontend
from kspy.tap.wrapper.spec import Spec
from kspy.wire.frames import CHANNELS

if TYPE_CHECKING:
    from kspy.tap.wrapper.registration import RegistrationService

_LOOPBACK: Final = "127.0.0.1"


class InnerKernel:
    """Launched at once; ends when it will, or by `kill`. `close` is needed in the end."""

    def __init__(self, spec: Spec, frontend: Frontend) -> None:
        """Raises `KspyError` if it cannot be started."""
        self.spec = spec
        self._kernel_id = frontend.kernel_id
        self._service: RegistrationService | None = None
        self._folder = tempfile.mkdtemp(prefix="kspy-")
        self._guardian = Guardian(self._folder)
        with contextlib.ExitStack() as on_error:
            on_error.callback(self._guardian.dismiss)
            self._ports = ReservedPorts(len(CHANNELS))
            on_error.callback(self._ports.close)
            ports = self._ports.numbers
            self._connection = _connection(frontend.client, self._folder, ports)
            file = self._write(shakes_hands=bool(frontend.registration) and spec.shakes_hands)
            self._process = self._start(spec.command(file))
            on_error.callback(self.kill)
            self._guardian.watch(self.pid)
            on_error.pop_all()

    @property
    def pid(self) -> int:
        """Its process, and process group."""
        return self._process.pid

    def _write(self, *, shakes_hands: bool) -> str:
        """Write its connection file, or its registration file."""
        path = Path(self._folder) / "kernel.json"
        if shakes_hands:
            from kspy.tap.wrapper.registration import RegistrationService

            self._service = RegistrationService(self._connection)
            self._service.write(path, self._kernel_id)
        else:
            self._connection.write(str(path))
        return str(path)

    def _start(self, command: list[str]) -> Popen[bytes]:
        try:
            # What the frontend gave, files and environment, is passed on as it is. The
            # kernelspec's environment is in it already: frontends apply it.
            return Popen(command, env=_environment(), start_new_session=True, close_fds=False)
        except OSError as error:
            raise KspyError(
                f"kernel in {self.spec.folder}: cannot be started: {command[0]}: {error.strerror}"
            ) from error

    def connection(self) -> Connection | None:
        """Where it listens, or will; None where it ended before it told."""
        if self._service:
            found = self._service.wait(self._kernel_id, lambda: self.status is None)
            self._service.close()
            return found
        return self._connection

    @property
    def status(self) -> int | None:
        """How it ended: its exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait until it ends; its status."""
        return self._process.wait()

    def kill(self) -> None:
        """End it, and all in its process group, at once."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Clean up after it."""
        self._guardian.dismiss()
        self._ports.close()


def _connection(client: Connection, folder: str, ports: Sequence[int]) -> Connection:
    """As the frontend's, key included, but at an address of its own."""
    if client.transport == "ipc":
        places = {channel: place for place, channel in enumerate(CHANNELS, 1)}
        return replace(client, ip=f"{folder}/kernel", ports=places)
    if len(ports) < len(CHANNELS):
        raise KspyError("no ports are free for the kernel")
    return replace(client, ip=_LOOPBACK, ports=dict(zip(CHANNELS, ports, strict=True)))


def _environment() -> Mapping[str, Any]:
    environment = dict(os.environ)
    if VARIABLE in environment:
        environment[VARIABLE] = str(os.getpid())
    return environment
