"""When a message of a replay is sent, as far as that is a matter of time.

Its time counts from the message before it, so that lateness shifts what follows, and pauses stay.
An interrupt goes by what it interrupts: that takes as long as it takes, whatever the speed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kspy.errors import KspyError
from kspy.replay.client.items import Running
from kspy.replay.client.progress import Progress
from kspy.replay.client.waiting import Waiting
from kspy.speak.local import LISTEN_SECONDS

UNCERTAIN_SECONDS: Final = 5.0
"""How long after its time is waited for what another run of the same may not bring."""

_BEGIN_SECONDS: Final = 0.1
"""Between saying that it begins and the work itself a kernel is not to be interrupted: the error
would be one of its own code. It may take longer here than it did there."""


@dataclass(frozen=True)
class Pace:
    """speed     a multiple of the recorded pace; None: as fast as what is waited for comes
    timeout   seconds after which what does not come is not waited for any longer; None: no limit
    """

    speed: float | None = 1.0
    timeout: float | None = 60.0

    def __post_init__(self) -> None:
        """Raises `KspyError` for numbers that are none of that."""
        if self.speed is not None and not 0 < self.speed < math.inf:
            raise KspyError("speed: is a number above 0; None: as fast as it goes")
        if self.timeout is not None and not self.timeout > 0:
            raise KspyError("timeout: is a number of seconds above 0; None: never")

    @property
    def listen_seconds(self) -> float:
        """How long a kernel that is started may take: a short time limit is for its answers."""
        return math.inf if self.timeout is None else max(self.timeout, LISTEN_SECONDS)

    def at_most(self, seconds: float) -> float:
        """`seconds`, or the time limit where that is shorter."""
        return seconds if self.timeout is None else min(seconds, self.timeout)


class Pacing:
    """Waits. `lost`: is there no kernel any more to wait for?"""

    def __init__(
        self, pace: Pace, waiting: Waiting, progress: Progress, lost: Callable[[], bool]
    ) -> None:
        self._pace = pace
        self._waiting = waiting
        self._progress = progress
        self._lost = lost
        self._before: tuple[int, float] | None = None

    async def until(self, time_ns: int) -> None:
        """Wait until a message's time."""
        await self._sleep(self._due(time_ns) - self._waiting.now())
        self._before = time_ns, self._waiting.now()

    def patience(self, time_ns: int) -> float:
        """How many seconds to wait for what may never come: until its time costs nothing."""
        return self._pace.at_most(UNCERTAIN_SECONDS) + max(
            self._due(time_ns) - self._waiting.now(), 0
        )

    def end(self, last_ns: int, end_ns: int) -> float:
        """When, by the clock of the waiting, the recorded clients stopped listening.

        last_ns   when what happens now did: a kernel that is late is listened to for as long
        """
        if self._pace.speed is None:
            return self._waiting.now()
        gap = max(end_ns - last_ns, 0) / 1e9 / self._pace.speed
        return max(self._due(end_ns), self._waiting.now() + gap)

    def _due(self, time_ns: int) -> float:
        """When, by the clock of the waiting, a message's time is."""
        if self._pace.speed is None or self._before is None:
            return self._waiting.now()
        before_ns, sent = self._before
        return sent + max(time_ns - before_ns, 0) / 1e9 / self._pace.speed

    async def until_running(self, time_ns: int, running: Running) -> None:
        """Wait until what is to be interrupted is as far as it was."""
        if running.place in self._progress:
            sent, busy = self._progress[running.place], running.since_busy_ns / 1e9
            await self._waiting.until(
                lambda: sent.count >= running.messages or sent.idle or self._lost(),
                busy + self._pace.at_most(UNCERTAIN_SECONDS),
            )
            now = self._waiting.now()
            due = busy + (now if sent.busy is None else sent.busy)
            if sent.count == running.messages:
                due = max(due, sent.last + max(running.since_last_ns / 1e9, _BEGIN_SECONDS))
            await self._sleep(due - now)
        self._before = time_ns, self._waiting.now()

    async def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            await self._waiting.until(self._lost, seconds)
