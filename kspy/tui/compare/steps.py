"""Two threads as lines of a screen: which messages belong together, and what each says.

What is the same is for `kspy.analysis.sameness` to say; here it becomes a sign and two summaries.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from kspy.analysis.progress import Progress
from kspy.analysis.sameness import said, threads
from kspy.analysis.sameness.comparing import Comparer
from kspy.analysis.sameness.threads import Verdict, compare_threads
from kspy.analysis.summary import safe_line, summarize
from kspy.analysis.table import Table
from kspy.analysis.units import plural

Sign = Literal["", " ", "~", "-", "+", "⇅", "?"]

SIGNS: Final[Mapping[Verdict, Sign]] = {
    "same": " ",
    "differs": "~",
    "only in a": "-",
    "only in b": "+",
    "order changed": "⇅",
    "slower": "~",
    "faster": "~",
    "not compared": "?",
}
"""The sign of each verdict, the same on every screen; "" where it is not known yet."""

MARKS: Final = {
    "~": "It differs.",
    "-": "Only the left one, a, has it.",
    "+": "Only the right one, b, has it.",
    "⇅": "It is in another order.",
    "≈": "It differs by nature, which does not count.",
    "?": "It could not be compared.",
}
"""What the signs say, for the help page."""

DIFFERENT: Final = frozenset(SIGNS.values()) - {" "}
MOST_STEPS: Final = 5000
_SUMMARY: Final = 300


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a line. `places` has several where pieces of a stream are one text."""

    places: tuple[int, ...]
    elapsed_ns: int
    summary: str

    @property
    def place(self) -> int:
        """Of the first message."""
        return self.places[0]


@dataclass(frozen=True, slots=True)
class Step:
    """Messages that belong together. `verdict`: the sign of what was found."""

    left: Side | None
    right: Side | None
    verdict: Sign


@dataclass(frozen=True, slots=True)
class Members:
    """A thread of a table."""

    table: Table
    thread: int

    def side(self) -> said.Side:
        """Its first messages, no more than can be shown."""
        places: list[int] = self.table.members(self.thread)[:MOST_STEPS].tolist()
        return said.Side(self.table, places)

    @property
    def left_out(self) -> int:
        return max(self.table.thread_size(self.thread) - MOST_STEPS, 0)


def steps(
    left: Members, right: Members, comparer: Comparer
) -> Generator[Progress, None, list[Step]]:
    """Compare two threads. Long work: see `Progress`."""
    old, new = left.side(), right.side()
    found = yield from compare_threads(old, new, comparer)
    made: list[Step] = []
    for number, step in enumerate(found.steps):
        made.append(_step(step, (old, left), (new, right)))
        yield Progress(number + 1, len(found.steps))
    return made


def _step(
    step: threads.Step, old: tuple[said.Side, Members], new: tuple[said.Side, Members]
) -> Step:
    left, right = (
        _side(places, *side) if places else None
        for places, side in ((step.old, old), (step.new, new))
    )
    return Step(left, right, SIGNS[step.verdict])


def _side(places: tuple[int, ...], side: said.Side, members: Members) -> Side:
    table = members.table
    start = table.time_ns(table.head(members.thread))
    return Side(places, table.time_ns(places[0]) - start, _summary(side.said(places)))


def _summary(found: said.Said) -> str:
    message = found.message
    if message is None:
        return "cannot be read: this part of the file is damaged"
    if len(found.places) == 1:
        return summarize(message)[:_SUMMARY]
    pieces = plural(len(found.places), "message")
    return safe_line(f"({pieces}) {text_of(found.content)}")[:_SUMMARY]


def text_of(content: Mapping[str, Any]) -> str:
    """What a stream says."""
    return str(content.get("text"))
