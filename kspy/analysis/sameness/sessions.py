"""Two sessions compared: which request of one is which of the other, and what answered each.

Theory of operation: first the threads of both are paired by their requests (`align`): equal ones,
in their order and then wherever they are, and changed ones of the same type. The order counts
within a client, and on a channel; clients are told apart by what they ask, not by their numbers.
What the kernel said that no request asked for is paired likewise. What varies by nature in how a
session is put together is left out (`parts`). Then each pair is compared, in order, and told as
soon as that is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kspy.analysis.event_summary import summarize_event
from kspy.analysis.fields import extracted_of, imported_from
from kspy.analysis.progress import Progress
from kspy.analysis.sameness.align import Alignment, Chosen, align
from kspy.analysis.sameness.comparing import Comparer
from kspy.analysis.sameness.pace import UNTIMED, Pace, pace_of
from kspy.analysis.sameness.pairing import Pair
from kspy.analysis.sameness.parts import Parts
from kspy.analysis.sameness.rules import Rules
from kspy.analysis.sameness.sight import AtSight
from kspy.analysis.sameness.threads import Step, Verdict, compare_threads
from kspy.analysis.table import Table
from kspy.analysis.units import plural

VERDICTS: Final[tuple[Verdict, ...]] = (
    "same", "differs", "only in a", "only in b", "order changed", "slower", "faster",
    "not compared",
)  # fmt: skip
"""In the order in which they are counted."""
_TOLD_GAPS: Final = 5


@dataclass(frozen=True, slots=True)
class Compared:
    """A row of an alignment, compared.

    old, new   items: the place of a thread's first message, or the event n as -1 - n; None where
               that session has no such thread or event
    moved      it is not where it was among the client's requests
    steps      the messages that are not the same, see `kspy.analysis.sameness.threads`
    more       how many more of them there are
    """

    row: int
    old: int | None
    new: int | None
    verdict: Verdict
    moved: bool = False
    steps: tuple[Step, ...] = ()
    more: int = 0
    pace: Pace = UNTIMED


@dataclass(frozen=True, slots=True)
class Total:
    """counts     threads and events by their verdicts
    notes      what to know about the recordings: gaps, that one is cut short, what was left out
    left_out   messages of both sessions that were left out, by the names of rules
    """

    counts: Mapping[Verdict, int]
    notes: tuple[str, ...]
    left_out: Mapping[str, int]

    @property
    def same(self) -> bool:
        """Is everything the same? Not if something could not be compared."""
        return all(verdict == "same" for verdict, count in self.counts.items() if count)

    @property
    def differing(self) -> int:
        """Threads and events that are not the same."""
        return sum(self.counts.values()) - self.counts.get("same", 0)


Work = Generator[Progress | Compared, None, Total]


def compare_sessions(
    old: Table,
    new: Table,
    rules: Rules,
    *,
    old_threads: Collection[int] | None = None,
    only: Chosen | None = None,
    factor: float | None = None,
) -> Work:
    """Compare two sessions: `Progress` now and then, a `Compared` a thread, in the end the total.

    old_threads   of the old session only these, by their numbers: the new one is a replay of them
    only          threads of the old and of the new session: tell of these, and of what belongs to
                  one of them
    factor        a thread that takes so many times as long, either way, is not the same

    Works on any recordings; they are compared as they are now, whatever comes later.
    """
    alignment = yield from align(old, new, rules, old_threads=old_threads, only=only)
    return (yield from compare_aligned(alignment, Comparer(rules), factor))


def compare_aligned(alignment: Alignment, comparer: Comparer, factor: float | None = None) -> Work:
    """Compare what `align` has paired, a row after the other; then `comparer` knows all ids."""
    comparer.requests = alignment.requests
    at_sight = AtSight(comparer)
    counts: Counter[Verdict] = Counter()
    for row, pair in enumerate(alignment):
        yield Progress(row, len(alignment))
        compared = yield from _compared(alignment, row, pair, (comparer, at_sight), factor)
        counts[compared.verdict] += 1
        yield compared
    left_out = alignment.old.left_out + alignment.new.left_out
    notes = (*_notes("a", alignment.old), *_notes("b", alignment.new))
    return Total({name: counts[name] for name in VERDICTS}, notes, dict(left_out))


def _compared(
    alignment: Alignment,
    row: int,
    pair: Pair,
    comparers: tuple[Comparer, AtSight],
    factor: float | None,
) -> Generator[Progress, None, Compared]:
    old, new, moved = pair
    if old is None or new is None:
        return Compared(row, old, new, "only in a" if new is None else "only in b")
    if old < 0 or new < 0:
        return Compared(row, old, new, "same")
    sides = alignment.old.side(old), alignment.new.side(new)
    work = compare_threads(*sides, *comparers, everything=False)
    while True:
        try:
            next(work)
        except StopIteration as stop:
            found = stop.value
            break
        yield Progress(row, len(alignment))
    pace = pace_of(alignment.old.table, old, alignment.new.table, new)
    verdict: Verdict = found.verdict
    if verdict == "same":
        verdict = "order changed" if moved else _by_time(pace, factor)
    return Compared(row, old, new, verdict, moved, found.steps, found.more, pace)


def _by_time(pace: Pace, factor: float | None) -> Literal["same", "slower", "faster"]:
    counts = factor is not None and pace.factor >= factor
    return (pace.direction or "same") if counts else "same"


def _notes(name: str, parts: Parts) -> list[str]:
    """What is to be known about a recording, as safe text."""
    recording = parts.table.recording
    notes = []
    gaps = list(parts.gaps())
    notes += [f"{name}: {summarize_event(gap)}" for gap in gaps[:_TOLD_GAPS]]
    if len(gaps) > _TOLD_GAPS:
        notes.append(f"{name}: {plural(len(gaps) - _TOLD_GAPS, 'more gap')}")
    state = recording.state
    if state == "growing":
        notes.append(f"{name}: is still being recorded; what comes later was not compared")
    elif state == "cut":
        notes.append(f"{name}: was cut short; what came later was never written")
    elif state == "damaged" and not gaps:
        notes.append(f"{name}: is damaged")
    if of := extracted_of(recording.metadata):
        notes.append(f"{name}: is an extract of a recording of {plural(of, 'message')}")
    if imported_from(recording.metadata):
        notes.append(f"{name}: was imported; when its kernel died is not known")
    return notes
