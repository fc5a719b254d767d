"""A condition of a filter: how it is found out whether a message or an event fulfils it.

Theory of operation: there are three steps, from cheap to dear, and each is taken only for what
the one before left OPEN. `columns` answers for a block of messages from the table's columns.
`chunk` narrows down by the bytes of a chunk, with nothing decoded. `message` decodes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kspy.recording.event import Event

if TYPE_CHECKING:
    from kspy.analysis.filter.chunk_view import ChunkView
    from kspy.analysis.table import Rows, Table

NO: Final = 0
OPEN: Final = 1
YES: Final = 2

Array = NDArray[Any]
Codes = NDArray[np.int8]
Bools = NDArray[np.bool_]
Decision = Generator[None, None, bool]
"""Yields now and then while it decodes; returns whether the condition is fulfilled."""


class Block:
    """Messages `start` to `stop` of a table, as columns."""

    def __init__(self, table: Table, start: int, stop: int, start_ns: int) -> None:
        """`start_ns` is when the recording begins: times count from it."""
        self.table = table
        self.start, self.stop = start, stop
        self.start_ns = start_ns
        self.rows: Rows = table.rows(start, stop)

    def __len__(self) -> int:
        return self.stop - self.start

    def by_type(self, verdicts: Mapping[str, bool] | Callable[[str], bool]) -> Bools:
        """What is so of a message's type is so of the message."""
        types = self.rows.types
        ask = verdicts if callable(verdicts) else verdicts.__getitem__
        names = self.table.names
        found = np.zeros(len(names), bool)
        for number in np.unique(types):  # a recording may have a type for every message
            found[number] = ask(names[number])
        chosen: Bools = found[types]
        return chosen

    @cached_property
    def seqs(self) -> Array:
        """int64: the numbers of the messages."""
        columns = self.table.columns
        number = self.table.recording.chunk_number(self.start)
        seqs = np.empty(len(self), np.int64)
        place = self.start
        while place < self.stop:
            first, last = self.table.recording.chunk_places(number)
            upto = min(last, self.stop)
            seq = columns.seqs[number] - first
            seqs[place - self.start : upto - self.start] = np.arange(place + seq, upto + seq)
            place, number = upto, number + 1
        return seqs


def codes(bools: Bools) -> Codes:
    return (bools.astype(np.int8) * YES).astype(np.int8)


class Condition:
    """One that nothing fulfils; others say more.

    volatile   may the answer for a message change when more messages come?
    """

    volatile: bool = False

    def columns(self, block: Block) -> Codes:
        """An answer for each message of `block`."""
        return np.full(len(block), OPEN, np.int8)

    def chunk(self, view: ChunkView) -> Codes:
        """An answer for each message of a chunk, by its bytes."""
        return np.full(len(view), OPEN, np.int8)

    def message(self, view: ChunkView, place: int) -> Decision:
        """The answer for the message in `place` of a chunk."""
        yield from ()
        return False

    def event(self, event: Event, start_ns: int) -> bool:
        return False


@dataclass(frozen=True, eq=False)
class ByColumns(Condition):
    """What the columns alone can tell."""

    test: Callable[[Block], Bools]
    event_test: Callable[[Event, int], bool] | None = None
    volatile: bool = False

    def columns(self, block: Block) -> Codes:
        return codes(self.test(block))

    def event(self, event: Event, start_ns: int) -> bool:
        return self.event_test is not None and self.event_test(event, start_ns)


@dataclass(frozen=True, eq=False)
class ByEvent(Condition):
    """What is so of events only."""

    test: Callable[[Event], bool]

    def columns(self, block: Block) -> Codes:
        return np.full(len(block), NO, np.int8)

    def event(self, event: Event, start_ns: int) -> bool:
        return self.test(event)
