"""A line on standard error that says how far long work is, and is gone when it is done."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final, Self

from kspy.analysis.progress import Progress

_FIRST_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 0.1
_WIDTH: Final = 60


class ProgressLine:
    """Says nothing where standard error is no terminal, or the work is quick. A context manager."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._due = time.monotonic() + _FIRST_SECONDS
        self._shown = False

    def show(self, what: str, progress: Progress) -> None:
        """`what` is being done, as plain text."""
        now = time.monotonic()
        if not self._live or now < self._due:
            return
        self._due = now + _AGAIN_SECONDS
        share = f" {100 * progress.done / progress.total:.0f} %" if progress.total else ""
        self._write(f"\r{what}…{share}".ljust(_WIDTH))
        self._shown = True

    def clear(self) -> None:
        """Take the line away: something else is written."""
        if self._shown:
            self._write("\r" + " " * _WIDTH + "\r")
            self._shown = False

    def _write(self, text: str) -> None:
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
