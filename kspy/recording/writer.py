"""Write a `.kspy` file.

Theory of operation: `write` only collects; when a chunk is full, or `flush` is called, the chunk
goes to a thread that joins, compresses, indexes and writes it. zstd and the disk hold no
interpreter lock, so the caller goes on meanwhile. What is written is never touched again; after
a failed write the file is cut back to the last whole entry, and the chunk waits, with those that
follow, until there is room again. Only what then waits beyond a limit, or to the end, is lost.
"""

from __future__ import annotations

import contextlib
import os
import queue
import stat
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from kspy.errors import KspyError
from kspy.recording.chunk import CHUNK_BYTES, CHUNK_FRAMES, ChunkBuilder
from kspy.recording.event import Event
from kspy.recording.format import (
    ID_SIZE,
    End,
    compress,
    encode_end,
    encode_entry,
    encode_header,
    pack,
)
from kspy.recording.index import Columns, IndexBuilder
from kspy.recording.lock import lock_for_writing
from kspy.wire.frames import Channel, Direction
from kspy.wire.message import ROUTES, encoding_bits
from kspy.wire.websocket import Encoding

_WAITING_CHUNKS = 32
_LAST_CLIENT = (1 << 16) - 1
_BACKLOG_BYTES = 128 << 20


class Writer:
    """A recording being written. Use it as a context manager, from one thread.

    `on_error` is called, from the writing thread, with one line when writing begins to fail, and
    with None when it works again; `on_start` is the first that this thread calls.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        metadata: Mapping[str, Any] | None = None,
        *,
        overwrite: bool = False,
        on_error: Callable[[str | None], None] | None = None,
        on_start: Callable[[], None] = lambda: None,
    ) -> None:
        """Create the file, mode 0600. Raises `KspyError` if it exists (unless `overwrite`)."""
        self.path = os.fspath(path)
        self._on_start = on_start
        self._on_error = on_error or (lambda _: None)
        self._file = _create(self.path, overwrite)
        self._id = os.urandom(ID_SIZE)
        created = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        header = encode_header({"created": created, **(metadata or {})}, self._id)
        self._size = 0
        try:
            self._append(header)
        except OSError as error:
            os.close(self._file)
            with contextlib.suppress(OSError):
                Path(self.path).unlink()  # a file without a header is nothing to anybody
            raise KspyError(f"{self.path}: cannot be written: {error.strerror}") from error
        self._index = IndexBuilder()
        self._blocks: list[Columns] = []
        self._failing = False
        self.lost = 0
        self._open = ChunkBuilder(0)
        self._backlog: deque[ChunkBuilder] = deque()
        self._queue: queue.Queue[ChunkBuilder | None] = queue.Queue(_WAITING_CHUNKS)
        self._thread = threading.Thread(target=self._run, name="kspy-writer", daemon=True)
        self._thread.start()

    @property
    def seq(self) -> int:
        """The number that the next message gets."""
        return self._open.seq + len(self._open.rows)

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._size

    @property
    def pending(self) -> bool:
        """Is there anything that `flush` would write?"""
        return bool(self._open)

    @property
    def behind(self) -> bool:
        """Would `flush`, or a message or event that fills a chunk, wait for the disk?"""
        return self._queue.full()

    @property
    def failing(self) -> bool:
        """Is what should be written being lost at the moment?"""
        return self._failing

    def write(
        self,
        time_ns: int,
        channel: Channel,
        direction: Direction,
        frames: Sequence[bytes],
        *,
        client: int = 0,
        flags: int = 0,
        encoding: Encoding = "zmq",
    ) -> None:
        """Append a message. `client` is its number, 0 if unknown; `flags` as in docs/format.md.

        Over WebSocket there is one frame, the payload; `encoding` says how it is to be read.
        """
        flags |= encoding_bits(encoding)
        self.write_route(time_ns, ROUTES[channel, direction], frames, client, flags)

    def write_route(
        self, time_ns: int, route: int, frames: Sequence[bytes], client: int, flags: int
    ) -> None:
        """As `write`, with channel and direction as a route byte of docs/format.md."""
        if len(frames) > CHUNK_FRAMES:
            self.flush()  # should it be too much for any chunk, then it alone is lost
        if client > _LAST_CLIENT:
            client = 0
        if self._open.add(time_ns, route, client, flags, frames):
            self.flush()

    def event(self, time_ns: int, name: str, data: Mapping[str, Any] | None = None) -> None:
        """Append an event; it comes before the next message. Data beyond a mebibyte is left out."""
        size = len(pack(data or {}))
        if size > CHUNK_BYTES:
            data, size = {"left_out": size}, 0
        if self._open.add_event(Event(self.seq, time_ns, name, data or {}), size):
            self.flush()

    def skip(self, messages: int) -> None:
        """Leave out as many numbers: messages that are known to be missing."""
        self.flush()
        self._open.seq += messages

    def flush(self) -> None:
        """Close the open chunk, so that it will be in the file in a moment."""
        if self._open:
            chunk, self._open = self._open, ChunkBuilder(self.seq)
            self._queue.put(chunk)

    def close(self) -> None:
        """Write what is left, the index and the end."""
        if self._file < 0:
            return
        self.flush()
        self._queue.put(None)
        self._thread.join()
        os.close(self._file)
        self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What follows runs in the writing thread.

    def _run(self) -> None:
        self._on_start()
        while (chunk := self._queue.get()) is not None:
            if sum(waiting.size for waiting in self._backlog) > _BACKLOG_BYTES:
                self.lost += len(chunk.rows)
            else:
                self._backlog.append(chunk)
                self._write_backlog()
        self._write_backlog(last_try=True)
        try:
            self._write_end()
        except OSError as error:
            self._fail(error.strerror)

    def _write_backlog(self, *, last_try: bool = False) -> None:
        """Write what waits; what cannot be written goes on waiting, or, in the end, is lost."""
        while self._backlog:
            chunk = self._backlog[0]
            start = self._size
            try:
                self._write_chunk(chunk)
            except (ValueError, OverflowError) as error:  # fits no chunk, however often tried
                self._size = start
                self._fail(str(error))
                self.lost += len(chunk.rows)
            except OSError as error:
                self._size = start
                self._fail(error.strerror)
                if not last_try:
                    return
                self.lost += len(chunk.rows)
            self._backlog.popleft()

    def _write_chunk(self, chunk: ChunkBuilder) -> None:
        start = self._size
        for kind, content in chunk.encode():
            self._append(encode_entry(kind, self._id, compress(content)))
        self._index.add_chunk(
            chunk.seq,
            start,
            chunk.rows,
            chunk.lengths,
            chunk.frames,
            [event for _, event in chunk.events],
        )
        if self._failing:
            self._failing = False
            self._on_error(None)
        if self._index.full:
            self._blocks.append(self._index.take())

    def _write_end(self) -> None:
        previous = 0
        start = self._size
        try:
            for columns in [*self._blocks, self._index.take()]:
                payload = compress(columns.encode(previous))
                previous = self._append(encode_entry("index", self._id, payload))
        except ValueError:  # absurdly long message types: go without an index
            previous = 0
            self._cut_back(start)
        self._append(encode_end(self._id, End(previous, self.seq)))

    def _cut_back(self, size: int) -> None:
        os.ftruncate(self._file, size)
        os.lseek(self._file, size, os.SEEK_SET)
        self._size = size

    def _fail(self, why: str | None) -> None:
        self._cut_back(self._size)
        if not self._failing:
            self._failing = True
            self._on_error(f"{self.path}: not recording: {why}")

    def _append(self, data: bytes) -> int:
        """Write all of `data` at the end of the file; return where it begins."""
        start = self._size
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        self._size = start + len(data)
        return start


def _create(path: str, overwrite: bool) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | (0 if overwrite else os.O_EXCL)
    try:
        file = os.open(path, flags, 0o600)
    except FileExistsError as error:
        raise KspyError(f"{path}: exists already; --force writes over it") from error
    except OSError as error:
        raise KspyError(f"{path}: cannot be written: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise KspyError(f"{path}: cannot be written: it is no regular file")
    if not lock_for_writing(file):
        if not overwrite and os.fstat(file).st_size == 0:  # made here, and nobody's recording
            with contextlib.suppress(OSError):
                Path(path).unlink()
        os.close(file)
        raise KspyError(f"{path}: another kspy is recording to it")
    try:
        os.fchmod(file, 0o600)
        os.ftruncate(file, 0)
    except OSError as error:
        os.close(file)
        raise KspyError(f"{path}: cannot be written: {error.strerror}") from error
    return file
