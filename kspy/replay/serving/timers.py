"""When something is to go on: one time for each, the latest that was set."""

from __future__ import annotations

import heapq
from itertools import count

from kspy.replay.serving.performance import Performance
from kspy.replay.serving.request import Request

What = Performance | Request


class Timers:
    """Times in seconds, as `time.monotonic` has them."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, What]] = []
        self._latest: dict[What, int] = {}
        self._numbers = count()

    def set(self, what: What, due: float) -> None:
        number = next(self._numbers)
        self._latest[what] = number
        heapq.heappush(self._heap, (due, number, what))

    def drop(self, what: What) -> None:
        """It does not go on."""
        self._latest.pop(what, None)

    def take(self, now: float) -> list[What]:
        """Those whose time has come, in its order; they are no longer set."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            _, number, what = heapq.heappop(self._heap)
            if self._latest.get(what) == number:
                del self._latest[what]
                found.append(what)
        return found

    @property
    def next(self) -> float | None:
        """When `take` is to be called."""
        return self._heap[0][0] if self._heap else None

    def clear(self) -> None:
        self._heap.clear()
        self._latest.clear()
