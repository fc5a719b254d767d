"""Have the main thread, which waits at its sockets, do something: from any thread or signal."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable
from typing import Final

_READ: Final = 1 << 12


class Wake:
    """`fd` is readable when there is something to `run`."""

    def __init__(self) -> None:
        self.fd, self._write = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._write, False)
        self._calls: deque[Callable[[], None]] = deque()

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
