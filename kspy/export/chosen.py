"""The messages and events that were chosen to be exported, read one by one in their order."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kspy.analysis.arrange import in_order
from kspy.analysis.progress import Progress
from kspy.analysis.table import Table
from kspy.errors import KspyError
from kspy.recording.event import Event
from kspy.wire.message import Message

Items = Sequence[int] | NDArray[Any]
Story = Message | Event

STEP_SECONDS: Final = 0.005
UNREADABLE: Final = "they could not be read in the recording that this was exported from"


class Exported(NamedTuple):
    """What was written. `lost`: messages that were chosen, but could not be read any more."""

    path: str
    messages: int
    events: int
    lost: int
    size: int


class Chosen:
    """Items of a table, in any order and perhaps twice; iterating gives each once, in order.

    done, total   how many items were read, of how many
    """

    def __init__(self, table: Table, items: Items) -> None:
        self._table = table
        # Events of one place keep their order: their item numbers fall while their numbers rise.
        unique = np.unique(np.asarray(items, np.int32))[::-1]
        self.items = in_order(table, unique)
        self.total = len(self.items)
        self.done = self.messages = self.events = self.lost = 0

    def __iter__(self) -> Iterator[Story]:
        """What could not be read becomes an event "gap", one for all that stood together."""
        lost, time_ns = 0, 0
        for item in self.items.tolist():
            self.done += 1
            try:
                story = self._table.item(item)
            except KspyError:
                lost, time_ns = lost + 1, self._table.item_time_ns(item)
                continue
            if lost:
                yield self._gap(lost, time_ns, story.seq)
                lost = 0
            if isinstance(story, Event):
                self.events += 1
            else:
                self.messages += 1
            yield story
        if lost:
            yield self._gap(lost, time_ns, 0)

    def _gap(self, lost: int, time_ns: int, seq: int) -> Event:
        self.lost += lost
        return Event(seq, time_ns, "gap", {"lost": lost, "why": UNREADABLE})

    def write(
        self, take: Callable[[Any], None], made: Iterable[Any] | None = None
    ) -> Generator[Progress, None, None]:
        """Give each story, or each of what is `made` from them, to `take`."""
        due = time.monotonic() + STEP_SECONDS
        for story in self if made is None else made:
            take(story)
            if time.monotonic() >= due:
                yield Progress(self.done, self.total)
                due = time.monotonic() + STEP_SECONDS
        yield Progress(self.done, self.total)

    def exported(self, path: object, size: int) -> Exported:
        return Exported(str(path), self.messages, self.events, self.lost, size)
