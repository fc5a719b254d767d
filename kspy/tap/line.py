"""What stands between one kernel and its clients: relays, their monitor and their recorder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kspy.tap.connection import Connection
from kspy.tap.monitor import Monitor
from kspy.tap.proxy import Proxy
from kspy.tap.recorder import Recorder, Sink
from kspy.wire.frames import CHANNELS

_SETTLE_SECONDS: Final = 2.0


class Line:
    """Forwards from `start` to `close`, and records from `record` on; then `close` is needed."""

    def __init__(self, kernel: Connection) -> None:
        self.proxy = Proxy(kernel)
        self.monitor = Monitor(self.proxy.monitors())

    def start(self) -> None:
        """Connect to the kernel and forward. Raises `KspyError` for no address at all."""
        self.monitor.start()
        self.proxy.start()

    def record(self, sink: Sink, on_failure: Callable[[str], None]) -> Recorder:
        """Record what passes; `on_failure` as `Recorder` has it."""
        self._recorder = Recorder(self.proxy, self.monitor, sink, on_failure)
        self._recorder.start()
        return self._recorder

    @property
    def kernel_listens(self) -> bool:
        """Does the kernel answer on every channel?"""
        return len(self.monitor.ready) == len(CHANNELS)

    def close(self) -> None:
        """Let what was said pass, and be recorded; then end. Takes as long as that does."""
        self._recorder.wait_idle(_SETTLE_SECONDS)
        self.proxy.close()
        self._recorder.join()

    def abandon(self) -> None:
        """End where nothing is recorded yet."""
        self.proxy.abandon()
