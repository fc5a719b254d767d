"""Two threads compared: which of their messages belong together, and what differs.

Theory of operation: the order of messages across channels varies by nature (docs/format.md), so a
thread is compared lane by lane: a lane is a channel and a direction. Mostly both lanes hold the
same one after the other; that is tried first. Where they do not, neighbouring pieces of a stream
become one text, and what is left is paired by what it says. What could not be compared is said
to be so, never to be the same.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Hashable
from dataclasses import dataclass
from itertools import count
from typing import Final, Literal

from kspy.analysis.alignment import step_key
from kspy.analysis.difference import Difference
from kspy.analysis.progress import Progress
from kspy.analysis.sameness.comparing import Comparer
from kspy.analysis.sameness.pairing import Pair, alike_contents, in_order, pair_up
from kspy.analysis.sameness.rules import CHANNEL_ORDER, STREAM_PIECES
from kspy.analysis.sameness.said import Said, Side
from kspy.analysis.sameness.sight import AtSight

Verdict = Literal[
    "same", "differs", "only in a", "only in b", "order changed", "not compared", "slower", "faster"
]
"""Of a thread or of a message in it. `slower` and `faster` are for threads, where time counts."""

MOST_MEMBERS: Final = 1 << 20
"""Messages of a thread that are compared; what is beyond them is not."""
_STEP_SECONDS: Final = 0.005


@dataclass(frozen=True, slots=True)
class Step:
    """Messages of two threads that belong together.

    old, new    their places in the tables; several where pieces of a stream are one text, none
                where that side has no such message
    """

    old: tuple[int, ...]
    new: tuple[int, ...]
    verdict: Verdict
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadsCompared:
    """`steps` are in the order of the old thread, what only the new one has in between."""

    verdict: Verdict
    steps: tuple[Step, ...]


Work = Generator[Progress, None, ThreadsCompared]


def compare_threads(
    old: Side, new: Side, comparer: Comparer, at_sight: AtSight | None = None
) -> Work:
    """Compare the messages of two threads. Long work: see `Progress`.

    at_sight   that of the comparer, where there is one already
    """
    return _Comparison(old, new, comparer, at_sight or AtSight(comparer)).run()


def verdict_of(verdicts: set[Verdict]) -> Verdict:
    """That of a whole, by those of its parts."""
    if verdicts & {"differs", "only in a", "only in b"}:
        return "differs"
    for verdict in ("order changed", "not compared"):
        if verdict in verdicts:
            return verdict
    return "same"


class _Comparison:
    def __init__(self, old: Side, new: Side, comparer: Comparer, at_sight: AtSight) -> None:
        self._old = old
        self._new = new
        self._comparer = comparer
        self._at_sight = at_sight
        self._total = len(old.places) + len(new.places)
        self._done = 0
        self._due = time.monotonic() + _STEP_SECONDS

    def run(self) -> Work:
        lanes_old, lanes_new = self._lanes(self._old), self._lanes(self._new)
        found: list[Pair] = []
        steps: dict[Pair, Step] = {}
        for lane in dict.fromkeys((*lanes_old, *lanes_new)):
            old, new = lanes_old.get(lane, []), lanes_new.get(lane, [])
            for step, moved in (yield from self._lane(old, new)):
                pair = Pair(
                    step.old[0] if step.old else None, step.new[0] if step.new else None, moved
                )
                found.append(pair)
                steps[pair] = step
        ordered = tuple(steps[pair] for pair in in_order(found))
        verdicts = {step.verdict for step in ordered}
        if max(len(self._old.places), len(self._new.places)) > MOST_MEMBERS:
            verdicts.add("not compared")
        return ThreadsCompared(verdict_of(verdicts), ordered)

    def _lanes(self, side: Side) -> dict[Hashable, list[int]]:
        table = side.table
        apart = self._comparer.rules.has(CHANNEL_ORDER)
        lanes: dict[Hashable, list[int]] = {}
        for place in side.places[:MOST_MEMBERS]:
            lane = (table.channel(place), table.direction(place)) if apart else None
            lanes.setdefault(lane, []).append(place)
        return lanes

    def _lane(
        self, old: list[int], new: list[int]
    ) -> Generator[Progress, None, list[tuple[Step, bool]]]:
        """The steps of a lane, and which of them are not where they were."""
        if (yield from self._one_by_one(old, new)):
            groups = [
                (Pair(n, n), self._old.said((a,)).places, self._new.said((b,)).places)
                for n, (a, b) in enumerate(zip(old, new, strict=True))
            ]
        else:
            said_old = yield from self._said(self._old, old)
            said_new = yield from self._said(self._new, new)
            groups = [
                (
                    pair,
                    () if pair.old is None else said_old[pair.old].places,
                    () if pair.new is None else said_new[pair.new].places,
                )
                for pair in self._paired(said_old, said_new)
            ]
        steps: list[tuple[Step, bool]] = []
        for pair, places_old, places_new in groups:
            steps.append((self._step(places_old, places_new, pair.moved), pair.moved))
            if self._is_due():
                yield self._progress()
        self._done += len(old) + len(new)
        return steps

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

    def _said(self, side: Side, places: list[int]) -> Generator[Progress, None, list[Said]]:
        """What a lane says, one after the other, with neighbouring pieces of a stream as one."""
        joins = self._comparer.rules.has(STREAM_PIECES)
        found: list[Said] = []
        group: list[int] = []
        stream = None
        for place in places:
            said = side.said((place,))
            if said.is_idle_talk(self._comparer.rules):
                continue
            name = said.stream if joins else None
            if group and (name is None or name != stream):
                found.append(side.said(tuple(group)))
                group = []
            group.append(place)
            stream = name
            if self._is_due():
                yield self._progress()
        if group:
            found.append(side.said(tuple(group)))
        return found

    def _paired(self, old: list[Said], new: list[Said]) -> list[Pair]:
        rules = self._comparer.rules
        lost = count()  # what cannot be read equals nothing

        def keys(side: list[Said]) -> list[Hashable]:
            return [said.key(rules) or next(lost) for said in side]

        def likeness(i: int, j: int) -> float:
            return alike_contents(old[i].content, new[j].content)

        kinds_old = [_kind(self._old, said.places[0]) for said in old]
        kinds_new = [_kind(self._new, said.places[0]) for said in new]
        return pair_up(keys(old), keys(new), kinds_old, kinds_new, likeness)

    def _step(self, old: tuple[int, ...], new: tuple[int, ...], moved: bool) -> Step:
        if not old or not new:
            return Step(old, new, "only in a" if old else "only in b")
        found = self._old.said(old).differences(self._new.said(new), self._comparer, self._at_sight)
        if found is None:
            return Step(old, new, "not compared")
        if any(difference.kind != "uncompared" for difference in found):
            return Step(old, new, "differs", tuple(found))
        if found:
            return Step(old, new, "not compared", tuple(found))
        return Step(old, new, "order changed" if moved else "same")

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
