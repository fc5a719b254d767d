"""Two threads as steps: which members belong together, what each says, and do they say the same.

Members are paired by columns alone; what they say is read one pair after the other.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable
from dataclasses import dataclass
from typing import Final, Literal

from kspy.analysis.alignment import pairs, step_key
from kspy.analysis.difference import differences, value_of, varying
from kspy.analysis.progress import Progress
from kspy.analysis.summary import summarize
from kspy.analysis.table import Table
from kspy.errors import KspyError
from kspy.wire.message import Message

Verdict = Literal["", " ", "~", "-", "+", "?"]
"""Not known yet, the same, changed, only on the left, only on the right, cannot be compared."""

MOST_STEPS: Final = 5000
_LARGE: Final = 4 << 20
"""Bytes of a message whose content is not compared here: enter on it does that."""
_PAIR_BUDGET: Final = 20_000
_SUMMARY: Final = 300


@dataclass(slots=True)
class Side:
    """A member: its place in the table, and what it says, once that was read."""

    place: int
    elapsed_ns: int
    summary: str = ""


@dataclass(slots=True)
class Step:
    """Members that belong together. `verdict` compares them but for what varies by nature."""

    left: Side | None
    right: Side | None
    verdict: Verdict = ""


@dataclass(frozen=True, slots=True)
class Members:
    """A thread of a table."""

    table: Table
    thread: int

    def keys(self) -> list[Hashable]:
        table = self.table
        return [
            step_key(table.channel(p), table.direction(p), table.msg_type(p), table.outcome(p))
            for p in self.places()
        ]

    def places(self) -> list[int]:
        """Places of its first members, no more than can be shown."""
        members: list[int] = self.table.members(self.thread)[:MOST_STEPS].tolist()
        return members

    @property
    def left_out(self) -> int:
        return max(self.table.thread_size(self.thread) - MOST_STEPS, 0)


def steps(left: Members, right: Members) -> list[Step]:
    """The members of two threads, paired by type and channel; nothing is read."""
    a, b = _sides(left), _sides(right)
    return [
        Step(
            None if i is None else a[i],
            None if j is None else b[j],
            "+" if i is None else "-" if j is None else "",
        )
        for i, j in pairs(left.keys(), right.keys())
    ]


def _sides(members: Members) -> list[Side]:
    table = members.table
    start = table.time_ns(table.head(members.thread))
    return [Side(place, table.time_ns(place) - start) for place in members.places()]


def read_on(found: list[Step], left: Members, right: Members) -> Generator[Progress, None, None]:
    """Read what the members of each step say, and compare them. Long work: see `Progress`."""
    for number, step in enumerate(found):
        sides = ((step.left, left.table), (step.right, right.table))
        old, new = (None if side is None else _load(side, table) for side, table in sides)
        if step.left and step.right:
            step.verdict = _compared(old, new)
        yield Progress(number + 1, len(found))


def _load(side: Side, table: Table) -> Message | None:
    try:
        message = table.load(side.place)
    except KspyError:
        side.summary = "cannot be read: this part of the file is damaged"
        return None
    side.summary = summarize(message)[:_SUMMARY]
    return message


def _compared(old: Message | None, new: Message | None) -> Verdict:
    if old is None or new is None:
        return "?"
    if max(old.size, new.size) > _LARGE:
        return "?"
    found = differences(value_of(old), value_of(new), _PAIR_BUDGET)
    real = [difference for difference in found if not varying(difference.path)]
    if any(difference.kind != "uncompared" for difference in real):
        return "~"
    return "?" if real else " "
