"""From entries to chunks: read a recording from front to back, and say what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from kspy.recording.chunk import Chunk, decode_chunk
from kspy.recording.event import Event
from kspy.recording.format import End, decode_end, decompress
from kspy.recording.scan import Bytes, Entry, Lost, read_entry, read_payload, scan

_COMPRESSED = ("more", "index")


class Placed(NamedTuple):
    """A chunk and the file offset of its entry."""

    offset: int
    chunk: Chunk


class Walk:
    """One way through a recording; it can go on where it ended, when the file has grown.

    offset    up to where the file was read
    seq       the number that the next message should have
    end       the file's end entry, once it was reached
    damaged   was anything found that could not be read?
    """

    def __init__(self, file: Bytes, ident: bytes, offset: int) -> None:
        self._file = file
        self._ident = ident
        self.offset = offset
        self.seq = 0
        self.end: End | None = None
        self.damaged = False
        self._time_ns = 0
        self._lost_bytes = 0
        self._cut = False

    def chunks(self, *, growing: bool = False) -> Iterator[Placed | Event]:
        """The chunks from here on, and an event "gap" wherever something is missing.

        Goes to the file's present end. What is incomplete there is said only if the file is not
        `growing`.
        """
        for item in scan(self._file, self._ident, self.offset, growing=growing):
            if isinstance(item, Lost):
                self.offset = item.stop
                self._cut = self.end is None and item.stop >= self._file.size()
                self._lose(item)
                continue
            chunk = self._chunk(item)
            if growing and chunk is not None and self._unfinished(item, chunk):
                return
            self.offset = item.stop  # before yielding: who takes one may not come back for more
            yield from self._read(item, chunk)
        if self.end is not None and self.end.seq > self.seq:
            yield self._gap(self.end.seq)
        elif self._lost_bytes and not growing:
            yield self._gap(None)

    def _chunk(self, entry: Entry) -> Chunk | None:
        return read_chunk(self._file, self._ident, entry) if entry.kind == "chunk" else None

    def _unfinished(self, entry: Entry, chunk: Chunk) -> bool:
        """Does the file end within the `more` entries of this chunk?"""
        if chunk.complete:
            return False
        after: Entry | None = entry
        while after and (after.kind == "more" or after is entry):
            after = read_entry(self._file, self._ident, after.stop)
        return after is None

    def _read(self, entry: Entry, chunk: Chunk | None) -> Iterator[Placed | Event]:
        if entry.kind == "end":
            self.end = decode_end(read_payload(self._file, entry))
            if self.end is None:
                self._lose(entry)
        elif entry.kind == "chunk":
            if chunk is None or chunk.seq < self.seq:
                self._lose(entry)
                return
            if self._lost_bytes or (chunk.seq > self.seq and not chunk.begins_with_gap):
                yield self._gap(chunk.seq)
            self.seq = chunk.seq + len(chunk)
            self._time_ns = chunk.last_time
            yield Placed(entry.offset, chunk)
        elif entry.kind in _COMPRESSED and decompress(read_payload(self._file, entry)) is None:
            self._lose(entry)

    def _lose(self, where: Entry | Lost) -> None:
        self.damaged = self.damaged or not self._cut
        self._lost_bytes += where.stop - where.offset

    def _gap(self, seq: int | None) -> Event:
        """The event for what is missing between `self.seq` and `seq`."""
        lost = None if seq is None else seq - self.seq
        why = "damaged" if self._lost_bytes else "not recorded"
        if self._cut:
            why = "cut short"
        data = {"lost": lost, "bytes": self._lost_bytes, "why": why}
        gap = Event(self.seq if seq is None else seq, self._time_ns, "gap", data)
        self._lost_bytes = 0
        self.seq = gap.seq
        return gap


def read_chunk(file: Bytes, ident: bytes, entry: Entry) -> Chunk | None:
    """The chunk in an entry; None where it cannot be read."""
    content = decompress(read_payload(file, entry))
    if content is None:
        return None
    return decode_chunk(content, partial(_read_rest, file, ident, entry.stop))


def _read_rest(file: Bytes, ident: bytes, offset: int, seq: int, start: int, stop: int) -> bytes:
    """Bytes `start` to `stop` of a chunk, from the `more` entries at `offset`.

    Fewer where the file has lost some; never more memory than the file has bytes to fill it with.
    """
    parts: list[bytes] = []
    at = None
    while start < stop and (entry := read_entry(file, ident, offset)) and entry.kind == "more":
        content = decompress(read_payload(file, entry)) or {}
        piece, begin = content.get("data"), content.get("at")
        if content.get("seq") != seq or not isinstance(piece, bytes) or not isinstance(begin, int):
            break
        if at is not None and begin != at:
            break
        at = begin + len(piece)
        if begin > start:
            break
        if at > start:
            parts.append(piece[start - begin : stop - begin])
            start = min(at, stop)
        offset = entry.stop
    return b"".join(parts)
