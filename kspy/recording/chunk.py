"""A chunk: about a mebibyte of messages, kept as columns.

`ChunkBuilder` fills one while recording, `Chunk` is one that was read. They mirror each other
and docs/format.md, section "chunk".
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from itertools import accumulate, pairwise, repeat
from operator import sub
from typing import Any, Final, TypeGuard

from kspy.recording.event import Event
from kspy.recording.format import pack_array, unpack_array
from kspy.wire.frames import CHANNELS
from kspy.wire.message import DECODE_LIMIT, ENCODED, TO_CLIENT, Message

CHUNK_BYTES: Final = 1 << 20
MORE_BYTES: Final = 4 << 20
CHUNK_MESSAGES: Final = 1 << 16
CHUNK_FRAMES: Final = 1 << 18
EVENT_BYTES: Final = 256
"""What an event counts for beside its data: a flood of events closes a chunk as messages do."""

KNOWN_ROUTES = bytes(n | d for d in (0, TO_CLIENT) for n in range(len(CHANNELS)))


class ChunkBuilder:
    """Collects messages and events until `full`; then `encode` it and begin another."""

    __slots__ = ("events", "frames", "rows", "seq", "size")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.rows: list[tuple[int, int, int, int, int]] = []
        self.frames: list[bytes] = []
        self.events: list[tuple[int, Event]] = []
        self.size = 0

    def add(
        self, time_ns: int, route: int, client: int, flags: int, frames: Sequence[bytes]
    ) -> bool:
        """Append a message; True when the chunk is full."""
        self.rows.append((time_ns, route, client, flags, len(frames)))
        self.frames += frames
        self.size += sum(map(len, frames))
        return (
            self.size >= CHUNK_BYTES
            or len(self.rows) >= CHUNK_MESSAGES
            or len(self.frames) >= CHUNK_FRAMES
        )

    @property
    def lengths(self) -> list[int]:
        """How long each frame is."""
        return list(map(len, self.frames))

    def add_event(self, event: Event, size: int) -> bool:
        """Append an event with `size` bytes of data; True when the chunk is full."""
        self.events.append((len(self.rows), event))
        self.size += EVENT_BYTES + size
        return self.size >= CHUNK_BYTES

    def __bool__(self) -> bool:
        return bool(self.rows or self.events)

    def encode(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The content of the chunk's entry, then that of each `more`."""
        data = b"".join(self.frames)
        times, routes, clients, flags, counts = (
            zip(*self.rows, strict=True) if self.rows else [()] * 5
        )
        yield (
            "chunk",
            {
                "seq": self.seq,
                "time": times[0] if times else self.events[0][1].time_ns,
                "steps": pack_array("q", encode_steps(times)),
                "routes": bytes(routes),
                "clients": pack_array("H", clients),
                "flags": bytes(flags),
                "counts": pack_array("I", counts),
                "lengths": pack_array("Q", self.lengths),
                "events": [
                    {"at": at, "time": event.time_ns, "event": event.name, "data": event.data}
                    for at, event in self.events
                ],
                "data": self._within(data),
            },
        )
        seq = self.seq + len(self.rows) - 1
        for at in range(self._spill_at(len(data)), len(data), MORE_BYTES):
            yield "more", {"seq": seq, "at": at, "data": data[at : at + MORE_BYTES]}

    def _spill_at(self, size: int) -> int:
        return size if size <= 2 * CHUNK_BYTES else CHUNK_BYTES

    def _within(self, data: bytes) -> bytes:
        # Only the last message can cross the border: the one before it did not fill the chunk.
        return data[: self._spill_at(len(data))]


def encode_steps(times: Sequence[int]) -> Iterator[int]:
    if times:
        yield 0
        yield from map(sub, times[1:], times)


class Chunk:
    """Messages and events of one chunk entry, decoded as far as its columns."""

    __slots__ = (
        "_counts", "_ends", "_firsts", "_frames", "_lengths", "_rest", "_spills",
        "clients", "data", "events", "flags", "routes", "seq", "times",
    )  # fmt: skip

    def __init__(
        self,
        seq: int,
        columns: tuple[array[int], bytes, array[int], bytes],
        layout: tuple[array[int], array[int]],
        data: bytes,
        events: list[tuple[int, Event]],
        rest: Callable[[int, int, int], bytes],
    ) -> None:
        """`rest(seq, start, stop)` reads bytes of the chunk that are in `more` entries."""
        self.seq = seq
        self.times, self.routes, self.clients, self.flags = columns
        counts, self._lengths = layout
        self._counts = counts
        self._firsts = array("Q", accumulate(counts, initial=0))
        self._ends: array[int] | None = None
        self._frames: list[bytes] | None = None
        self._spills = sum(self._lengths) > len(data)
        self.data = data
        self.events = events
        self._rest = rest

    def __len__(self) -> int:
        return len(self.routes)

    @property
    def begins_with_gap(self) -> bool:
        """Does it say itself that messages before it are missing?"""
        return any(at == 0 and event.name == "gap" for at, event in self.events)

    @property
    def complete(self) -> bool:
        """Is the last byte of its last message there?"""
        size = sum(self._lengths)
        return size <= len(self.data) or bool(self._rest(self.seq + len(self) - 1, size - 1, size))

    @property
    def last_time(self) -> int:
        """Time of its last message or event, ns."""
        times = [*self.times[-1:], *(event.time_ns for _, event in self.events[-1:])]
        return max(times, default=0)

    def message(self, place: int) -> Message:
        return Message(
            self.seq + place,
            self.times[place],
            self.routes[place],
            self.clients[place],
            self.flags[place],
            place,
            self,
        )

    def messages(self) -> Iterator[Message]:
        n = len(self)
        numbers = range(self.seq, self.seq + n)
        columns = (self.times, self.routes, self.clients, self.flags)
        return map(Message, numbers, *columns, range(n), repeat(self))

    def stories(self) -> Iterator[Message | Event]:
        """Messages and events in order."""
        done = 0
        for at, event in self.events:
            yield from map(self.message, range(done, at))
            yield event
            done = at
        if done:
            yield from map(self.message, range(done, len(self)))
        else:
            yield from self.messages()

    def rows(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Time, route, client, flags and count of frames of each message."""
        return zip(self.times, self.routes, self.clients, self.flags, self._counts, strict=True)

    def all_counts(self) -> Sequence[int]:
        """How many frames each message has."""
        return self._counts

    def all_lengths(self) -> Sequence[int]:
        """Lengths of all frames of all messages."""
        return self._lengths

    def near_frames(self) -> list[bytes]:
        """All frames, without the bytes that are in `more` entries: enough to read headers."""
        if self._frames is None:
            # Reading from a file in memory is the fastest way to cut bytes into pieces.
            self._frames = list(map(BytesIO(self.data).read, self._lengths))
        return self._frames

    def index_frames(self) -> list[bytes]:
        """As `near_frames`, but of a last message over WebSocket all that is ever decoded.

        A JSON object may have its header behind what is in `more` entries.
        """
        frames = self.near_frames()
        if self._spills and self.flags[-1] & ENCODED:
            return [*frames[:-1], self.piece(len(self) - 1, self._counts[-1] - 1, 0, DECODE_LIMIT)]
        return frames

    def lengths(self, place: int) -> Sequence[int]:
        """Lengths of the frames of the message in `place`."""
        return self._lengths[self._firsts[place] : self._firsts[place + 1]]

    def load(self, place: int, first: int = 0, stop: int | None = None) -> tuple[list[bytes], bool]:
        """Frames `first` to `stop` of the message in `place`; and whether bytes are missing."""
        begin = self._firsts[place]
        end = self._firsts[place + 1] if stop is None else begin + stop
        if not self._spills or place < len(self) - 1:
            return self.near_frames()[begin + first : end], False
        if self._ends is None:
            self._ends = array("Q", accumulate(self._lengths, initial=0))
        bounds = self._ends[begin + first : end + 1]
        if bounds[-1] <= len(self.data):
            return [self.data[a:b] for a, b in pairwise(bounds)], False
        return self._load_spilled(place, bounds)

    def piece(self, place: int, frame: int, start: int, stop: int) -> bytes:
        """Bytes `start` to `stop` of a frame of the message in `place`."""
        if self._ends is None:
            self._ends = array("Q", accumulate(self._lengths, initial=0))
        number = self._firsts[place] + frame
        if number >= self._firsts[place + 1]:
            return b""
        first, last = self._ends[number], self._ends[number + 1]
        start, stop = min(first + start, last), min(first + stop, last)
        near = self.data[start:stop]
        if stop <= len(self.data):
            return near
        return near + self._rest(self.seq + place, max(start, len(self.data)), stop)

    def _load_spilled(self, place: int, bounds: Sequence[int]) -> tuple[list[bytes], bool]:
        start, stop = bounds[0], bounds[-1]
        near = self.data[start:stop]
        data = near + self._rest(self.seq + place, max(start, len(self.data)), stop)
        frames = [data[a - start : b - start] for a, b in pairwise(bounds)]
        return frames, len(data) < stop - start


def decode_chunk(
    content: Mapping[str, Any], rest: Callable[[int, int, int], bytes]
) -> Chunk | None:
    """The chunk in an entry's content; None where its columns contradict each other."""
    seq, time = content.get("seq"), content.get("time")
    routes, flags, data = content.get("routes"), content.get("flags"), content.get("data")
    if not (_is_count(seq) and _is_count(time)):
        return None
    if not (isinstance(routes, bytes) and isinstance(flags, bytes) and isinstance(data, bytes)):
        return None
    n = len(routes)
    times = decode_times(time, content.get("steps"), n)
    clients = unpack_array("H", content.get("clients"), n)
    counts = unpack_array("I", content.get("counts"), n)
    lengths = unpack_array("Q", content.get("lengths"))
    events = decode_events(content.get("events"), "at", seq, n)
    if times is None or clients is None or counts is None or lengths is None or events is None:
        return None
    if len(flags) != n or routes.strip(KNOWN_ROUTES) or sum(counts) != len(lengths):
        return None
    if not _fits(counts, lengths, len(data)):
        return None
    return Chunk(seq, (times, routes, clients, flags), (counts, lengths), data, events, rest)


def _fits(counts: Sequence[int], lengths: Sequence[int], size: int) -> bool:
    """Are `size` bytes what the lengths say, but for a rest of the last message?"""
    total = sum(lengths)
    if total <= size:
        return total == size
    last = counts[-1] if counts else 0
    return total < 1 << 62 and sum(lengths[: len(lengths) - last]) <= size


def decode_times(time: int, steps: object, n: int) -> array[int] | None:
    unpacked = unpack_array("q", steps, n)
    if unpacked is None:
        return None
    try:
        return array("q", accumulate(unpacked, initial=time))[1:]
    except OverflowError:
        return None


def decode_events(values: object, place: str, seq: int, n: int) -> list[tuple[int, Event]] | None:
    """Events with where they stand: `at` in a chunk, or `seq` in an index."""
    if not isinstance(values, list):
        return None
    events: list[tuple[int, Event]] = []
    last = 0
    for value in values:
        at, time, name, data = (
            (value.get(place), value.get("time"), value.get("event"), value.get("data"))
            if isinstance(value, dict)
            else (None,) * 4
        )
        if not (
            _is_count(at) and _is_count(time) and isinstance(name, str) and isinstance(data, dict)
        ):
            return None
        if place == "at" and not last <= at <= n:
            return None
        last = at
        events.append((at, Event(at if place == "seq" else seq + at, time, name, data)))
    return events


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62
