"""Two threads compared: which of their messages belong together, and what differs.

Theory of operation: the order of messages across channels varies by nature (docs/format.md), so a
thread is compared lane by lane: a lane is a channel and a direction. Mostly both lanes hold the
same one after the other; that is tried first. Where they do not, neighbouring pieces of a stream
become one text, and what is left is paired by what it says. What could not be compared is said
to be so, never to be the same.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Hashable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Final, Literal

from kspy.analysis.alignment import step_key
from kspy.analysis.difference import Difference
from kspy.analysis.progress import Progress
from kspy.analysis.sameness.comparing import Comparer
from kspy.analysis.sameness.pairing import Pair, alike_contents, in_order, pair_up
from kspy.analysis.sameness.rules import CHANNEL_ORDER, STREAM_PIECES
from kspy.analysis.sameness.said import Side
from kspy.analysis.sameness.sight import AtSight

Places = tuple[int, ...]
Verdict = Literal[
    "same", "differs", "only in a", "only in b", "order changed", "not compared", "slower", "faster"
]
"""Of a thread or of a message in it. `slower` and `faster` are for threads, where time counts."""

MOST_MEMBERS: Final = 1 << 20
"""Messages of a thread that are compared; what is beyond them is not."""
MOST_STEPS: Final = 1000
MOST_DIFFERENCES: Final = 200
"""Messages of a thread, and values of a message, that are told of where not everything is."""
_STEP_SECONDS: Final = 0.005


@dataclass(frozen=True, slots=True)
class Step:
    """Messages of two threads that belong together.

    old, new      their places in the tables; several where pieces of a stream are one text, none
                  where that side has no such message
    differences   the first ones
    more          how many more there are
    """

    old: tuple[int, ...]
    new: tuple[int, ...]
    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class ThreadsCompared:
    """`steps` are in the order of the old thread, what only the new one has in between.

    more   how many more of them are not the same
    """

    verdict: Verdict
    steps: tuple[Step, ...]
    more: int = 0


Work = Generator[Progress, None, ThreadsCompared]


def compare_threads(
    old: Side,
    new: Side,
    comparer: Comparer,
    at_sight: AtSight | None = None,
    *,
    everything: bool = True,
) -> Work:
    """Compare the messages of two threads. Long work: see `Progress`.

    at_sight     that of the comparer, where there is one already
    everything   give all steps; otherwise those that are not the same, and an end to them: a
                 thread may be a whole recording
    """
    return _Comparison(old, new, comparer, at_sight or AtSight(comparer), everything).run()


def verdict_of(verdicts: set[Verdict]) -> Verdict:
    """That of a whole, by those of its parts."""
    if verdicts & {"differs", "only in a", "only in b"}:
        return "differs"
    for verdict in ("order changed", "not compared"):
        if verdict in verdicts:
            return verdict
    return "same"


class _Comparison:
    def __init__(
        self, old: Side, new: Side, comparer: Comparer, at_sight: AtSight, everything: bool
    ) -> None:
        self._old = old
        self._new = new
        self._comparer = comparer
        self._at_sight = at_sight
        self._everything = everything
        self._lost = count()  # what cannot be read equals nothing
        self._verdicts: set[Verdict] = set()
        self._steps: dict[Pair, Step] = {}
        self._more = 0
        self._total = len(old.places) + len(new.places)
        self._done = 0
        self._due = time.monotonic() + _STEP_SECONDS

    def run(self) -> Work:
        lanes_old, lanes_new = self._lanes(self._old), self._lanes(self._new)
        for lane in dict.fromkeys((*lanes_old, *lanes_new)):
            yield from self._lane(lanes_old.get(lane, []), lanes_new.get(lane, []))
        if max(len(self._old.places), len(self._new.places)) > MOST_MEMBERS:
            self._verdicts.add("not compared")
        ordered = tuple(self._steps[pair] for pair in in_order(self._steps))
        return ThreadsCompared(verdict_of(self._verdicts), ordered, self._more)

    def _lanes(self, side: Side) -> dict[Hashable, list[int]]:
        table = side.table
        apart = self._comparer.rules.has(CHANNEL_ORDER)
        lanes: dict[Hashable, list[int]] = {}
        for place in side.places[:MOST_MEMBERS]:
            lane = (table.channel(place), table.direction(place)) if apart else None
            lanes.setdefault(lane, []).append(place)
        return lanes

    def _lane(self, old: list[int], new: list[int]) -> Generator[Progress, None, None]:
        """Compare a lane."""
        groups: Iterable[tuple[Places, Places, bool]]
        if (yield from self._one_by_one(old, new)):
            groups = (((a,), (b,), False) for a, b in zip(old, new, strict=True))
        else:
            groups = yield from self._paired(old, new)
        for places_old, places_new, moved in groups:
            self._take(self._step(places_old, places_new, moved), moved)
            self._done += len(places_old) + len(places_new)
            if self._is_due():
                yield self._progress()

    def _take(self, step: Step, moved: bool) -> None:
        self._verdicts.add(step.verdict)
        if not self._everything:
            if step.verdict == "same":
                return
            if len(self._steps) >= MOST_STEPS:
                self._more += 1
                return
        old, new = (side[0] if side else None for side in (step.old, step.new))
        self._steps[Pair(old, new, moved)] = step

    def _one_by_one(self, old: list[int], new: list[int]) -> Generator[Progress, None, bool]:
        """Does each message of a lane say what the one in the same place of the other says?"""
        if len(old) != len(new):
            return False
        for a, b in zip(old, new, strict=True):
            if _kind(self._old, a) != _kind(self._new, b):
                return False
        for a, b in zip(old, new, strict=True):
            first, second = self._old.said((a,)), self._new.said((b,))
            if not first.equals(second, self._comparer.rules):
                return False
            if self._is_due():
                yield self._progress()
        return True

    def _paired(
        self, old: list[int], new: list[int]
    ) -> Generator[Progress, None, list[tuple[Places, Places, bool]]]:
        """Which messages of a lane belong together, and whether they are not where they were."""
        pieces_old = yield from self._pieces(self._old, old)
        pieces_new = yield from self._pieces(self._new, new)
        keys_old = yield from self._keys(self._old, pieces_old)
        keys_new = yield from self._keys(self._new, pieces_new)

        def likeness(i: int, j: int) -> float:
            first, second = self._old.said(pieces_old[i]), self._new.said(pieces_new[j])
            return alike_contents(first.content, second.content)

        kinds_old = [_kind(self._old, places[0]) for places in pieces_old]
        kinds_new = [_kind(self._new, places[0]) for places in pieces_new]
        return [
            (() if i is None else pieces_old[i], () if j is None else pieces_new[j], moved)
            for i, j, moved in pair_up(keys_old, keys_new, kinds_old, kinds_new, likeness)
        ]

    def _pieces(self, side: Side, places: list[int]) -> Generator[Progress, None, list[Places]]:
        """The messages of a lane, neighbouring pieces of a stream together."""
        rules = self._comparer.rules
        joins = rules.has(STREAM_PIECES)
        found: list[Places] = []
        group: list[int] = []
        stream = None
        for place in places:
            said = side.said((place,))
            if said.is_idle_talk(rules):
                continue
            name = said.stream if joins else None
            if group and (name is None or name != stream):
                found.append(tuple(group))
                group = []
            group.append(place)
            stream = name
            if self._is_due():
                yield self._progress()
        if group:
            found.append(tuple(group))
        return found

    def _keys(self, side: Side, found: list[Places]) -> Generator[Progress, None, list[Hashable]]:
        keys: list[Hashable] = []
        for places in found:
            keys.append(side.said(places).key(self._comparer.rules) or next(self._lost))
            if self._is_due():
                yield self._progress()
        return keys

    def _step(self, old: Places, new: Places, moved: bool) -> Step:
        if not old or not new:
            return Step(old, new, "only in a" if old else "only in b")
        found = self._old.said(old).differences(self._new.said(new), self._comparer, self._at_sight)
        if found is None:
            return Step(old, new, "not compared")
        if not found:
            return Step(old, new, "order changed" if moved else "same")
        real = any(difference.kind != "uncompared" for difference in found)
        first = tuple(found[:MOST_DIFFERENCES])
        verdict: Verdict = "differs" if real else "not compared"
        return Step(old, new, verdict, first, len(found) - len(first))

    def _is_due(self) -> bool:
        return time.monotonic() >= self._due

    def _progress(self) -> Progress:
        self._due = time.monotonic() + _STEP_SECONDS
        return Progress(self._done, self._total)


def _kind(side: Side, place: int) -> Hashable:
    """What a message must have in common with one that it belongs to."""
    table = side.table
    return step_key(
        table.channel(place), table.direction(place), table.msg_type(place), table.outcome(place)
    )
