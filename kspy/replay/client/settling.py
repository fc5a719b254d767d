"""The end of a replay: when all was sent that is, what may still come from the kernel?

What came after the end of the requests, as from threads in the background, is given time to come
again. With pauses, it is listened for as long as the recorded clients listened: what did not come
then is not to come now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kspy.replay.client.items import Wait
from kspy.replay.client.pacing import UNCERTAIN_SECONDS, Pace, Pacing
from kspy.replay.client.progress import Progress
from kspy.replay.client.script import Script
from kspy.replay.client.waiting import Waiting, of_each

_SETTLE_SECONDS: Final = 0.1
_LATE_SECONDS: Final = 0.5


class Settling:
    """`is_over`: is there no kernel any more that anything could come from?"""

    def __init__(
        self, script: Script, pace: Pace, pacing: Pacing, waiting: Waiting, progress: Progress
    ) -> None:
        self._script = script
        self._pace = pace
        self._pacing = pacing
        self._waiting = waiting
        self._progress = progress

    async def wait(self, is_over: Callable[[], bool]) -> None:
        last_ns = self._script.items[-1].time_ns if self._script.items else self._script.end_ns
        end = self._pacing.end(last_ns, self._script.end_ns)
        await self._for_unended(is_over)
        await self._for_last(last_ns, is_over)
        left = max(end - self._waiting.now(), _SETTLE_SECONDS)
        await self._waiting.until(is_over, left)

    async def _for_unended(self, is_over: Callable[[], bool]) -> None:
        """A request that the recorded kernel did not finish is given as long as it was then."""
        unended = {p: ns for p, ns in self._script.unended.items() if p in self._progress}
        if unended:
            ended = of_each(unended, lambda place: self._progress[place].idle)
            await self._waiting.until(
                lambda: is_over() or ended(),
                self._pace.at_most(max(unended.values()) / 1e9),
            )

    async def _for_last(self, last_ns: int, is_over: Callable[[], bool]) -> None:
        waits = [wait for wait in self._script.last if wait.place in self._progress]
        if waits:
            longest = (max(wait.time_ns for wait in waits) - last_ns) / 1e9 + _LATE_SECONDS
            come = of_each(waits, self._has_or_never)
            await self._waiting.until(
                lambda: is_over() or come(),
                self._pace.at_most(max(longest, UNCERTAIN_SECONDS)),
            )

    def _has_or_never(self, wait: Wait) -> bool:
        return self._progress.has(wait) or self._progress.never(wait)
