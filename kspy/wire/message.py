"""A message as its reader sees it: raw frames first, decoded when somebody looks.

Theory of operation: a `Message` holds numbers only. Its frames come from whoever made it (a
recording's chunk), on first use; its dictionaries are decoded from the frames on first use.
Nothing here raises on bad bytes: what does not decode is an empty dictionary and a flag, and
`frames` still has every byte.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from kspy.wire.frames import CHANNELS, DIRECTIONS, Channel, Direction, Parts, split
from kspy.wire.packers import decode

BAD_SIGNATURE: Final = 1
REDELIVERED: Final = 2
RECORDED_FLAGS: Final = {BAD_SIGNATURE: "bad_signature", REDELIVERED: "redelivered"}
"""Flags that only the tap can know, as bits of the recorded flags byte, and their names."""

TO_CLIENT: Final = 8
"""Bit of a route byte; its low three bits are the channel's place in `CHANNELS`."""

ROUTES: dict[tuple[Channel, Direction], int] = {
    (channel, direction): number | (TO_CLIENT if direction == "to_client" else 0)
    for number, channel in enumerate(CHANNELS)
    for direction in DIRECTIONS
}

DICTS = ("header", "parent_header", "metadata", "content")


class Message:
    """One Jupyter message on one channel.

    seq         number in the recording, from 0
    time_ns     when it passed the tap, Unix epoch, nanoseconds
    channel     "shell", "iopub", "stdin", "control" or "hb"
    direction   "to_kernel" or "to_client"
    client      number of the client that sent it, is addressed, or is answered; None if unknown
    frames      every frame as it was on the wire, identities and signature included
    flags       any of: "bad_signature", "redelivered", "malformed" (not the frames of a Jupyter
                message), "undecodable" (a part is neither a JSON nor a msgpack object),
                "msgpack" (decoded from msgpack), "truncated" (the file lost a part of it)
    """

    __slots__ = (
        "_decoded",
        "_frames",
        "_load",
        "_packers",
        "_parts",
        "_recorded_flags",
        "_route",
        "_truncated",
        "client",
        "place",
        "seq",
        "time_ns",
    )

    def __init__(
        self,
        seq: int,
        time_ns: int,
        route: int,
        client: int,
        recorded_flags: int,
        place: int,
        load: Callable[[int], tuple[Sequence[bytes], bool]],
    ) -> None:
        """`load(place)` returns the frames and whether any bytes of them are missing."""
        self.seq = seq
        self.time_ns = time_ns
        self.client = client or None
        self.place = place
        self._route = route
        self._recorded_flags = recorded_flags
        self._load = load
        self._frames: Sequence[bytes] | None = None

    @property
    def channel(self) -> Channel:
        return CHANNELS[self._route & 7]

    @property
    def direction(self) -> Direction:
        return "to_client" if self._route & TO_CLIENT else "to_kernel"

    @property
    def frames(self) -> Sequence[bytes]:
        if self._frames is None:
            self._frames, self._truncated = self._load(self.place)
            self._parts: Parts | None = split(self._frames) if self.channel != "hb" else None
            self._decoded: dict[str, dict[str, Any] | None] = {}
            self._packers: set[str] = set()
        return self._frames

    @property
    def parts(self) -> Parts | None:
        """The frames by their meaning; None for heartbeats and for malformed messages."""
        _ = self.frames
        return self._parts

    def _decode(self, name: str) -> dict[str, Any] | None:
        parts = self.parts
        if parts is None:
            return None
        if name not in self._decoded:
            decoded = decode(getattr(parts, name))
            self._decoded[name] = decoded.value if decoded else None
            if decoded:
                self._packers.add(decoded.packer)
        return self._decoded[name]

    @property
    def header(self) -> dict[str, Any]:
        return self._decode("header") or {}

    @property
    def parent_header(self) -> dict[str, Any]:
        return self._decode("parent_header") or {}

    @property
    def metadata(self) -> dict[str, Any]:
        return self._decode("metadata") or {}

    @property
    def content(self) -> dict[str, Any]:
        return self._decode("content") or {}

    @property
    def buffers(self) -> Sequence[bytes]:
        return self.parts.buffers if self.parts else ()

    @property
    def msg_type(self) -> str:
        """The header's `msg_type`; "" for heartbeats and where there is none."""
        return text(self.header.get("msg_type"))

    @property
    def msg_id(self) -> str:
        return text(self.header.get("msg_id"))

    @property
    def parent_id(self) -> str:
        """The `msg_id` of the parent header, or ""."""
        return text(self.parent_header.get("msg_id"))

    @property
    def size(self) -> int:
        """Bytes on the wire, all frames together, without ZeroMQ's own framing."""
        return sum(map(len, self.frames))

    @property
    def flags(self) -> tuple[str, ...]:
        flags = [name for bit, name in RECORDED_FLAGS.items() if self._recorded_flags & bit]
        if self.channel != "hb":
            if self.parts is None:
                flags.append("malformed")
            elif any(self._decode(name) is None for name in DICTS):
                flags.append("undecodable")
            if "msgpack" in self._packers:
                flags.append("msgpack")
        if self._truncated:
            flags.append("truncated")
        return tuple(flags)

    def __repr__(self) -> str:
        return (
            f"<Message {self.seq} {self.channel} {self.direction} {self.msg_type or 'no type'}"
            f" {self.size} bytes>"
        )


def text(value: object) -> str:
    """`value` if it is a string, else "": headers from strangers hold anything."""
    return value if isinstance(value, str) else ""
