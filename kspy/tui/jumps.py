"""Where a jump leads: the next item, in stream order, that passes a test.

Pure: items in stream order in, a place among them out. Tests look at columns only and at blocks
of them, from the near ones to the far ones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kspy.analysis.density import is_failure
from kspy.analysis.table import Table
from kspy.recording.outcome import ERROR

Array = NDArray[Any]
Test = Callable[[Table, Array], Array]
"""Of some messages, by their places: which of them are meant?"""

_BLOCK: Final = 1 << 16


def find(
    table: Table, items: Array, at: int, step: int, test: Test, events: set[int]
) -> int | None:
    """The nearest place from `at` on, in the direction of `step`, whose item is meant.

    `events` are the numbers of the events that are meant.
    """
    while 0 <= at < len(items):
        block = items[at : at + _BLOCK] if step > 0 else items[max(at - _BLOCK + 1, 0) : at + 1]
        found = np.flatnonzero(_meant(table, block, test, events))
        if len(found):
            return int(at + found[0] if step > 0 else at - (len(block) - 1 - found[-1]))
        at += step * len(block)
    return None


def _meant(table: Table, items: Array, test: Test, events: set[int]) -> Array:
    meant = np.zeros(len(items), bool)
    messages = np.flatnonzero(items >= 0)
    if len(messages):
        meant[messages] = test(table, items[messages])
    if events:
        meant |= np.isin(-1 - items, np.fromiter(events, np.int64, len(events)))
    return meant


def fatal_events(table: Table) -> set[int]:
    """Events that count as errors for who looks for what went wrong."""
    return {number for number, event in enumerate(table.events) if is_failure(event)}


def events_named(table: Table, name: str) -> set[int]:
    return {number for number, event in enumerate(table.events) if event.name == name}


def is_error(table: Table, places: Array) -> Array:
    return np.equal(_column("outcomes", table, places), ERROR)


def of_type(msg_type: str) -> Test:
    return lambda table, places: _column("types", table, places) == table.names.index(msg_type)


def of_client(client: int) -> Test:
    return lambda table, places: _column("clients", table, places) == client


def of_types(names: Collection[str]) -> Test:
    def test(table: Table, places: Array) -> Array:
        wanted = [place for place, name in enumerate(table.names) if name in names]
        return np.isin(_column("types", table, places), wanted)

    return test


def nobody(_: Table, places: Array) -> Array:
    """Means no message."""
    return np.zeros(len(places), bool)


def _column(name: str, table: Table, places: Array) -> Array:
    """A column's values of some messages that are near each other."""
    first = int(places.min())
    column: Array = getattr(table.rows(first, int(places.max()) + 1), name)
    return column.take(places - first)
