"""Read a `.kspy` file: finished, growing, cut short, damaged or hostile.

Theory of operation: messages are read by walking the file from the front, a chunk at a time, so
memory stays at a chunk however long the recording is. Only what needs to know all messages
(`len`, indexing, threads) uses the columns: from the index where there is one, else made by
walking, and going on from there when the file has grown.
"""

from __future__ import annotations

import math
import os
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Literal, Self, overload

from kspy.errors import KspyError
from kspy.recording.chunk import Chunk
from kspy.recording.event import Event
from kspy.recording.format import (
    END_SIZE,
    HEADER_LIMIT,
    ID_SIZE,
    MAJOR,
    End,
    decode_end,
    decode_header,
    decompress,
)
from kspy.recording.gaps import add_gaps
from kspy.recording.index import Columns, IndexBuilder, decode_columns
from kspy.recording.lock import is_being_written
from kspy.recording.scan import File, find_ident, read_entry, read_payload
from kspy.recording.threads import Thread, group
from kspy.recording.walk import Placed, Walk, read_chunk
from kspy.wire.message import Message

State = Literal["whole", "growing", "cut", "damaged"]

_POLL_SECONDS = 0.05


class Recording:
    """A recording, for reading. A context manager; iterating gives its messages in order.

    metadata    the header: when, what and where was recorded; {} where it is damaged
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open `path`. Raises `KspyError` if it is no recording or from a newer version."""
        self.path = os.fspath(path)
        self._file = File(self.path)
        try:
            self._read_header()
        except KspyError:
            self.close()
            raise
        self._damaged = not self._header_sound
        self._indexed: Columns | None = None
        self._trusts_index = True
        self._walk = Walk(self._file, self._id, self._start)
        self._builder = IndexBuilder()
        self._firsts = array("Q", (0,))
        self._chunk_at = lru_cache(maxsize=4)(self._read_chunk_at)

    def _read_header(self) -> None:
        header = decode_header(self._file.read(0, HEADER_LIMIT))
        self._header_sound = header is not None and header.sound
        if header is not None and self._header_sound:
            version = header.metadata["kspy"]
            if not isinstance(version, int) or version > MAJOR:
                raise KspyError(
                    f"{self.path}: written by a newer kspy (format {version}, this one reads"
                    f" {MAJOR}); upgrade kspy to read it"
                )
            ident = header.metadata.pop("id", None)
            if isinstance(ident, bytes) and len(ident) == ID_SIZE:
                self.metadata: dict[str, Any] = header.metadata
                self._id, self._start = ident, header.size
                return
        ident = find_ident(self._file)
        if ident is None:
            raise KspyError(f"{self.path}: is not a kspy recording")
        self._header_sound = False
        self.metadata = {}
        self._id, self._start = ident, 0

    # Front to back

    def __iter__(self) -> Iterator[Message]:
        for item in self._chunks(self._new_walk()):
            if isinstance(item, Placed):
                yield from item.chunk.messages()

    def stories(self) -> Iterator[Message | Event]:
        """Messages and events in order; a "gap" event wherever something is missing."""
        return self._stories(self._new_walk())

    def follow(
        self, stop: Callable[[], bool] = lambda: False, *, poll_seconds: float = _POLL_SECONDS
    ) -> Iterator[Message | Event]:
        """As `stories`, and go on while the recording grows, until it ends or `stop()`."""
        walk = self._new_walk()
        while not stop():
            growing = self.growing
            yield from self._stories(walk, growing=growing)
            if walk.end is not None or not growing:
                return
            time.sleep(poll_seconds)

    def _new_walk(self) -> Walk:
        return Walk(self._file, self._id, self._start)

    def _stories(self, walk: Walk, growing: bool | None = None) -> Iterator[Message | Event]:
        for item in self._chunks(walk, growing):
            if isinstance(item, Placed):
                yield from item.chunk.stories()
            else:
                yield item

    def _chunks(self, walk: Walk, growing: bool | None = None) -> Iterator[Placed | Event]:
        if growing is None:
            growing = self.growing
        yield from walk.chunks(growing=growing)
        if walk.damaged:
            self._damaged = True

    # All together

    @property
    def columns(self) -> Columns:
        """What is known of every message without decoding it, up to the file's present end."""
        self.grow()
        return self.known

    @property
    def known(self) -> Columns:
        """The columns of what was read so far; see `grow`."""
        return self._builder.columns if self._indexed is None else self._indexed

    @property
    def read_to(self) -> int:
        """Up to which byte of the file the messages are `known`."""
        return self.size if self._indexed is not None else self._walk.offset

    def grow(self, seconds: float = math.inf) -> bool:
        """Read on, for about so many seconds. True: all that is there now is `known`.

        Where the file has an index, that is all at once; else chunk by chunk.
        """
        if self._trusts_index and self._walk.offset == self._start:
            self._indexed = self._indexed or self._read_index()
        done = self._indexed is not None or self._walk_on(time.monotonic() + seconds)
        for n in self.known.sums[len(self._firsts) - 1 :]:
            self._firsts.append(self._firsts[-1] + n)
        return done

    def _walk_on(self, until: float) -> bool:
        for item in self._chunks(self._walk):
            if isinstance(item, Placed):
                self._index_chunk(item)
            elif item.name == "gap":
                self._builder.columns.events.append(item)
            if time.monotonic() >= until:
                return False
        return True

    def _index_chunk(self, placed: Placed) -> None:
        chunk = placed.chunk
        self._builder.add_chunk(
            chunk.seq,
            placed.offset,
            chunk.rows(),
            chunk.all_lengths(),
            chunk.index_frames(),
            [event for _, event in chunk.events],
        )

    def _read_index(self) -> Columns | None:
        """The columns from the index, or None where it is missing or wrong."""
        end = self._end()
        if end is None or not end.index_offset:
            return None
        blocks: list[Columns] = []
        offset = end.index_offset
        while offset:
            entry = read_entry(self._file, self._id, offset)
            content = decompress(read_payload(self._file, entry)) if entry else None
            block = decode_columns(content) if content else None
            previous = content.get("previous") if content else None
            if block is None or not isinstance(previous, int) or not 0 <= previous < offset:
                return None
            blocks.append(block)
            offset = previous
        columns = Columns()
        for block in reversed(blocks):
            columns.extend(block)
        if not columns.in_order(end.seq):
            return None
        add_gaps(columns, end.seq)
        return columns

    def _end(self) -> End | None:
        size = self._file.size()
        entry = read_entry(self._file, self._id, max(0, size - END_SIZE))
        if entry is None or entry.kind != "end" or entry.stop != size:
            return None
        return decode_end(read_payload(self._file, entry))

    def __len__(self) -> int:
        """How many messages there are; less than the last one's `seq` where some were lost."""
        return len(self.columns)

    @overload
    def __getitem__(self, place: int) -> Message: ...
    @overload
    def __getitem__(self, place: slice) -> list[Message]: ...
    def __getitem__(self, place: int | slice) -> Message | list[Message]:
        """The message in a place, from 0; negative ones count from the end, slices give lists."""
        n = len(self)
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(n))]
        if not -n <= place < n:
            raise IndexError(f"{self.path}: has {n} messages, no message {place}")
        return self._message(place % n)

    def _message(self, place: int) -> Message:
        try:
            return self.load(place)
        except KspyError:
            if self._indexed is None:
                raise
            self._distrust_index()
            return self.load(place)

    def load(self, place: int) -> Message:
        """The message in `place` (from 0) among those `known`; never looks for further ones.

        Raises `KspyError` where the file has lost it.
        """
        number = self.chunk_number(place)
        chunk = self.chunk(number)
        if chunk is None:
            self._damaged = True
            raise KspyError(f"{self.path}: message {place} cannot be read any more")
        return chunk.message(place - self._firsts[number])

    def chunk_number(self, place: int) -> int:
        """Which of the chunks `known` has the message in `place`."""
        return bisect_right(self._firsts, place) - 1

    def chunk_places(self, number: int) -> tuple[int, int]:
        """The places of the messages of a chunk: the first, and the one after the last."""
        return self._firsts[number], self._firsts[number + 1]

    def chunk(self, number: int) -> Chunk | None:
        """A chunk by its number among those `known`; None where the file has lost it."""
        columns = self.known
        if not 0 <= number < len(columns.offsets):  # counted by an index that was wrong
            return None
        chunk = self._chunk_at(columns.offsets[number])
        if chunk is None or len(chunk) != columns.sums[number] or chunk.seq != columns.seqs[number]:
            return None
        return chunk

    def _read_chunk_at(self, offset: int) -> Chunk | None:
        entry = read_entry(self._file, self._id, offset)
        if entry is None or entry.kind != "chunk":
            return None
        return read_chunk(self._file, self._id, entry)

    def check(self) -> Iterator[None]:
        """Read all there is, a chunk at a step; at the end `state` is what it is."""
        for _ in self._chunks(self._new_walk()):
            yield

    def _sound(self) -> bool:
        """Can every chunk be read? The index knows messages that are lost, threads must not."""
        for _ in self.check():
            pass
        return not self._damaged

    def _distrust_index(self) -> None:
        """The index names a chunk that is not there: go by what can be read."""
        self._damaged = True
        self._indexed, self._trusts_index = None, False
        self._builder = IndexBuilder()
        self._walk = self._new_walk()
        self._firsts = array("Q", (0,))
        self.grow()

    def threads(self) -> list[Thread]:
        """Every request with all that answers it, in order; what has no known parent is one too."""
        if self.columns is self._indexed and not self._sound():
            self._distrust_index()
        return group(self.columns, self._message)

    @property
    def events(self) -> list[Event]:
        """All events, "gap" included; reads the whole file."""
        events: list[Event] = []
        for item in self._chunks(self._new_walk()):
            if isinstance(item, Placed):
                events += (event for _, event in item.chunk.events)
            else:
                events.append(item)
        return events

    @property
    def state(self) -> State:
        """Is it whole? "damaged" is known only once the damaged part was read."""
        if self._damaged:
            return "damaged"
        if self._end() is not None:
            return "whole"
        return "growing" if self.growing else "cut"

    @property
    def growing(self) -> bool:
        """Is somebody writing it?"""
        return is_being_written(self._file.fileno())

    @property
    def damaged(self) -> bool:
        """Was anything found that the file has lost? See `state`."""
        return self._damaged

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._file.size()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
