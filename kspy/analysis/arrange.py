"""Items in the order in which a list shows them: as they happened, or as threads.

Pure: a table and numpy arrays of items in, an array of items out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kspy.analysis.table import Table

Array = NDArray[Any]

EMPTY: Final[Array] = np.empty(0, np.int32)


def stream_items(table: Table, start: int, stop: int, events: Sequence[int]) -> Array:
    """Messages `start` to `stop` and `events`, each before the message that it came before."""
    places = np.arange(start, stop, dtype=np.int32)
    if not events:
        return places
    numbers = np.array(events)
    before = np.array([table.event_place(number) for number in events])
    return np.insert(places, np.clip(before - start, 0, len(places)), -1 - numbers)


def keys(table: Table, items: Array) -> Array:
    """What items are in order by: twice the place of a message, one less for what is before it."""
    found = items.astype(np.int64) * 2
    events = np.flatnonzero(items < 0)
    if len(events):
        places = np.array(table.event_places, np.int64)
        found[events] = places[-1 - items[events]] * 2 - 1
    return found


def roots(table: Table, items: Array) -> Array:
    """The thread's request for each item; the item itself where it is in no thread."""
    found = items.copy()
    messages = np.flatnonzero(items >= 0)
    if table.thread_count and len(messages):
        threads = table.thread_numbers[items[messages]]
        inside = threads >= 0
        found[messages[inside]] = table.heads[threads[inside]]
    return found


def whole_threads(table: Table, items: Array) -> Array:
    """Every item of each thread that one of `items` is in, in stream order."""
    messages = items[items >= 0]
    threads = table.thread_numbers[messages]
    wanted = np.zeros(table.thread_count, bool)
    wanted[threads[threads >= 0]] = True
    numbers = table.thread_numbers
    found = np.zeros(len(numbers), bool)
    if table.thread_count:
        found = wanted[numbers] & (numbers >= 0)
    found[messages] = True
    places = np.flatnonzero(found).astype(np.int32)
    return in_order(table, np.concatenate((places, items[items < 0])))


def in_order(table: Table, items: Array) -> Array:
    """`items` as they happened."""
    return items[np.argsort(keys(table, items), kind="stable")].astype(np.int32)


class Threads:
    """The threads that `items` (in stream order) are in, to be folded and unfolded quickly.

    What is in no thread, as heartbeats and events, is a line by itself.
    """

    def __init__(self, table: Table, items: Array) -> None:
        self._items = items
        self._above = roots(table, items)
        present = np.zeros(len(table), bool)
        present[items[items >= 0]] = True
        heads = self._above[self._above >= 0]
        missing = np.unique(heads[~present[heads]]) if len(heads) else EMPTY
        # A request that is not among the items still heads what answers it.
        self._lines = np.concatenate((missing, items)).astype(np.int32)
        self._roots = np.concatenate((missing, self._above))
        self._keys = keys(table, self._roots)
        self._places = len(table)

    def lines(
        self, *, folded: bool, turned: Collection[int], limit: tuple[int, int] | None = None
    ) -> Array:
        """Each thread's request, and beneath those that are open what answers it.

        folded    are threads folded, but for those whose request's place is in `turned`?
        limit     messages from this place on, and events from this number on, are not there yet
        """
        heads = self._lines == self._roots
        shown = self._turned(turned) == folded
        shown |= heads
        if limit is not None:
            messages, events = limit
            shown &= (self._lines < messages) & (self._keys < 2 * messages)
            shown &= self._lines >= -events
        chosen = np.flatnonzero(shown)
        order = np.argsort(self._keys[chosen], kind="stable")
        return self._lines[chosen[order]]

    def _turned(self, turned: Collection[int]) -> Array:
        """Is each line in a thread that is not folded as most are?"""
        if not turned:
            return np.zeros(len(self._lines), bool)
        chosen = np.zeros(self._places + 1, bool)
        chosen[np.fromiter(turned, np.int64, len(turned))] = True
        return chosen[np.where(self._roots >= 0, self._roots, self._places)]
