"""Have the main thread, which waits at its sockets, do something: from any thread or signal."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Final

Call = Callable[[int], None]

_READ: Final = 1 << 12


class Wake:
    """`fd` is readable when there is something to `run`."""

    def __init__(self) -> None:
        self.fd, self._write = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._write, False)
        self._calls: deque[Callable[[], None]] = deque()

    @contextlib.contextmanager
    def on_signals(self, numbers: Sequence[signal.Signals], do: Call) -> Iterator[None]:
        """Let the main thread `do` it with the number of each of these signals that comes.

        Python runs a handler only between two of its own steps: a signal that comes just before
        the main thread begins to wait would be noticed when something else happens. So the
        system's own handler writes to the pipe, too.
        """

        def handle(number: int, frame: FrameType | None) -> None:
            self.call(lambda: do(number))

        before = {number: signal.signal(number, handle) for number in numbers}
        written = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(written)
            for number, handler in before.items():
                signal.signal(number, handler)

    def call(self, what: Callable[[], None]) -> None:
        """Let the main thread do `what`."""
        self._calls.append(what)
        with contextlib.suppress(OSError):  # full: it is awake anyway; closed: nobody is left
            os.write(self._write, b"\0")

    def run(self) -> None:
        """Do what there is to do; in the main thread."""
        with contextlib.suppress(OSError):
            os.read(self.fd, _READ)
        while self._calls:
            self._calls.popleft()()

    def close(self) -> None:
        os.close(self.fd)
        os.close(self._write)
