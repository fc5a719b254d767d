"""What happened in a thread, and when since its request: for drawing it as a waterfall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kspy.analysis.table import Table
from kspy.analysis.timing import Timing
from kspy.recording.outcome import BUSY, ERROR, IDLE, OUTCOMES, STARTING
from kspy.wire.frames import Channel, Direction

SHOWN: Final = 200
"""Messages of a thread that are told; of longer ones the beginning and the end."""

_TOLD: Final = frozenset((BUSY, IDLE, STARTING, ERROR))


@dataclass(frozen=True, slots=True)
class Mark:
    """A message of the thread: where it is, what it is, and when, ns since the request."""

    place: int
    label: str
    channel: Channel
    direction: Direction
    offset_ns: int
    failed: bool


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A thread's messages in order, the request first.

    skipped     how many were left out, after the mark number `skipped_after`
    waited_ns   how long its request has waited, where it still does
    """

    marks: tuple[Mark, ...]
    timing: Timing
    skipped: int
    skipped_after: int
    waited_ns: int

    @property
    def length_ns(self) -> int:
        """Until the last message; for a request that waits, until now."""
        last = self.marks[-1].offset_ns if self.marks else 0
        return max(last, self.waited_ns if self.timing.state == "waiting" else 0)


def waterfall(table: Table, thread: int, now_ns: int, limit: int | None = None) -> Waterfall:
    """The waterfall of a thread, by the messages before `limit`. `now_ns`: until when it waits."""
    places = [int(place) for place in table.members(thread)]
    if limit is not None:
        places = [place for place in places if place < limit] or places[:1]
    first = SHOWN * 3 // 4
    skipped = max(len(places) - SHOWN, 0)
    shown = places if not skipped else places[:first] + places[first - SHOWN :]
    begun = table.time_ns(table.head(thread))
    return Waterfall(
        tuple(_mark(table, place, begun) for place in shown),
        table.timing(thread, limit),
        skipped,
        first,
        max(now_ns - begun, 0),
    )


def _mark(table: Table, place: int, begun_ns: int) -> Mark:
    outcome, msg_type = table.outcome(place), table.msg_type(place)
    told = outcome in _TOLD and OUTCOMES[outcome] != msg_type
    return Mark(
        place,
        f"{msg_type} {OUTCOMES[outcome]}" if told else msg_type,
        table.channel(place),
        table.direction(place),
        table.time_ns(place) - begun_ns,
        outcome == ERROR,
    )
