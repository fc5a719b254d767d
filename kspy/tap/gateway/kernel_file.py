"""The recording of one kernel, and the clients that speak with it over WebSockets.

The disk may be slower than the kernel. What it has not taken waits in memory up to a limit; what
is beyond that is counted, and becomes a gap. So nobody who records ever waits for the disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kspy.recording.writer import Writer
from kspy.tap.chunks import CHUNK_MESSAGES, CHUNK_NS

WAITING_LIMIT: Final = 256 << 20
IDLE_NS: Final = 300 * 1_000_000_000
_TOO_SLOW: Final = "the disk was too slow, and too much was waiting for it"


@dataclass(slots=True)
class _Message:
    time_ns: int
    route: int
    payload: bytes
    client: int
    flags: int


@dataclass(slots=True)
class _Event:
    time_ns: int
    name: str
    data: Mapping[str, Any]


@dataclass(slots=True)
class _Lost:
    time_ns: int
    count: int


class KernelFile:
    """Used from one thread.

    lost          messages that there was no room for
    connections   WebSockets that are open
    over          was the kernel deleted?
    closed        no more can be written
    """

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.lost = 0
        self.connections = 0
        self.over = False
        self.closed = False
        self._used_ns = 0
        self._clients: dict[str, int] = {}
        self._count = 0
        self._waiting: deque[_Message | _Event | _Lost] = deque()
        self._waiting_bytes = 0
        self._flushed_ns = 0
        self._flushed_seq = 0

    def client(self, session: str) -> int:
        """The number of the client with this session, from 1; "" is always somebody new."""
        number = self._clients.get(session, 0)
        if not number:
            self._count += 1
            number = self._count
            if session:
                self._clients[session] = number
        return number

    def message(self, time_ns: int, route: int, payload: bytes, client: int, flags: int) -> None:
        self._used_ns = time_ns
        if self._waiting_bytes + len(payload) > WAITING_LIMIT and self._behind:
            self._lose(time_ns)
            return
        self._add(_Message(time_ns, route, payload, client, flags), len(payload))

    def event(self, time_ns: int, name: str, data: Mapping[str, Any]) -> None:
        self._used_ns = time_ns
        self._add(_Event(time_ns, name, data), 0)

    def is_idle(self, now_ns: int) -> bool:
        """Has nobody had a use for it for `IDLE_NS`?

        A kernel that its server ends by itself is never said to be over, and after a request that
        ended one a WebSocket may stay open: no file is kept open for those.
        """
        unused = now_ns - self._used_ns > IDLE_NS and not self._behind
        return unused and (self.over or not self.connections)

    def tick(self, now_ns: int) -> None:
        """Call often: write what waited, and what has been lying for long enough."""
        while self._waiting and not self.writer.behind:
            self._write(self._next())
        if now_ns - self._flushed_ns > CHUNK_NS and not self.writer.behind:
            self._flushed_ns = now_ns
            self._flush()

    def close(self) -> None:
        """Write all there is; this one waits for the disk."""
        self.closed = True
        while self._waiting:
            self._write(self._next())
        self.writer.close()

    @property
    def _behind(self) -> bool:
        return bool(self._waiting) or self.writer.behind

    def _lose(self, time_ns: int) -> None:
        self.lost += 1
        last = self._waiting[-1] if self._waiting else None
        if isinstance(last, _Lost):
            last.count += 1
        else:
            self._waiting.append(_Lost(time_ns, 1))

    def _add(self, item: _Message | _Event, size: int) -> None:
        if self._behind:
            self._waiting.append(item)
            self._waiting_bytes += size
        else:
            self._write(item)

    def _next(self) -> _Message | _Event | _Lost:
        item = self._waiting.popleft()
        if isinstance(item, _Message):
            self._waiting_bytes -= len(item.payload)
        return item

    def _write(self, item: _Message | _Event | _Lost) -> None:
        writer = self.writer
        if isinstance(item, _Message):
            writer.write_route(item.time_ns, item.route, [item.payload], item.client, item.flags)
            if writer.seq - self._flushed_seq >= CHUNK_MESSAGES and not writer.behind:
                self._flush()
        elif isinstance(item, _Event):
            writer.event(item.time_ns, item.name, item.data)
        else:
            writer.skip(item.count)
            writer.event(item.time_ns, "gap", {"lost": item.count, "why": _TOO_SLOW})

    def _flush(self) -> None:
        self.writer.flush()
        self._flushed_seq = self.writer.seq
