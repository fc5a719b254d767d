"""The clock of playback: what of a recording is there to be seen at this moment?

Pure: no clock is read here, nothing waits. Whoever plays says what time it is, in seconds that
only grow (`time.monotonic`), and is told a `Position`.

Rules:
- Items, which are messages and events, appear in the order of the recording, each at its own time.
- Times may go back. A little (messages of several channels, put in order) means nothing: such an
  item appears with the one before it. More than `SET_BACK_NS` is a clock that was set back:
  playback goes on from there as if it had not been, or all that follows would come at once.
- A squeezed silence is cut to a length; within it the recording's time passes faster.

So every item has two places on lines that never go back: `_at`, when it comes at the speed of
the recording, and `_squeezed`, the same with its silences cut. A position is a point on one of
them; which items are visible there is a binary search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from kspy.analysis.growing import Growing
from kspy.analysis.table import FAR_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Times = NDArray[np.int64]

SPEEDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
SQUEEZED_NS: Final = 500_000_000
"""To what length silences are squeezed."""
SET_BACK_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Position:
    """A moment of playback: the recording's time, and how many items are visible then.

    `time_ns` is absolute, as the times of items are; 0 where there are none.
    """

    time_ns: int
    count: int


class Playback:
    """Plays items whose times are `times`. Begins at the first one, not playing."""

    def __init__(self, times: Sequence[int] | Times, *, squeezed: bool = False) -> None:
        self._times = Growing(np.int64)
        self._highest = Growing(np.int64)
        self._at = Growing(np.int64)
        self._squeezed = Growing(np.int64)
        self._adjusted = 0  # the last item's time since the first, had no clock been set back
        self._squeeze = squeezed
        self._speed = 1.0
        self._started: float | None = None  # when playing began or last changed; None: not playing
        self._from = 0  # where on the line that was
        self._shown = 0  # at least so many are visible there: of equal times, a step shows one more
        self.extend(times)

    def extend(self, times: Sequence[int] | Times) -> None:
        """Append the items that a growing recording has got."""
        added = np.clip(np.asarray(times, np.int64), -FAR_NS, FAR_NS)
        if not len(added):
            return
        before = self._last(self._times) if len(self) else int(added[0])
        steps = np.diff(added, prepend=before)
        steps[steps < -SET_BACK_NS] = 0
        if np.abs(steps).sum(dtype=np.float64) + abs(self._adjusted) > FAR_NS:
            limit = max(0, FAR_NS - abs(self._adjusted)) // len(steps)  # times from a liar
            steps = np.clip(steps, -limit, limit)
        adjusted = np.cumsum(steps) + self._adjusted
        reached = self._last(self._at)
        at = np.maximum(np.maximum.accumulate(adjusted), reached)
        short = np.cumsum(np.minimum(np.diff(at, prepend=reached), SQUEEZED_NS))
        self._append_highest(added)
        self._times.extend(added)
        self._at.extend(at)
        self._squeezed.extend(short + self._last(self._squeezed))
        self._adjusted = int(adjusted[-1])

    def _append_highest(self, added: Times) -> None:
        highest = np.maximum.accumulate(added)
        if len(self._highest):
            highest = np.maximum(highest, self._last(self._highest))
        self._highest.extend(highest)

    @staticmethod
    def _last(column: Growing) -> int:
        return column[len(column) - 1] if len(column) else 0

    def __len__(self) -> int:
        """How many items there are to play."""
        return len(self._times)

    # What a person reads from it

    @property
    def playing(self) -> bool:
        """As of the last `position`: that is where the end is noticed."""
        return self._started is not None

    @property
    def speed(self) -> float:
        return self._speed

    @property
    def squeezed(self) -> bool:
        return self._squeeze

    @property
    def length_ns(self) -> int:
        """How long all of it plays at speed 1, silences squeezed or not as they are now."""
        return self._last(self._line)

    def elapsed_ns(self, now: float) -> int:
        """How far into `length_ns` it is."""
        if self._started is None:
            return self._from
        passed = max(0.0, now - self._started) * self._speed
        return min(self._from + round(passed * 1e9), self.length_ns)

    def position(self, now: float) -> Position:
        """What is visible; at the end, playing stops."""
        if not len(self):
            self._started = None
            return Position(0, 0)
        elapsed = self.elapsed_ns(now)
        count = self._count(elapsed)
        if self._started is not None and elapsed >= self.length_ns:
            self._stay(elapsed, count)
        return Position(self._time(elapsed, count), count)

    # What a person does with it

    def play(self, now: float) -> None:
        """Play on; from the beginning if it had reached the end."""
        if self._started is None and len(self):
            if self._from >= self.length_ns and self._shown >= len(self):
                self._from, self._shown = 0, 1
            self._started = now

    def pause(self, now: float) -> None:
        if self._started is not None:
            elapsed = self.elapsed_ns(now)
            self._stay(elapsed, self._count(elapsed))

    def toggle(self, now: float) -> None:
        if self.playing:
            self.pause(now)
        else:
            self.play(now)

    def step(self, items: int, now: float) -> None:
        """Pause, and show so many items more, or less."""
        self.pause(now)
        if len(self):
            self.seek_place(self._shown_count() - 1 + items, now)

    def seek_place(self, place: int, now: float) -> None:
        """Go to where the item in `place` is the last that is visible; playing goes on."""
        if not len(self):
            return
        place = min(max(place, 0), len(self) - 1)
        self._go(self._line[place], place + 1, now)

    def seek_time(self, time_ns: int, now: float) -> None:
        """Go to a time of the recording, be it in a silence; playing goes on."""
        if not len(self):
            return
        time_ns = min(max(time_ns, -FAR_NS), FAR_NS)
        count = max(1, int(np.searchsorted(self._highest.values, time_ns, "right")))
        start = self._line[count - 1]
        if count == len(self):
            self._go(start, count, now)
            return
        since = min(max(0, time_ns - self._times[count - 1]), self._at[count] - self._at[count - 1])
        silence = self._line[count] - start
        real = self._at[count] - self._at[count - 1]
        within = since * silence // real if real else 0
        self._go(start + min(within, max(0, silence - 1)), count, now)

    def set_speed(self, speed: float, now: float) -> None:
        """Any speed above 0; `faster` and `slower` go through `SPEEDS`."""
        if self._started is not None:
            elapsed = self.elapsed_ns(now)
            self._go(elapsed, self._count(elapsed), now)
        self._speed = speed

    def faster(self, now: float) -> None:
        self.set_speed(next((s for s in SPEEDS if s > self._speed), SPEEDS[-1]), now)

    def slower(self, now: float) -> None:
        self.set_speed(next((s for s in reversed(SPEEDS) if s < self._speed), SPEEDS[0]), now)

    def squeeze(self, on: bool, now: float) -> None:
        """Cut silences longer than `SQUEEZED_NS` to that, or no more; stays at the same moment."""
        if on == self._squeeze or not len(self):
            self._squeeze = on
            return
        elapsed = self.elapsed_ns(now)
        count = self._count(elapsed)
        start, within, silence = self._within(elapsed, count)
        self._squeeze = on
        start, _, new = self._within(self._line[count - 1], count)
        self._go(start + (within * new // silence if silence else 0), count, now)

    # Places on the line

    @property
    def _line(self) -> Growing:
        return self._squeezed if self._squeeze else self._at

    def _count(self, elapsed: int) -> int:
        if self._started is None:
            return self._shown_count()
        return max(int(np.searchsorted(self._line.values, elapsed, "right")), self._shown_count())

    def _shown_count(self) -> int:
        return min(max(self._shown, 1), len(self))

    def _within(self, elapsed: int, count: int) -> tuple[int, int, int]:
        """The last visible item's place on the line, how far beyond it is, and the next."""
        start = self._line[count - 1]
        silence = self._line[count] - start if count < len(self) else 0
        return start, min(max(0, elapsed - start), silence), silence

    def _time(self, elapsed: int, count: int) -> int:
        _, within, silence = self._within(elapsed, count)
        last = self._times[count - 1]
        if not silence:
            return last
        real = self._at[count] - self._at[count - 1]
        return last + within * real // silence

    def _go(self, elapsed: int, count: int, now: float) -> None:
        self._from, self._shown = elapsed, count
        if self._started is not None:
            self._started = now

    def _stay(self, elapsed: int, count: int) -> None:
        self._from, self._shown, self._started = elapsed, count, None
