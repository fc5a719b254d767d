"""Whether the kernel's process had ended after any number of events, as a recording grows."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

_ENDS: Final = {"kernel_died": "dead", "kernel_shut_down": "ended"}
_BEGINNINGS: Final = frozenset(("kernel_started", "kernel_restarted"))


class KernelLife:
    """Takes every event, in order."""

    def __init__(self) -> None:
        self._taken = 0
        self._numbers: list[int] = []
        self._states: list[str] = []

    def add(self, name: str) -> None:
        """Take the next event, of this name."""
        if name in _BEGINNINGS or name in _ENDS:
            before = self._states[-1] if self._states else ""
            # What was told to end is not said to have died.
            state = "" if name in _BEGINNINGS else before or _ENDS[name]
            self._states.append(state)
            self._numbers.append(self._taken)
        self._taken += 1

    def ended(self, events: int) -> str:
        """By the first so many events: "dead", "ended", or "" for what lives."""
        last = bisect_left(self._numbers, events) - 1
        return self._states[last] if last >= 0 else ""
