"""How far long work is: one line on a terminal, written over and over; nothing elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from types import TracebackType
from typing import Final, Self

_EVERY_SECONDS: Final = 0.1
_CLEAR: Final = "\r\x1b[K"


class ProgressLine:
    """On standard error, where that is a terminal. A context manager: at its end it is gone."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._shown = False
        self._next = 0.0

    def show(self, text: str) -> None:
        self._write(f"{_CLEAR}{text} …")
        self._shown = True

    def count(self, doing: str, done: int, total: int) -> None:
        """`replaying: 12 of 300`, now and then."""
        if not self._on_terminal or (now := time.monotonic()) < self._next:
            return
        self._next = now + _EVERY_SECONDS
        self.show(f"{doing}: {done:,} of {total:,}")

    def clear(self) -> None:
        """Before anything else is written."""
        if self._shown:
            self._shown = False
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        if self._on_terminal:
            with contextlib.suppress(OSError):
                sys.stderr.write(text)
                sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()
