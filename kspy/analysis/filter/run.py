"""Which messages and events of a table a filter lets through."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kspy.analysis.filter.chunk_view import ChunkView
from kspy.analysis.filter.condition import NO, OPEN, YES, Block, Codes, Condition
from kspy.analysis.filter.logic import Node, terms, verdict, weigh
from kspy.analysis.progress import Progress
from kspy.analysis.table import Table

BLOCK: Final = 1 << 16
"""Messages whose columns are looked at together."""
_STEP_SECONDS: Final = 0.008

Items = NDArray[np.int32]
Work = Generator[Progress, None, Items]
Stretch = tuple[int, int | None]
Array = NDArray[Any]


class Search:
    """One run of a filter over some messages and events; they stop at None where all stop now."""

    def __init__(
        self,
        node: Node,
        table: Table,
        messages: tuple[int, int | None],
        events: tuple[int, int | None],
    ) -> None:
        start, stop = messages
        event_start, event_stop = events
        self._node = node
        self._conditions = list(dict.fromkeys(condition for condition, _ in terms(node)))
        self._table = table
        self._start = start
        self._stop = len(table) if stop is None else stop
        self._events = range(event_start, table.event_count if event_stop is None else event_stop)
        self._start_ns = table.start_ns
        self._until = 0.0

    def run(self) -> Work:
        """Yields `Progress` in messages; returns the items that match, in stream order."""
        found: list[Items] = []
        for start in range(self._start, self._stop, BLOCK):
            block = Block(self._table, start, min(start + BLOCK, self._stop), self._start_ns)
            answers = yield from self._answers(block)
            found.append((np.flatnonzero(answers == YES) + start).astype(np.int32))
            yield self._progress(block.stop)
        places = np.concatenate(found) if found else np.empty(0, np.int32)
        events = yield from self._matching_events()
        return _in_order(self._table, places, events)

    def _progress(self, place: int) -> Progress:
        self._until = time.monotonic() + _STEP_SECONDS
        return Progress(place - self._start, self._stop - self._start)

    def _answers(self, block: Block) -> Generator[Progress, None, Codes]:
        """NO or YES for each message of `block`."""
        codes = {condition: condition.columns(block) for condition in self._conditions}
        answers = weigh(self._node, codes, len(block))
        recording = self._table.recording
        left = np.flatnonzero(answers == OPEN) + block.start
        while len(left):
            number = recording.chunk_number(int(left[0]))
            first, last = recording.chunk_places(number)
            upto = int(np.searchsorted(left, last))
            places, left = left[:upto], left[upto:]
            rows = places - block.start
            chunk = recording.chunk(number)
            if chunk is None:  # the file has lost it, and so there is nothing in it
                answers[rows] = NO
                continue
            here = {condition: codes[condition][rows] for condition in self._conditions}
            answers[rows] = yield from self._in_chunk(ChunkView(chunk), first, places - first, here)
            if time.monotonic() > self._until:
                yield self._progress(int(places[-1]))
        return answers

    def _in_chunk(
        self, view: ChunkView, first: int, places: Array, codes: dict[Condition, Codes]
    ) -> Generator[Progress, None, Codes]:
        """The answers for messages in some `places` of a chunk, whose first is `first`."""
        for condition, known in codes.items():
            if (known == OPEN).any():
                found = condition.chunk(view)[places]
                codes[condition] = np.where(known == OPEN, found, known)
        answers = weigh(self._node, codes, len(places))
        for row in np.flatnonzero(answers == OPEN).tolist():
            known_here = {condition: int(code[row]) for condition, code in codes.items()}
            decision = self._decide(view, int(places[row]), known_here)
            while True:
                try:
                    next(decision)
                except StopIteration as stop:
                    answers[row] = stop.value
                    break
                if time.monotonic() > self._until:
                    yield self._progress(first + int(places[row]))
            if time.monotonic() > self._until:
                yield self._progress(first + int(places[row]))
        return answers

    def _decide(
        self, view: ChunkView, place: int, codes: dict[Condition, int]
    ) -> Generator[None, None, int]:
        """Decode one message, for one condition after the other until the answer is known."""
        for condition in self._conditions:
            if codes[condition] == OPEN:
                fulfilled = yield from condition.message(view, place)
                codes[condition] = YES if fulfilled else NO
                answer = verdict(self._node, codes.__getitem__)
                if answer != OPEN:
                    return answer
        return verdict(self._node, codes.__getitem__)

    def _matching_events(self) -> Generator[Progress, None, Sequence[int]]:
        found: list[int] = []
        for number in self._events:
            event = self._table.event(number)
            codes = {
                condition: YES if condition.event(event, self._start_ns) else NO
                for condition in self._conditions
            }
            if verdict(self._node, codes.__getitem__) == YES:
                found.append(number)
            if time.monotonic() > self._until:
                yield self._progress(self._stop)
        return found


def _in_order(table: Table, places: Items, events: Sequence[int]) -> Items:
    """Messages by their places and events by their numbers: each before the message it precedes."""
    if not events:
        return places
    numbers = np.array(events, np.int64)
    before = np.array([table.event_place(number) for number in events], np.int64)
    at = np.searchsorted(places, before, "left")
    return np.insert(places, at, (-1 - numbers).astype(np.int32))
