"""What a filter lets through, as messages and events, one after the other."""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

from kspy.analysis.filter.filter import Filter
from kspy.analysis.filter.run import BLOCK, Items, Work
from kspy.analysis.table import Table
from kspy.errors import KspyError
from kspy.recording.event import Event
from kspy.recording.reader import Recording
from kspy.wire.message import Message

_POLL_SECONDS: Final = 0.05


def whole_table(recording: Recording) -> Table:
    """The table of all that is in the file now."""
    table = Table(recording)
    table.grow(math.inf)
    return table


def matching(wanted: Filter, table: Table) -> Iterator[int]:
    """The items of a table that match, in stream order, found a block after the other."""
    event_start = 0
    for start in range(0, max(len(table), 1), BLOCK):
        stop = min(start + BLOCK, len(table))
        last = stop == len(table)
        event_stop = table.event_count if last else bisect_left(table.event_places, stop)
        yield from finish(wanted.run(table, start, stop, event_start, event_stop)).tolist()
        event_start = event_stop


def finish(work: Work) -> Items:
    """The result of a filter's run, without its progress."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            items: Items = stop.value
            return items


def stories(table: Table, items: Iterable[int]) -> Iterator[Message | Event]:
    """The messages and events that items stand for; a "gap" for messages the file has lost."""
    lost: list[int] = []
    for item in items:
        try:
            story = table.item(item)
        except KspyError:
            lost.append(item)
            continue
        if lost:
            yield _gap(table, lost)
            lost = []
        yield story
    if lost:
        yield _gap(table, lost)


def _gap(table: Table, lost: list[int]) -> Event:
    data = {"lost": len(lost), "why": "they cannot be read any more"}
    return Event(table.seq(lost[-1]), table.time_ns(lost[-1]), "gap", data)


def messages(recording: Recording, wanted: Filter) -> Iterator[Message]:
    """The messages of all that is in the file now that match, in order."""
    table = whole_table(recording)
    found = stories(table, (item for item in matching(wanted, table) if item >= 0))
    return (story for story in found if isinstance(story, Message))


def follow(wanted: Filter, table: Table) -> Iterator[Message | Event]:
    """What matches, as it is when it comes; goes on while the recording grows."""
    known = (0, 0)
    growing = True
    while growing:
        growing = table.recording.state == "growing"  # asked first: then its very end is read
        table.grow(math.inf)
        now = (len(table), table.event_count)
        if now != known:
            items = finish(wanted.run(table, known[0], now[0], known[1], now[1]))
            yield from stories(table, items.tolist())
            known = now
        elif growing:
            time.sleep(_POLL_SECONDS)
