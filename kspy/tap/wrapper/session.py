"""What stands between frontend and kernel for as long as the kernel lives."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Final

from kspy.errors import KspyError
from kspy.recording.writer import Writer
from kspy.tap.connection import Connection
from kspy.tap.line import Line
from kspy.tap.metadata import describe, describe_kernel
from kspy.tap.parent import watch_parent
from kspy.tap.priority import give_way
from kspy.tap.recordings_folder import new_recording, tidy
from kspy.tap.status import describe_status
from kspy.tap.wrapper.arguments import Arguments
from kspy.tap.wrapper.frontend import Frontend
from kspy.tap.wrapper.inner import InnerKernel
from kspy.tap.wrapper.registration import register
from kspy.tap.wrapper.signals import Signals, kept_from_threads
from kspy.tap.wrapper.unrecorded import Unrecorded

_POLL_SECONDS: Final = 0.005
_BIND_SECONDS: Final = 5.0
_REST_SECONDS: Final = 2.0
_PARENT_GONE: Final = 1
"""ipykernel's exit status where its frontend is gone."""


class Session:
    """`run` is its whole life."""

    def __init__(
        self, arguments: Arguments, frontend: Frontend, kernel: InnerKernel, signals: Signals
    ) -> None:
        self._folder = Path(arguments.recordings)
        self._limits = arguments.limits
        self._kernel_name = arguments.kernel
        self._frontend = frontend
        self._kernel = kernel
        self._signals = signals
        self._warned = threading.Lock()
        self._reason = ""

    def run(self, connection: Connection) -> int:
        """Forward and record until the kernel ends; the status that the wrapper ends with.

        Raises `KspyError` if clients cannot connect; the kernel is then dead.
        """
        kernel = self._kernel
        with kept_from_threads():
            writer = self._open()
            line = Line(connection)
            line.start()
            self._recorder = line.record(writer, self._say)
            watch_parent(self._on_parent_death)
            if self._limits:
                threading.Thread(target=self._tidy, name="kspy-tidy", daemon=True).start()
        self._note("tap_started", kernel="launched")
        about = {"kernel_name": self._kernel_name, "pid": kernel.pid, **_describe(kernel)}
        self._note("kernel_started", **about)
        self._signals.on_signal = self._on_signal
        try:
            self._let_clients_in(line)
            status = kernel.wait()
        except BaseException:
            kernel.kill()
            status = kernel.wait()
            raise
        finally:
            self._signals.forward_to(0)
            self._note("kernel_died", **describe_status(status))
            self._note("tap_stopped", reason=self._reason or "the kernel ended")
            line.close(kernel_gone=True)
            writer.close()
            self._look_back(writer)
        return _PARENT_GONE if self._reason else status

    def _note(self, event: str, **data: object) -> None:
        self._recorder.note(event, data)

    def _open(self) -> Writer | Unrecorded:
        try:
            path = new_recording(self._folder, self._kernel_name, self._frontend.kernel_id)
            return Writer(
                path,
                describe(self._kernel_name, _describe(self._kernel)),
                on_error=lambda error: self._say(error) if error else None,
                on_start=give_way,
            )
        except KspyError as error:
            self._say(str(error))
            return Unrecorded()

    def _let_clients_in(self, line: Line) -> None:
        """Listen for clients once the kernel does: it must not seem to be there before it is."""
        kernel = self._kernel
        some_since = 0.0
        while not line.kernel_listens:
            if kernel.status is not None:
                return
            now = time.monotonic()
            if not line.monitor.ready:
                some_since = now
            elif now - some_since > _REST_SECONDS:
                break  # a kernel that lacks a channel is of use all the same
            time.sleep(_POLL_SECONDS)
        client = _bind(line, self._frontend.client, kernel)
        if self._frontend.registration:
            register(self._frontend.registration, client, lambda: kernel.status is None)

    def _on_signal(self, number: signal.Signals) -> None:
        if number == signal.SIGINT:
            self._note("kernel_interrupted", by="signal")
        else:
            self._note("kernel_signalled", signal=number.name)

    def _on_parent_death(self) -> None:
        self._reason = "the frontend is gone"
        self._kernel.kill()

    def _tidy(self) -> None:
        give_way()
        tidy(self._folder, self._limits)

    def _look_back(self, writer: Writer | Unrecorded) -> None:
        if isinstance(writer, Writer) and not os.path.lexists(writer.path):
            self._say(f"{writer.path}: was removed while it was being recorded")
        tidy(self._folder, self._limits)

    def _say(self, line: str) -> None:
        """Say, the first time, that this is not recorded; the session goes on all the same."""
        if self._warned.acquire(blocking=False):
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"kspy: {line}; the kernel works all the same\n")
                sys.stderr.flush()


def _describe(kernel: InnerKernel) -> dict[str, object]:
    spec = kernel.spec
    return describe_kernel(spec.display_name, spec.language, spec.interrupt_mode, spec.argv)


def _bind(line: Line, client: Connection, kernel: InnerKernel) -> Connection:
    """Listen for clients; after a restart the ports may be taken for a moment longer."""
    deadline = time.monotonic() + _BIND_SECONDS
    while True:
        try:
            return line.proxy.bind(client)
        except KspyError:
            if time.monotonic() > deadline or kernel.status is not None:
                raise
            time.sleep(_POLL_SECONDS)
