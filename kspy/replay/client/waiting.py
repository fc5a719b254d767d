"""Wait until something is so: asked again whenever anything happened, not now and then.

A replay waits twice a request. A condition that is only looked at when a message came costs
nothing between them, and no time after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


class Waiting:
    """One waits at a time. Once `stopped`, nobody does."""

    def __init__(self) -> None:
        self.stopped = False
        self._loop = asyncio.get_running_loop()
        self._come: Callable[[], bool] = lambda: True
        self._future: asyncio.Future[bool] | None = None

    def now(self) -> float:
        """Seconds, of the clock that waiting goes by."""
        return self._loop.time()

    async def until(self, come: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until `come`, for so long at most. False: it has not come."""
        if self.stopped or come():
            return True
        self._come = come
        self._future = future = self._loop.create_future()
        timer = None if seconds is None else self._loop.call_later(seconds, _end, future, False)
        try:
            found: bool = await future
        finally:
            self._future = None
            if timer:
                timer.cancel()
        return found

    def happened(self) -> None:
        """Something may have come."""
        if self._future is not None and (self.stopped or self._come()):
            _end(self._future, True)

    def stop(self) -> None:
        self.stopped = True
        self.happened()


def _end(future: asyncio.Future[bool], value: bool) -> None:
    if not future.done():
        future.set_result(value)


def of_each(things: Iterable[T], is_so: Callable[[T], bool]) -> Callable[[], bool]:
    """Is it so of each by now? What it was so of is not asked about again with each message."""
    left = [*things]
    left.reverse()

    def is_so_of_each() -> bool:
        while left and is_so(left[-1]):
            left.pop()
        return not left

    return is_so_of_each
