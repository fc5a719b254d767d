"""The time of day that does not run backwards because somebody set the computer's clock."""

from __future__ import annotations

import time
from typing import Final

_STEP_NS: Final = 500_000_000


class Clock:
    """Unix time in nanoseconds, carried by the monotonic clock."""

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        return self._offset + time.monotonic_ns()

    def check(self) -> int:
        """Go by the computer's clock again if it was set; by how many ns it was, else 0."""
        step = time.time_ns() - self.now()
        if abs(step) < _STEP_NS:
            return 0
        self._offset += step
        return step
