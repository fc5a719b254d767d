"""All that went over one connection, numbered and stamped, and recorded where that is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kspy.recording.writer import Writer
from kspy.speak.link import Wire
from kspy.tap.clock import Clock
from kspy.wire.frames import Direction
from kspy.wire.message import ROUTES, Message, text


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
        self._clients = {session: 1}
        self._writer = writer
        self._clock = Clock()
        self._seq = 0

    def know(self, session: str, client: int) -> None:
        """Messages of this session, and what is published for them, are this client's."""
        self._clients[session] = client

    def add(self, wire: Wire, direction: Direction, client: int = 1) -> Message:
        """What is published is the client's who asked for it; `client` sent or gets others."""
        message = self.stamp(wire, direction, client)
        self.keep(message)
        return message

    def stamp(self, wire: Wire, direction: Direction, client: int) -> Message:
        """The message that passes now, which is not in the recording unless it is kept."""
        route = ROUTES[wire.channel, direction]
        frames = HeldFrames(wire.frames)
        message = Message(self._seq, self._clock.now(), route, client, wire.flags, 0, frames)
        if wire.channel == "iopub":
            message.client = self._clients.get(text(message.parent_header.get("session"))) or None
        return message

    def keep(self, message: Message) -> None:
        if self._writer:
            self._writer.write_route(
                message.time_ns,
                ROUTES[message.channel, message.direction],
                message.frames,
                message.client or 0,
                message.recorded_flags,
            )
        self._seq += 1

    def event(self, name: str, data: Mapping[str, Any] | None = None) -> None:
        if self._writer:
            self._writer.event(self._clock.now(), name, data)

    def flush(self) -> None:
        if self._writer and self._writer.pending:
            self._writer.flush()
