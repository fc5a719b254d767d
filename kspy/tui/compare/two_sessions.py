"""Two sessions that are compared while somebody looks: what is known so far, and what is shown.

`run` is work for the desk. What it finds it puts here by one assignment each, so that the user
interface, which only looks, always sees a whole state. A row takes a few bytes, of a million too.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import kspy
from kspy.analysis.progress import Progress
from kspy.analysis.sameness.align import Alignment, align
from kspy.analysis.sameness.comparing import Comparer
from kspy.analysis.sameness.pace import Pace
from kspy.analysis.sameness.rules import Rules
from kspy.analysis.sameness.sessions import VERDICTS, Compared, Total, compare_aligned
from kspy.analysis.sameness.threads import Verdict
from kspy.analysis.table import Table

Array = NDArray[Any]

_STEP_SECONDS: Final = 0.005
_PENDING: Final = 0
_SAME: Final = 1 + VERDICTS.index("same")


class TwoSessions:
    """The session that is looked at (a), and another one (b).

    comparer   knows the ids of both, as far as they were compared
    total      None while comparing goes on
    paces      of the rows of which it is worth a word how long they took
    """

    def __init__(self, old: Table, path: Path, rules: Rules) -> None:
        """Raises `KspyError` where the file at `path`, the other one, cannot be read."""
        self.path = path
        self.rules = rules
        self.old = old
        self._recording = kspy.open(path)
        self.new = Table(self._recording)
        self.comparer = Comparer(rules)
        self.alignment: Alignment | None = None
        self.total: Total | None = None
        self.error: Exception | None = None
        self.doing = "reading"
        self.progress = Progress(0, 0)
        self.counts: Counter[Verdict] = Counter()
        self.paces: dict[int, Pace] = {}
        self._codes = bytearray()

    def close(self) -> None:
        self._recording.close()

    def run(self, is_read: Callable[[], bool]) -> Generator[Progress, None, None]:
        """Read the other one, align, compare. `is_read`: is all of the old session read?"""
        while not self.new.grow():
            yield self._tell("reading", Progress(self.new.read_bytes, self.new.file_bytes))
        while not is_read():
            yield self._tell("reading", Progress(0, 0))
        aligning = align(self.old, self.new, self.rules)
        while self.alignment is None:
            try:
                yield self._tell("aligning", next(aligning))
            except StopIteration as stop:
                self._codes = bytearray(len(stop.value))
                self.alignment = stop.value
        work = compare_aligned(self.alignment, self.comparer)
        due = 0.0
        while self.total is None:
            try:
                found = next(work)
            except StopIteration as stop:
                self.total = stop.value
                return
            if isinstance(found, Compared):
                self._take(found)
            elif time.monotonic() >= due:  # the desk rests after each step: none for every row
                yield self._tell("comparing", found)
                due = time.monotonic() + _STEP_SECONDS

    def _tell(self, doing: str, progress: Progress) -> Progress:
        self.doing, self.progress = doing, progress
        return progress

    def _take(self, found: Compared) -> None:
        self.counts[found.verdict] += 1
        if found.pace.told:
            self.paces[found.row] = found.pace
        self._codes[found.row] = 1 + VERDICTS.index(found.verdict)

    # What is known

    def __len__(self) -> int:
        return len(self._codes)

    def verdict(self, row: int) -> Verdict | None:
        """None while it was not compared yet."""
        code = self._codes[row]
        return VERDICTS[code - 1] if code else None

    @property
    def differing(self) -> Array:
        """The rows that are not the same, as far as that is known, in order."""
        codes = np.frombuffer(bytes(self._codes), np.uint8)
        return np.flatnonzero((codes != _PENDING) & (codes != _SAME))

    def next_difference(self, row: int, by: int) -> int | None:
        """The next row that differs (1), or the one before (-1); after the last comes the first."""
        rows = self.differing
        if not len(rows):
            return None
        if by > 0:
            at = int(np.searchsorted(rows, row, "right"))
        else:
            at = int(np.searchsorted(rows, row)) - 1
        return int(rows[at % len(rows)])

    def lines(self, *, hiding: bool) -> Array:
        """What a list shows, a number a line: a row, or -n in place of n that are the same."""
        count = len(self)
        if not hiding:
            return np.arange(count)
        shown = np.union1d(self.differing, np.fromiter(self.paces, np.int64, len(self.paces)))
        ends = np.append(shown, count)
        before = np.concatenate(([-1], shown))
        hidden = ends - before - 1
        lines = np.empty(2 * len(ends), np.int64)
        lines[0::2] = -hidden
        lines[1::2] = ends
        kept = np.ones(len(lines), bool)
        kept[0::2] = hidden > 0
        kept[-1] = False
        return lines[kept].astype(np.int64)
