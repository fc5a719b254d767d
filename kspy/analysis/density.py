"""Where in time the messages of a recording are: a histogram that grows with it.

Theory of operation: time is divided into bins of a power of two of nanoseconds. When messages
come that lie outside, the bins double their span until all fits, so that adding messages costs
only those, and drawing costs only the bins, however long the recording is. More than half of the
bins are always in use, except for sessions of a few microseconds, whose bins are a nanosecond.

One thread adds, others look: what they see is `Density.bins`, which is replaced, never changed.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kspy.analysis.progress import Progress
from kspy.analysis.table import FAR_NS, Table
from kspy.recording.event import Event
from kspy.recording.outcome import ERROR
from kspy.wire.frames import CHANNELS

Array = NDArray[np.int64]

BINS: Final = 4096
EVENTS: Final = len(CHANNELS)
"""The row of events; those before it are the channels, in their order."""
ROWS: Final = EVENTS + 1
_BLOCK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Columns:
    """What is to be drawn: int64 arrays of shape (ROWS, width)."""

    counts: Array
    errors: Array


@dataclass(frozen=True)
class Bins:
    """The histogram at a moment. Column n of `width` is the nth part of the time it spans.

    first_ns, last_ns    the earliest and the latest time, not those of the first and last message
    shift, base          a bin spans 2**shift ns; the first begins at base << shift
    counts, errors       int64 of shape (ROWS, BINS): messages and events; and those that failed
    """

    first_ns: int = 0
    last_ns: int = -1
    shift: int = 0
    base: int = 0
    counts: Array = field(default_factory=lambda: np.zeros((ROWS, BINS), np.int64), repr=False)
    errors: Array = field(default_factory=lambda: np.zeros((ROWS, BINS), np.int64), repr=False)

    @property
    def empty(self) -> bool:
        return self.last_ns < self.first_ns

    @property
    def span_ns(self) -> int:
        """From the earliest to the latest time; 0 for one message."""
        return max(0, self.last_ns - self.first_ns)

    @property
    def rows(self) -> list[int]:
        """Which rows have anything in them."""
        return [int(row) for row in np.flatnonzero(self.counts.any(axis=1))]

    def columns(self, width: int) -> Columns:
        """What lies in each of `width` columns; every message is in one of them."""
        counts = np.zeros((ROWS, width), np.int64)
        errors = np.zeros((ROWS, width), np.int64)
        if not self.empty and width > 0:
            places = self._places(width)
            starts = np.flatnonzero(np.diff(places, prepend=-1))
            used = slice(self._first_bin, self._first_bin + len(places))
            counts[:, places[starts]] = np.add.reduceat(self.counts[:, used], starts, axis=1)
            errors[:, places[starts]] = np.add.reduceat(self.errors[:, used], starts, axis=1)
        return Columns(counts, errors)

    def column_of(self, time_ns: int, width: int) -> int:
        """The column that a message of this time is counted in; times outside go to the edges."""
        if self.empty or width <= 0:
            return 0
        time_ns = min(max(time_ns, self.first_ns), self.last_ns)
        return int(self._places(width)[(time_ns >> self.shift) - self.base - self._first_bin])

    def time_of(self, column: int, width: int) -> int:
        """From when on what happens is counted in this column, or in a later one."""
        if self.empty or width <= 0:
            return 0
        place = int(np.searchsorted(self._places(width), column))
        return max(self.first_ns, (self.base + self._first_bin + place) << self.shift)

    @property
    def _first_bin(self) -> int:
        return (self.first_ns >> self.shift) - self.base

    def _places(self, width: int) -> Array:
        """Of each bin from that of the first to that of the last message, its column."""
        first, last = self.first_ns >> self.shift, self.last_ns >> self.shift
        middles = ((np.arange(last - first + 1) + first) << self.shift) + ((1 << self.shift) >> 1)
        part = np.clip(middles - self.first_ns, 0, self.span_ns) / (self.span_ns + 1)
        places: Array = np.minimum((part * width).astype(np.int64), width - 1)
        return places


class Density:
    """The histogram of a table's messages and events, as far as they were read."""

    def __init__(self) -> None:
        self.bins = Bins()
        self._messages = 0
        self._events = 0

    def behind(self, table: Table) -> bool:
        """Has `table` got anything that is not counted yet?"""
        return self._messages < len(table) or self._events < table.event_count

    def read(self, table: Table) -> Generator[Progress, None, None]:
        """Count what `table` has got since the last time."""
        while self._messages < len(table):
            stop = min(self._messages + _BLOCK, len(table))
            rows = table.rows(self._messages, stop)
            self.add(rows.times, rows.channels, rows.outcomes == ERROR)
            self._messages = stop
            yield Progress(stop, len(table))
        stop = table.event_count
        self.add_events([table.event(number) for number in range(self._events, stop)])
        self._events = stop

    def add_events(self, events: Sequence[Event]) -> None:
        times = np.array([min(max(event.time_ns, -FAR_NS), FAR_NS) for event in events], np.int64)
        fatal = np.array([is_failure(event) for event in events], bool)
        self.add(times, np.full(len(events), EVENTS), fatal)

    def add(self, times: NDArray[Any], rows: NDArray[Any], errors: NDArray[Any]) -> None:
        """Count messages: their times (ns), the row of each, and whether it failed."""
        if not len(times):
            return
        times = np.clip(times, -FAR_NS, FAR_NS)
        bins = _widened(self.bins, int(times.min()), int(times.max()))
        at = rows.astype(np.int64) * BINS + (times >> bins.shift) - bins.base
        size = ROWS * BINS
        counts = bins.counts + np.bincount(at, minlength=size).reshape(ROWS, BINS)
        failed = bins.errors + np.bincount(at[errors], minlength=size).reshape(ROWS, BINS)
        self.bins = replace(bins, counts=counts, errors=failed)


def is_failure(event: Event) -> bool:
    """Did something go wrong? A kernel that was asked to end, and did, is nothing wrong."""
    if event.name == "kernel_died":
        return event.data.get("exit_status") != 0
    return event.name in ("heartbeat_lost", "gap")


def _widened(bins: Bins, first_ns: int, last_ns: int) -> Bins:
    """`bins` so wide that these times are in them too."""
    if not bins.empty:
        first_ns, last_ns = min(first_ns, bins.first_ns), max(last_ns, bins.last_ns)
    shift = bins.shift
    while (last_ns >> shift) - (first_ns >> shift) >= BINS:
        shift += 1
    base = first_ns >> shift
    same = shift == bins.shift and base >= bins.base and (last_ns >> shift) - bins.base < BINS
    if same and not bins.empty:
        return replace(bins, first_ns=first_ns, last_ns=last_ns)
    return Bins(
        first_ns,
        last_ns,
        shift,
        base,
        _rebinned(bins.counts, bins, shift, base),
        _rebinned(bins.errors, bins, shift, base),
    )


def _rebinned(values: Array, bins: Bins, shift: int, base: int) -> Array:
    rebinned = np.zeros_like(values)
    used = np.flatnonzero(values.any(axis=0))
    if len(used):
        places = ((used + bins.base) >> (shift - bins.shift)) - base
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        rebinned[:, places[starts]] = np.add.reduceat(values[:, used], starts, axis=1)
    return rebinned
