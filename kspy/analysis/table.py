"""All messages of a recording as columns, and what follows from them: threads, states, latencies.

Theory of operation: a recording's columns say of each message which message is its parent. From
that this table finds, batch by batch as the recording grows, which thread it belongs to, and of
each thread which of its messages are the first on iopub, the reply and the idle. Nothing is
decoded. One thread (of the interpreter) calls `grow` and `rows`; the others may be called from
any: what they read is only ever appended to.

An *item* of a view is an int: the place of a message (>= 0), or the event with number n as
-1 - n.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kspy.analysis.kernel_life import KernelLife
from kspy.analysis.thread_table import ThreadTable
from kspy.analysis.timing import Timing
from kspy.recording.event import Event
from kspy.recording.index import Columns
from kspy.recording.outcome import BUSY, IDLE, OUTCOMES, STARTING
from kspy.recording.reader import Recording
from kspy.wire.frames import CHANNELS, Channel, Direction
from kspy.wire.message import TO_CLIENT, Message

GROW_SECONDS: Final = 0.02
_BATCH: Final = 1 << 18
"""Rows taken at a time: their copies are small beside the columns themselves."""

FAR_NS: Final = (1 << 62) - 1
"""Times beyond (the year 2116) are no times; so the difference of two fits 64 bits."""

_KERNEL_STATES: Final = (BUSY, IDLE, STARTING)
_STRETCH: Final = 1 << 12
"""Messages among which the kernel's last word is looked for: it is seldom far away."""

Array = NDArray[Any]


class Table:
    """The messages of `recording`, by their places in it, from 0."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._threads = ThreadTable()
        self._length = 0
        self._event_places: list[int] = []
        self._life = KernelLife()

    # Growing

    def grow(self, seconds: float = GROW_SECONDS) -> bool:
        """Read on in the file for about so long. True: all that is there now is read."""
        done = self.recording.grow(seconds)
        columns = self.columns
        for start in range(self._length, len(columns), _BATCH):
            stop = min(start + _BATCH, len(columns))
            self._threads.add(self._plain_rows(start, stop), columns.names)
            self._length = stop
        events = columns.events
        for event in events[len(self._event_places) :]:
            self._life.add(event.name)
            self._event_places.append(self._place_from(event.seq))
        return done

    @property
    def read_bytes(self) -> int:
        return min(self.recording.read_to, self.file_bytes)

    @property
    def file_bytes(self) -> int:
        return self.recording.size

    # Messages

    @property
    def columns(self) -> Columns:
        return self.recording.known

    def __len__(self) -> int:
        return self._length

    @property
    def names(self) -> Sequence[str]:
        """Every message type that occurs; "" is that of messages without one."""
        return self.columns.names

    def time_ns(self, place: int) -> int:
        return self.columns.times[place]

    def channel(self, place: int) -> Channel:
        return CHANNELS[self.columns.routes[place] & 7]

    def direction(self, place: int) -> Direction:
        return "to_client" if self.columns.routes[place] & TO_CLIENT else "to_kernel"

    def client(self, place: int) -> int:
        """Number of its client, 0 where that is not known."""
        return self.columns.clients[place]

    def size(self, place: int) -> int:
        """Bytes on the wire."""
        return self.columns.sizes[place]

    def msg_type(self, place: int) -> str:
        return self.columns.names[self.columns.types[place]]

    def outcome(self, place: int) -> int:
        """What it says about how things stand: a code of `kspy.recording.outcome`."""
        code = self.columns.outcomes[place]
        return code if code < len(OUTCOMES) else 0

    def load(self, place: int) -> Message:
        """The message itself. Raises `KspyError` where the file has lost it."""
        return self.recording.load(place)

    def seq(self, place: int) -> int:
        """Number of the message in the recording; more than its place where some were lost."""
        number = self.recording.chunk_number(place)
        return self.columns.seqs[number] + place - self.recording.chunk_places(number)[0]

    def place_of(self, seq: int) -> int | None:
        """Where the message numbered `seq` is; None where it is lost, or not there yet."""
        place = self._place_from(seq)
        return place if place < self._length and self.seq(place) == seq else None

    def _place_from(self, seq: int) -> int:
        """The place of the first message numbered `seq` or higher."""
        columns = self.columns
        number = bisect_right(columns.seqs, seq) - 1
        if number < 0:
            return 0
        return self.recording.chunk_places(number)[0] + min(
            seq - columns.seqs[number], columns.sums[number]
        )

    def parent(self, place: int) -> int | None:
        """Place of its parent message; None where that is not known."""
        parent = self._threads.parents[place]
        return None if parent < 0 else parent

    def kernel_state(self, place: int) -> int:
        """What the kernel last said of itself up to `place`: BUSY, IDLE, STARTING, or 0."""
        outcomes = self.columns.outcomes
        for stop in range(place + 1, 0, -_STRETCH):
            start = max(stop - _STRETCH, 0)
            last, code = max((outcomes.rfind(code, start, stop), code) for code in _KERNEL_STATES)
            if last >= 0:
                return code
        return 0

    def kernel_ended(self, events: int) -> str:
        """By the first so many events: "dead", "ended", or "" where its process lives."""
        return self._life.ended(events)

    # Threads

    @property
    def thread_count(self) -> int:
        return len(self._threads.heads)

    def thread(self, place: int) -> int:
        """Number of the thread that a message belongs to, -1 for heartbeats."""
        return self._threads.numbers[place]

    def head(self, thread: int) -> int:
        """Place of a thread's request."""
        return self._threads.heads[thread]

    @property
    def heads(self) -> Array:
        """Places of the requests of all threads, in order."""
        return self._threads.heads.values

    @property
    def thread_numbers(self) -> Array:
        """The number of each message's thread, -1 for heartbeats."""
        return self._threads.numbers.values

    def thread_size(self, thread: int) -> int:
        """How many messages it has."""
        return self._threads.sizes[thread]

    def members(self, thread: int) -> Array:
        """Places of a thread's messages, in order, the request first."""
        return self._threads.members(thread)

    def reply(self, thread: int) -> int | None:
        """Place of the reply to a thread's request."""
        return self._threads.reply(thread)

    def first_output(self, thread: int) -> int | None:
        """Place of what the kernel published first for a thread's request."""
        return self._threads.first_output(thread)

    def idle(self, thread: int) -> int | None:
        """Place of the idle with which it published all."""
        return self._threads.idle(thread)

    def timing(self, thread: int, limit: int | None = None) -> Timing:
        """How a thread's request fared, as far as is known, or by the messages before `limit`."""
        return self._threads.timing(thread, self.time_ns, len(self) if limit is None else limit)

    # Events

    @property
    def events(self) -> Sequence[Event]:
        return self.columns.events[: len(self._event_places)]

    @property
    def event_count(self) -> int:
        return len(self._event_places)

    def event(self, number: int) -> Event:
        return self.columns.events[number]

    def event_place(self, number: int) -> int:
        """Place of the message that the event came before; `len` where none came after it."""
        return self._event_places[number]

    @property
    def event_places(self) -> Sequence[int]:
        return self._event_places

    @property
    def start_ns(self) -> int:
        """When the recording begins: with its first message or event. 0 while it has none."""
        if self.event_count and (not len(self) or self.event_place(0) == 0):
            return self.event(0).time_ns
        return self.time_ns(0) if len(self) else 0

    def item_time_ns(self, item: int) -> int:
        """When a message passed, or an event happened."""
        return self.time_ns(item) if item >= 0 else self.event(-1 - item).time_ns

    def item_times(self, items: Array) -> Array:
        """`item_time_ns` of items in stream order; int64, so times that no clock has are cut."""
        found = np.empty(len(items), np.int64)
        messages = np.flatnonzero(items >= 0)
        if len(messages):
            places = items[messages]
            found[messages] = self.rows(int(places[0]), int(places[-1]) + 1).times[
                places - places[0]
            ]
        for at in np.flatnonzero(items < 0).tolist():
            found[at] = min(max(self.item_time_ns(int(items[at])), -FAR_NS), FAR_NS)
        return found

    def item(self, item: int) -> Message | Event:
        """A message or an event by its item number. Raises `KspyError` where it is lost."""
        return self.load(item) if item >= 0 else self.event(-1 - item)

    # Columns

    def rows(self, start: int, stop: int) -> Rows:
        """The columns of messages `start` to `stop`, as numpy arrays."""
        return Rows(self, start, stop)

    def _plain_rows(self, start: int, stop: int) -> PlainRows:
        return PlainRows(self.columns, self.recording, start, stop)

    @property
    def thread_table(self) -> ThreadTable:
        return self._threads


class PlainRows:
    """Columns of a recording as numpy arrays, each copied when it is first asked for."""

    def __init__(self, columns: Columns, recording: Recording, start: int, stop: int) -> None:
        self._columns = columns
        self._recording = recording
        self.start, self.stop = start, stop

    def __len__(self) -> int:
        return self.stop - self.start

    @cached_property
    def times(self) -> Array:
        """int64, ns."""
        return self._copy("times", np.int64)

    @cached_property
    def routes(self) -> Array:
        """uint8: see docs/format.md."""
        return self._copy("routes", np.uint8)

    @cached_property
    def channels(self) -> Array:
        """uint8: place in `CHANNELS`."""
        channels: Array = self.routes & 7
        return channels

    @cached_property
    def to_client(self) -> Array:
        """bool."""
        return np.not_equal(np.bitwise_and(self.routes, TO_CLIENT), 0)

    @cached_property
    def clients(self) -> Array:
        """uint16; 0 where not known."""
        return self._copy("clients", np.uint16)

    @cached_property
    def flags(self) -> Array:
        """uint8, the recorded flags."""
        return self._copy("flags", np.uint8)

    @cached_property
    def types(self) -> Array:
        """uint32: place in the table's `names`."""
        return self._copy("types", np.uint32)

    @cached_property
    def sizes(self) -> Array:
        """int64, bytes on the wire."""
        return self._copy("sizes", np.int64)

    @cached_property
    def outcomes(self) -> Array:
        """uint8: see `kspy.recording.outcome`."""
        return self._copy("outcomes", np.uint8)

    @cached_property
    def parent_places(self) -> Array:
        """int64: where the message that `parent_header` names is; -1 where none is known."""
        distances = self._copy("parents", np.uint32).astype(np.int64)
        columns = self._columns
        firsts: Array = np.concatenate(
            ([0], np.cumsum(_array(columns.sums, np.uint32).astype(np.int64)))
        )
        seqs: Array = _array(columns.seqs, np.uint64).astype(np.int64)
        places = np.arange(self.start, self.stop)
        chunks = np.searchsorted(firsts, places, "right") - 1
        wanted = seqs[chunks] + places - firsts[chunks] - distances
        found = np.searchsorted(seqs, wanted, "right") - 1
        parents: Array = firsts[found] + wanted - seqs[found]
        known = (distances > 0) & (found >= 0) & (parents < firsts[found + 1])
        parents[~known] = -1
        return parents

    def _copy(self, name: str, dtype: type[np.generic]) -> Array:
        return _array(getattr(self._columns, name)[self.start : self.stop], dtype)


class Rows(PlainRows):
    """Columns of a table: those of the recording, and what follows from them."""

    def __init__(self, table: Table, start: int, stop: int) -> None:
        super().__init__(table.columns, table.recording, start, stop)
        self._table = table.thread_table

    @cached_property
    def parents(self) -> Array:
        """int32: place of the parent, -1 where none is known."""
        return self._table.parents.values[self.start : self.stop]

    @cached_property
    def threads(self) -> Array:
        """int32: number of the thread, -1 for heartbeats."""
        return self._table.numbers.values[self.start : self.stop]

    @cached_property
    def latencies(self) -> Array:
        """int64, ns: of a request and of its reply, from the one to the other; -1 elsewhere."""
        return self._table.latencies(self, self._time_at)

    @cached_property
    def states(self) -> Array:
        """uint8, of requests: a place in `kspy.analysis.thread_table.STATES`; 0 elsewhere."""
        return self._table.states(self)

    def _time_at(self, places: Array) -> Array:
        times = self._columns.times
        return np.fromiter((times[place] for place in places), np.int64, len(places))


def _array(values: Any, dtype: type[np.generic]) -> Array:
    """`values`, a copy that nobody else has, as a numpy array of its own type."""
    return np.frombuffer(
        bytes(values) if isinstance(values, bytearray) else values.tobytes(), dtype
    )
