"""Messages and recordings for tests, made by jupyter_client's own Session and kspy's own writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from jupyter_client.session import Session

from kspy.recording.writer import Writer
from kspy.wire.frames import Channel, Direction
from kspy.wire.message import ROUTES, Message

START_NS = 1_795_208_400_123_456_789  # 2026-11-20T21:00:00.123456789Z
MILLISECOND = 1_000_000

SESSION = Session(key=b"secret")


class Frames:
    """One message's frames, as a source for `Message`."""

    def __init__(self, frames: Sequence[bytes]) -> None:
        self._frames = list(frames)

    def lengths(self, place: int) -> Sequence[int]:
        return [len(frame) for frame in self._frames]

    def load(self, place: int, first: int = 0, stop: int | None = None) -> tuple[list[bytes], bool]:
        return self._frames[first:stop], False

    def piece(self, place: int, frame: int, start: int, stop: int) -> bytes:
        return self._frames[frame][start:stop]


def of_frames(
    frames: Sequence[bytes], channel: Channel = "iopub", direction: Direction = "to_client"
) -> Message:
    return Message(0, START_NS, ROUTES[channel, direction], 0, 0, 0, Frames(frames))


def serialize(
    msg_type: str,
    content: Mapping[str, Any],
    parent: Mapping[str, Any] | None = None,
    buffers: Sequence[bytes] = (),
    header: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], list[bytes]]:
    """The message, to be a parent of others, and its frames."""
    message: dict[str, Any] = SESSION.msg(msg_type, dict(content), parent=parent)
    message["header"].update(header or {})
    return message, [*SESSION.serialize(message, ident=b"client"), *buffers]


def message(
    msg_type: str,
    content: Mapping[str, Any],
    channel: Channel = "iopub",
    direction: Direction = "to_client",
    buffers: Sequence[bytes] = (),
    header: Mapping[str, Any] | None = None,
) -> Message:
    _, frames = serialize(msg_type, content, None, buffers, header)
    return of_frames(frames, channel, direction)


class Conversation:
    """Writes a recording in which a message takes a millisecond. A context manager."""

    def __init__(self, path: Path, metadata: Mapping[str, Any] | None = None) -> None:
        self.writer = Writer(path, metadata or {"kernel_name": "python3"})
        self.now_ns = START_NS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.close()

    def raw(
        self, channel: Channel, direction: Direction, frames: Sequence[bytes], client: int = 0
    ) -> None:
        self.writer.write(self.now_ns, channel, direction, frames, client=client)
        self.now_ns += MILLISECOND

    def event(self, name: str, **data: Any) -> None:
        self.writer.event(self.now_ns, name, data)

    def ask(
        self,
        msg_type: str,
        content: Mapping[str, Any] | None = None,
        channel: Channel = "shell",
        client: int = 1,
    ) -> dict[str, Any]:
        """A client's request. Returns it, as the parent of what answers it."""
        request, frames = serialize(msg_type, content or {})
        self.raw(channel, "to_kernel", frames, client)
        return request

    def reply(
        self,
        request: Mapping[str, Any],
        content: Mapping[str, Any] | None = None,
        channel: Channel = "shell",
        client: int = 1,
    ) -> None:
        msg_type = request["header"]["msg_type"].replace("_request", "_reply")
        _, frames = serialize(msg_type, {"status": "ok", **(content or {})}, request)
        self.raw(channel, "to_client", frames, client)

    def publish(
        self,
        msg_type: str,
        content: Mapping[str, Any],
        request: Mapping[str, Any] | None = None,
        buffers: Sequence[bytes] = (),
    ) -> None:
        _, frames = serialize(msg_type, content, request, buffers)
        self.raw("iopub", "to_client", frames)

    def status(self, state: str, request: Mapping[str, Any] | None = None) -> None:
        self.publish("status", {"execution_state": state}, request)

    def division_by_zero(self, client: int = 1) -> None:
        """Six messages: a cell that fails."""
        failure = {"ename": "ZeroDivisionError", "evalue": "division by zero", "traceback": []}
        request = self.ask("execute_request", {"code": "1/0"}, client=client)
        self.status("busy", request)
        self.publish("execute_input", {"code": "1/0", "execution_count": 4}, request)
        self.publish("error", failure, request)
        self.reply(request, {"status": "error", "execution_count": 4, **failure}, client=client)
        self.status("idle", request)
