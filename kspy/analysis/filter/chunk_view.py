"""The bytes of a chunk, seen as messages: where their parts are, and what texts they hold."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from kspy.analysis.filter.condition import OPEN, YES, Codes
from kspy.analysis.filter.needle import Needle
from kspy.recording.chunk import Chunk
from kspy.wire.frames import CHANNELS, DELIMITER
from kspy.wire.message import DECODE_LIMIT, Message, encoding_in
from kspy.wire.packers import ITEM_LIMIT, decode
from kspy.wire.websocket import ENCODINGS, PARTS, fast_object

Array = NDArray[Any]
PartName = Literal["header", "parent_header", "metadata", "content"]

JSON, PACKED, BARE, OTHER, WITHIN = range(5)
"""How a part is written: JSON in UTF-8; likely msgpack; there are no parts at all; else; it is
somewhere within the JSON of a message over WebSocket, whose bytes all count as the part's."""

_HB: Final = CHANNELS.index("hb")
_AFTER: Final = {"header": 2, "parent_header": 3, "metadata": 4, "content": 5}
_BRACE: Final = ord("{")
_IN_OBJECT: Final = np.isin(np.arange(256), np.frombuffer(b'"} \t\r\n', np.uint8))
"""Which bytes may come after an object's brace."""
_IS_PACKED: Final = np.isin(np.arange(256), [*range(0x80, 0x90), 0xDE, 0xDF])
"""Which bytes a map of msgpack may begin with."""
_ENCODINGS: Final = np.array([ENCODINGS.index(encoding_in(n)) for n in range(256)], np.int8)
"""By the flags of a message: the place of its encoding in `ENCODINGS`."""
_JSON: Final = ENCODINGS.index("json")
_V1: Final = ENCODINGS.index("v1")
_V1_OFFSETS: Final = len(PARTS) + 2
"""Offsets of a v1 payload without buffers."""
_ESCAPE: Final = 6
"""Bytes of the longest escape, `\\u0041`."""


class Part:
    """Where one part of each message is in the bytes of a chunk, and how it is written."""

    def __init__(self, starts: Array, stops: Array, kinds: Array) -> None:
        self._starts = starts
        self._stops = stops
        self.kinds = kinds

    @cached_property
    def starts(self) -> list[int]:
        starts: list[int] = self._starts.tolist()
        return starts

    @cached_property
    def stops(self) -> list[int]:
        stops: list[int] = self._stops.tolist()
        return stops


class ChunkView:
    """The messages of a chunk, by their place in it."""

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self.data = chunk.data
        self._parts: dict[PartName, Part] = {}

    def __len__(self) -> int:
        return len(self.chunk)

    def message(self, place: int) -> Message:
        return self.chunk.message(place)

    @cached_property
    def lowered(self) -> bytes:
        return self.data.lower()

    @cached_property
    def has_escapes(self) -> bool:
        return b"\\u00" in self.data

    # Where is what

    @cached_property
    def counts(self) -> Array:
        """How many frames each message has."""
        return np.asarray(self.chunk.all_counts(), np.int64)

    @cached_property
    def firsts(self) -> Array:
        """The number of each message's first frame; and one more."""
        return np.concatenate(([0], np.cumsum(self.counts)))

    @cached_property
    def edges(self) -> Array:
        """Where each frame begins, as if all bytes were in `data`; and one more."""
        lengths = np.asarray(self.chunk.all_lengths(), np.int64)
        return np.concatenate(([0], np.cumsum(lengths)))

    @cached_property
    def bounds(self) -> list[int]:
        """Where each message begins; and one more."""
        bounds: list[int] = self.edges[self.firsts].tolist()
        return bounds

    @cached_property
    def delimiters(self) -> Array:
        """The number of the frame that is each message's delimiter; -1 where it has no parts."""
        found = np.full(len(self), -1, np.int64)
        size = len(DELIMITER)
        starts, stops = self.edges[:-1], self.edges[1:]
        frames = np.flatnonzero((stops - starts == size) & (stops <= len(self.data)))
        data = np.frombuffer(self.data, np.uint8)
        for offset, byte in enumerate(DELIMITER):
            frames = frames[data[starts[frames] + offset] == byte]
        frames = frames[::-1]  # the first of several is set last
        owners = np.searchsorted(self.firsts, frames, "right") - 1
        found[owners] = frames
        routes = np.frombuffer(self.chunk.routes, np.uint8)
        without = (routes & 7 == _HB) | (found + 6 > self.firsts[1:]) | (self.encodings > 0)
        found[without] = -1
        return found

    @cached_property
    def encodings(self) -> Array:
        """The place of each message's encoding in `ENCODINGS`."""
        routes = np.frombuffer(self.chunk.routes, np.uint8)
        flags = np.frombuffer(self.chunk.flags, np.uint8)
        return np.where(routes & 7 == _HB, 0, _ENCODINGS[flags])

    @cached_property
    def v1_offsets(self) -> tuple[Array, Array]:
        """The places of v1 payloads without buffers; where channel, header and so on begin, a row
        each, with the end of the content last."""
        if not (v1 := self.encodings == _V1).any():
            return np.empty(0, np.int64), np.empty((0, _V1_OFFSETS), np.int64)
        bounds = self.edges[self.firsts]
        sizes = np.diff(bounds)
        width = 8 * (_V1_OFFSETS + 1)
        fits = (self.counts == 1) & (sizes >= width) & (bounds[1:] <= len(self.data))
        places = np.flatnonzero(v1 & fits)
        table = np.frombuffer(self.data, np.uint8)[bounds[places][:, None] + np.arange(width)]
        numbers = table.view("<u8")
        first = np.full(len(places), width, np.uint64)
        edges = np.column_stack((first, numbers[:, 1:], sizes[places].astype(np.uint64)))
        sound = (numbers[:, 0] == _V1_OFFSETS) & (edges[:, :-1] <= edges[:, 1:]).all(axis=1)
        starts = bounds[places][:, None] + numbers[:, 1:].astype(np.int64)
        return places[sound], starts[sound]

    @cached_property
    def is_plain_v1(self) -> Array:
        """Is each message a v1 payload that has its parts, and no buffers?"""
        plain = np.zeros(len(self), bool)
        plain[self.v1_offsets[0]] = True
        return plain

    @cached_property
    def may_have_buffers(self) -> Array:
        """Is each message one over WebSocket that may have buffers?"""
        return (self.encodings > _JSON) & ~self.is_plain_v1

    def part(self, name: PartName) -> Part:
        if name not in self._parts:
            self._parts[name] = self._find_part(name)
        return self._parts[name]

    def _find_part(self, name: PartName) -> Part:
        offset = _AFTER[name]
        delimiters = self.delimiters
        has_parts = delimiters >= 0
        frames = np.where(has_parts, delimiters + offset, 0)
        bounds = self.edges[self.firsts]
        starts = np.where(has_parts, self.edges[frames], bounds[:-1])
        ends = self.edges[np.minimum(frames + 1, len(self.edges) - 1)]
        stops = np.where(has_parts, ends, bounds[1:])
        kinds = np.where(has_parts, OTHER, BARE)
        kinds[self.encodings > 0] = WITHIN
        kinds[self.encodings == _V1] = OTHER
        places, begins = self.v1_offsets
        at = PARTS.index(name) + 1
        starts[places], stops[places] = begins[:, at], begins[:, at + 1]
        has_parts[places] = True
        near = has_parts & (stops - starts >= 2) & (stops <= len(self.data))
        data = np.frombuffer(self.data, np.uint8)
        some = np.flatnonzero(near)
        first, second = data[starts[some]], data[starts[some] + 1]
        kinds[some[(first == _BRACE) & _IN_OBJECT[second]]] = JSON
        kinds[some[_IS_PACKED[first]]] = PACKED
        if self.bounds[-1] > len(self.data):  # its last message goes on elsewhere
            kinds[-1] = OTHER
        return Part(starts, stops, kinds)

    # Searching

    def search(self, needle: Needle, name: PartName) -> Codes:
        """May, or must, a text be in this part of each message? Without parts: in its frames."""
        n = len(self)
        if not needle.finds:
            return np.full(n, OPEN, np.int8)
        part = self.part(name)
        unclear = part.kinds == OTHER
        if needle.numberish:
            unclear |= part.kinds == PACKED
        found = bytearray((unclear * OPEN).astype(np.int8).tobytes())
        for find in needle.finds:
            self._mark(found, find, part, sure=find == needle.sure)
        if needle.escapes is not None and self.has_escapes:
            self._mark_escapes(found, needle, part)
        return np.frombuffer(found, np.int8)

    def _mark(self, found: bytearray, find: bytes, part: Part, *, sure: bool) -> None:
        lowered, data = self.lowered, self.data
        at = lowered.find(find)
        if at < 0:
            return
        bounds, starts, stops, kinds = self.bounds, part.starts, part.stops, part.kinds
        size = len(find)
        while at >= 0:
            place = bisect_right(bounds, at) - 1
            start = starts[place]
            if at < start:
                at = lowered.find(find, start)
                continue
            if at + size <= stops[place]:
                certain = sure and kinds[place] == JSON and b"\\" not in data[at - _ESCAPE : at]
                found[place] = YES if certain else max(found[place], OPEN)
            at = lowered.find(find, bounds[place + 1])

    def _mark_escapes(self, found: bytearray, needle: Needle, part: Part) -> None:
        assert needle.escapes is not None
        at = 0
        while (match := needle.escapes.search(self.data, at)) is not None:
            place = bisect_right(self.bounds, match.start()) - 1
            if match.start() < part.starts[place]:
                at = part.starts[place]
                continue
            if match.start() < part.stops[place]:
                found[place] = max(found[place], OPEN)
            at = self.bounds[place + 1]

    # Reading

    def texts(self, place: int, *, strings_only: bool = False) -> Iterator[str]:
        """Every key and every value of a message's content, numbers as they were written.

        strings_only   numbers, true, false and null may be left out, which is faster

        Of what does not decode (heartbeats, broken contents) the bytes themselves, as UTF-8; of
        a message that is too large to be decoded those that are in the chunk.
        """
        part = self.part("content")
        if part.kinds[place] == JSON:
            return _texts_of(self.data[part.starts[place] : part.stops[place]], strings_only)
        message = self.message(place)
        if strings_only and part.kinds[place] == WITHIN:
            value = fast_object(message.frames[0], message.encoding)
            if value is not None and isinstance(value.get("content"), dict):
                return leaves(value["content"])
        if message.size > DECODE_LIMIT:
            return iter((as_text(self.data[self.bounds[place] :]),))
        parts = message.parts
        if parts is None:
            return map(as_text, message.frames)
        return _texts_of(parts.content, strings_only)

    def frame(self, place: int, name: PartName) -> bytes:
        """The bytes of a part; empty where there is none, or it is too large to be decoded."""
        parts = self.message(place).parts
        return b"" if parts is None else getattr(parts, name)


def as_text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _texts_of(frame: bytes, strings_only: bool) -> Iterator[str]:
    value = _read_fast(frame) if strings_only else _read(frame)
    return iter((as_text(frame),)) if value is None else leaves(value)


def _read_fast(frame: bytes) -> dict[str, Any] | None:
    """As `_read`, but numbers may be lost."""
    try:
        value = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return _read(frame)
    return value if isinstance(value, dict) else None


def _read(frame: bytes) -> dict[str, Any] | None:
    """As `kspy.wire.packers.decode`, but with JSON's numbers as they were written."""
    if frame.count(b"[") + frame.count(b"{") > ITEM_LIMIT:
        return None
    try:
        value = json.loads(frame, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        decoded = decode(frame)
        return decoded.value if decoded else None
    return value if isinstance(value, dict) else None


def leaves(value: object) -> Iterator[str]:
    """All keys and values in `value`, as text, in no certain order."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from (key if isinstance(key, str) else str(key) for key in value)
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
        elif isinstance(value, bytes):
            yield as_text(value)
        elif value is None:
            yield "null"
        elif isinstance(value, int | float):
            yield str(value).lower()  # as JSON has true and false
