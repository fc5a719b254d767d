"""Which events are shown as one line: a client that comes makes a connection a channel.

The same rule as `kspy.analysis.event_summary.merge_connections`, for a recording that grows.
"""

from __future__ import annotations

from typing import Final

from kspy.analysis.event_summary import connection_kind, merge_connections, summarize_event
from kspy.analysis.table import Table
from kspy.recording.event import Event

_TOGETHER: Final = 64
"""Events on one line: nobody reads more, and each that joins costs those before it."""


class EventGroups:
    """`heads` are the numbers of the events that have a line."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._members: dict[int, list[int]] = {}
        self._seen = 0
        self._head = -1

    def take_new(self) -> tuple[list[int], list[int]]:
        """Look at the events that have come: which have a line, and which lines say more now."""
        heads: list[int] = []
        changed: list[int] = []
        for number in range(self._seen, self._table.event_count):
            if self._joins(number):
                self._members[self._head].append(number)
                changed.append(self._head)
            else:
                self._head = number
                self._members[number] = [number]
                heads.append(number)
        self._seen = self._table.event_count
        return heads, changed

    def _joins(self, number: int) -> bool:
        if self._head < 0 or self._table.event_place(self._head) != self._table.event_place(number):
            return False
        kind = connection_kind(self._table.event(number))
        return (
            kind is not None
            and kind == connection_kind(self._table.event(self._head))
            and len(self._members[self._head]) < _TOGETHER
        )

    def head(self, number: int) -> int:
        """The event whose line shows this one."""
        while number not in self._members:
            number -= 1
        return number

    def event(self, number: int) -> Event:
        """The event as it is shown, by the number of its line's first."""
        members = [self._table.event(member) for member in self._members[number]]
        merged = next(iter(merge_connections(members)))
        return merged if isinstance(merged, Event) else members[0]

    def summary(self, number: int) -> str:
        return summarize_event(self.event(number))
