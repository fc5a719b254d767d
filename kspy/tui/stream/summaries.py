"""What the lines on the screen say about their messages, loaded as far as there is time.

Reading a message may mean to read and decompress a chunk. A screen of fifty lines can be in fifty
chunks, and a key press must not wait for them: so a line that is not known is made at once while
the time of this screen lasts, and by the desk after that.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Generator, Sequence
from typing import Final, NamedTuple

from kspy.analysis.event_groups import EventGroups
from kspy.analysis.progress import Progress
from kspy.analysis.summary import safe_line, summarize
from kspy.analysis.table import Table
from kspy.errors import KspyError

BUDGET_SECONDS: Final = 0.008
_KEPT: Final = 4000
_LONGEST: Final = 1000
"""Characters kept of a summary: more than the widest screen has."""
_LARGE: Final = 1 << 20
"""Bytes of a message that is never read while the screen waits for it."""


class Said(NamedTuple):
    """`flags` as `Message.flags`, "lost" where the file has it no more."""

    summary: str
    flags: tuple[str, ...] = ()


class Summaries:
    """By item. Asked by the user interface; `load` is work for the desk."""

    def __init__(self, table: Table, events: EventGroups) -> None:
        self._table = table
        self._events = events
        self._known: OrderedDict[int, Said] = OrderedDict()
        self._until = 0.0
        self.wanted: set[int] = set()

    def begin_screen(self) -> None:
        """A screen is about to be drawn: there is time again."""
        self._until = time.perf_counter() + BUDGET_SECONDS

    def get(self, item: int) -> Said | None:
        """What is said about an item; None if it is not known yet, it is `wanted` then."""
        said = self._known.get(item)
        if said is None:
            late = time.perf_counter() > self._until
            if item >= 0 and (late or self._table.size(item) > _LARGE):
                self.wanted.add(item)
                return None
            said = self._make(item)
        return said

    def load(self, items: Sequence[int]) -> Generator[Progress, None, None]:
        """Make what is `wanted`."""
        for number, item in enumerate(items):
            self._make(item)
            yield Progress(number + 1, len(items))

    def forget(self, item: int) -> None:
        self._known.pop(item, None)

    def _make(self, item: int) -> Said:
        said = Said(self._events.summary(-1 - item)) if item < 0 else _say(self._table, item)
        self._known[item] = said
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return said


def _say(table: Table, place: int) -> Said:
    try:
        message = table.load(place)
        return Said(summarize(message)[:_LONGEST], message.flags)
    except KspyError:
        return Said("cannot be read: this part of the file is damaged", ("lost",))
    except Exception as error:  # a message that no rule foresaw must not end the viewer
        return Said(safe_line(f"cannot be shown: {type(error).__name__}: {error}"), ("lost",))
