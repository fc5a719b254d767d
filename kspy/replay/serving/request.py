"""A message that a client sent to the served kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kspy.speak.log import HeldFrames
from kspy.wire.frames import DELIMITER, Channel
from kspy.wire.message import ROUTES, Message, text

_CONTENT: Final = 5


class Request:
    """What a client sent, and where its answers go. `raw_header` is the answers' parent header.

    identities   the routing prefix of its client: shell, control and stdin share it
    """

    __slots__ = ("channel", "frames", "identities", "message", "msg_type", "raw_header")

    def __init__(self, channel: Channel, frames: Sequence[bytes], at: int) -> None:
        """`at` is the delimiter's place in `frames`; at least four frames follow the signature."""
        self.channel = channel
        self.frames = frames
        self.identities = list(frames[:at])
        self.raw_header = frames[at + 2]
        self.message = _message(channel, frames)
        self.msg_type = self.message.msg_type

    @property
    def content(self) -> dict[str, Any]:
        return self.message.content

    @property
    def client(self) -> bytes:
        """Who asked."""
        return self.identities[0] if self.identities else b""

    @property
    def subshell(self) -> str:
        """The subshell that is to answer; "" for the main one."""
        return text(self.message.header.get("subshell_id"))

    @property
    def speaks_msgpack(self) -> bool:
        """Is its client's packer msgpack? Then it reads nothing else."""
        return "msgpack" in self.message.flags

    def with_content(self, content: bytes) -> Message:
        """The same message with another content."""
        frames = list(self.frames)
        frames[len(self.identities) + _CONTENT] = content
        return _message(self.channel, frames)


def _message(channel: Channel, frames: Sequence[bytes]) -> Message:
    return Message(0, 0, ROUTES[channel, "to_kernel"], 0, 0, 0, HeldFrames(frames))


def delimiter_of(frames: Sequence[bytes]) -> int | None:
    """Where the delimiter of a whole message is; None for what is no Jupyter message."""
    try:
        at = frames.index(DELIMITER)
    except ValueError:
        return None
    return at if at + 6 <= len(frames) else None
