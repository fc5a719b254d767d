"""How far long work is: one line on a terminal, written over and over; nothing elsewhere."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from typing import Final, Self

from kspy.analysis.progress import Progress

_EVERY_SECONDS: Final = 0.1
_CLEAR: Final = "\r\x1b[K"


class ProgressLine:
    """On standard error, where that is a terminal. A context manager: at its end it is gone."""

    def __init__(self, after_seconds: float = 0.0) -> None:
        """Work that is done within `after_seconds` needs no such line."""
        self._on_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._shown = False
        self._next = time.monotonic() + after_seconds

    def show(self, text: str) -> None:
        """Show plain text, at once."""
        self._write(f"{_CLEAR}{text} …"[: shutil.get_terminal_size().columns + len(_CLEAR) - 1])
        self._shown = True

    def count(self, doing: str, progress: Progress) -> None:
        """`replaying: 12 of 300`, now and then."""
        if self._is_due():
            self.show(f"{doing}: {progress.done:,} of {progress.total:,}")

    def share(self, doing: str, progress: Progress) -> None:
        """`reading: 12 %`, now and then."""
        if self._is_due():
            self.show(f"{doing}: {100 * progress.done // max(progress.total, 1)} %")

    def _is_due(self) -> bool:
        if not self._on_terminal or (now := time.monotonic()) < self._next:
            return False
        self._next = now + _EVERY_SECONDS
        return True

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

    def __exit__(self, *_: object) -> None:
        self.clear()
