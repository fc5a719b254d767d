"""All that went over one connection, numbered and stamped, and recorded where that is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kspy.recording.writer import Writer
from kspy.speak.link import Wire
from kspy.tap.clock import Clock
from kspy.wire.frames import Direction
from kspy.wire.message import ROUTES, Message


class HeldFrames:
    """The frames of one message, in memory."""

    def __init__(self, frames: Sequence[bytes]) -> None:
        self._frames = frames

    def lengths(self, place: int) -> Sequence[int]:
        return [len(frame) for frame in self._frames]

    def load(self, place: int, first: int = 0, stop: int | None = None) -> tuple[list[bytes], bool]:
        return list(self._frames[first:stop]), False

    def piece(self, place: int, frame: int, start: int, stop: int) -> bytes:
        return self._frames[frame][start:stop]


class Log:
    """Makes a message of what passed, with the number that it has in the recording.

    began   was there a connection, so that there is something to tell?
    """

    def __init__(self, session: str, writer: Writer | None) -> None:
        self.began = False
        self._session = session
        self._writer = writer
        self._clock = Clock()
        self._seq = 0

    def add(self, wire: Wire, direction: Direction) -> Message:
        time_ns = self._clock.now()
        route = ROUTES[wire.channel, direction]
        message = Message(self._seq, time_ns, route, 1, wire.flags, 0, HeldFrames(wire.frames))
        if wire.channel == "iopub" and message.parent_header.get("session") != self._session:
            message.client = None
        if self._writer:
            client = message.client or 0
            self._writer.write_route(time_ns, route, wire.frames, client, wire.flags)
        self._seq += 1
        return message

    def event(self, name: str, data: Mapping[str, Any] | None = None) -> None:
        if self._writer:
            self._writer.event(self._clock.now(), name, data)

    def flush(self) -> None:
        if self._writer and self._writer.pending:
            self._writer.flush()
