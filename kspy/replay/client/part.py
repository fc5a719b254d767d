"""Which part of a recording is played: the threads of those requests that a filter lets through."""

from __future__ import annotations

from kspy.analysis.filter import Filter
from kspy.analysis.filter.select import matching
from kspy.analysis.table import Table


def chosen_threads(table: Table, wanted: Filter) -> frozenset[int]:
    """Numbers of the threads that hold a client's message that `wanted` lets through."""
    found = (item for item in matching(wanted, table) if item >= 0)
    numbers = {table.thread(place) for place in found if table.direction(place) == "to_kernel"}
    return frozenset(numbers - {-1})
