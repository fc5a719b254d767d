"""Compare two sessions from beginning to end, and keep what was found: the result in Python.

For `kspy diff`, `kspy replay` and both in Python. What is found is told as soon as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from kspy.analysis.progress import Progress
from kspy.analysis.sameness.align import Chosen
from kspy.analysis.sameness.rules import Rules
from kspy.analysis.sameness.sessions import Total, Work, compare_sessions
from kspy.analysis.sameness.threads import Verdict
from kspy.analysis.table import Table
from kspy.export.compared.entry import ComparedThread, Tables, thread_entry
from kspy.export.compared.text import ComparedLines
from kspy.export.style import Style

_MOST_VALUES: Final = 20_000
"""Values that differ, over all threads, that are kept."""


class Report:
    """What differs between two sessions, a and b. `str` of it is the text that `kspy diff` prints.

    threads    each thread and how it compares, in the order of a, what only b has in between;
               threads that are the same too, unless they were not wanted; of very many that
               differ, the last without their messages
    counts     how many there are, by their verdicts
    notes      what to know about the recordings: gaps, that one was cut short
    left_out   how many messages were left out, by the names of rules
    """

    def __init__(self, threads: Sequence[ComparedThread], total: Total) -> None:
        self.threads = threads
        self.total = total

    @property
    def same(self) -> bool:
        """Is everything the same? Not if something could not be compared."""
        return self.total.same

    @property
    def counts(self) -> Mapping[Verdict, int]:
        return self.total.counts

    @property
    def notes(self) -> Sequence[str]:
        return self.total.notes

    @property
    def left_out(self) -> Mapping[str, int]:
        return self.total.left_out

    def __str__(self) -> str:
        lines = ComparedLines(Style(colours=False, width=None))
        told = [line for thread in self.threads for line in lines.thread(thread)]
        return "\n".join([*told, *lines.end(self.total)])

    def __repr__(self) -> str:
        return f"<Report {'the same' if self.same else f'{self.total.differing} differ'}>"


def report(
    old: Table,
    new: Table,
    rules: Rules,
    *,
    old_threads: Collection[int] | None = None,
    only: Chosen | None = None,
    factor: float | None = None,
    everything: bool = True,
    on_thread: Callable[[ComparedThread], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    keep: bool = True,
) -> Report:
    """Compare; see `kspy.analysis.sameness.sessions.compare_sessions`.

    everything    keep the threads that are the same, too, and what they are about
    keep          keep anything at all: not where it is told as soon as it is found
    on_thread     is told of each thread as soon as it was compared
    on_progress   is told how far it is
    """
    work = compare_sessions(old, new, rules, old_threads=old_threads, only=only, factor=factor)
    return finish(work, (old, new), everything, on_thread, on_progress, keep=keep)


def finish(
    work: Work,
    tables: Tables,
    everything: bool = True,
    on_thread: Callable[[ComparedThread], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    *,
    keep: bool = True,
    named: bool = False,
) -> Report:
    """Do the work to its end. `named`: say what threads are about that are not kept, too."""
    threads: list[ComparedThread] = []
    room = _MOST_VALUES
    while True:
        try:
            found = next(work)
        except StopIteration as stop:
            return Report(threads, stop.value)
        if isinstance(found, Progress):
            if on_progress:
                on_progress(found)
            continue
        told = everything or found.verdict != "same" or found.pace.told
        entry = thread_entry(found, tables, summary=told or named)
        if on_thread:
            on_thread(entry)
        if told and keep:
            room -= sum(len(message.differences) for message in entry.messages)
            threads.append(entry if room > 0 else _without_details(entry))


def _without_details(entry: ComparedThread) -> ComparedThread:
    return replace(entry, messages=(), more=entry.more + len(entry.messages))
