"""A message as its reader sees it: raw frames first, decoded when somebody looks.

Theory of operation: a `Message` holds numbers only. Its frames come from whoever made it (a
recording's chunk), on first use; its dictionaries are decoded from the frames on first use.
Nothing here raises on bad bytes: what does not decode is an empty dictionary and a flag, and
`frames` still has every byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from kspy.wire.frames import (
    CHANNELS,
    DELIMITER,
    DIRECTIONS,
    Channel,
    Direction,
    Parts,
    split,
)
from kspy.wire.packers import DECODE_LIMIT as DECODE_LIMIT
from kspy.wire.packers import decode
from kspy.wire.websocket import (
    ENCODINGS,
    NOWHERE,
    PARTS,
    Encoding,
    Layout,
    cut,
    find,
    known_channel,
)

BAD_SIGNATURE: Final = 1
REDELIVERED: Final = 2
TRUNCATED: Final = 4
RECORDED_FLAGS: Final = {BAD_SIGNATURE: "bad_signature", REDELIVERED: "redelivered"}
"""Flags that only the tap can know, as bits of the recorded flags byte, and their names."""

ENCODED: Final = 24
"""Bits of the recorded flags byte that say how the message is encoded; 0 for ZeroMQ frames."""

_ENCODED_SHIFT: Final = 3

TO_CLIENT: Final = 8
"""Bit of a route byte; its low three bits are the channel's place in `CHANNELS`."""

ROUTES: dict[tuple[Channel, Direction], int] = {
    (channel, direction): number | (TO_CLIENT if direction == "to_client" else 0)
    for number, channel in enumerate(CHANNELS)
    for direction in DIRECTIONS
}

DICTS = PARTS

_BEFORE_DICTS: Final = 2
_BEFORE_BUFFERS: Final = 6
"""Frames from the delimiter to the header, and to the first buffer."""

_LOOKED_AT: Final = 64
"""Frames of a message larger than that among which its delimiter is looked for."""


class FrameSource(Protocol):
    """Who holds a message's frames. `place` is a message's place among the source's."""

    def lengths(self, place: int) -> Sequence[int]:
        """How long each frame is."""

    def load(self, place: int, first: int = 0, stop: int | None = None) -> tuple[list[bytes], bool]:
        """Frames `first` to `stop`; and whether some of their bytes are missing."""

    def piece(self, place: int, frame: int, start: int, stop: int) -> bytes:
        """Some bytes of a frame, fewer where it ends or bytes are missing."""


def encoding_bits(encoding: Encoding) -> int:
    """What `encoding` is in the recorded flags byte."""
    return ENCODINGS.index(encoding) << _ENCODED_SHIFT


def encoding_in(recorded_flags: int) -> Encoding:
    """What a recorded flags byte says of the encoding."""
    return ENCODINGS[(recorded_flags & ENCODED) >> _ENCODED_SHIFT]


class Message:
    """One Jupyter message on one channel.

    seq         number in the recording, from 0
    time_ns     when it passed the tap, Unix epoch, nanoseconds
    channel     "shell", "iopub", "stdin", "control" or "hb"
    direction   "to_kernel" or "to_client"
    client      number of the client that sent it, is addressed, or is answered; None if unknown
    frames      every frame as it was on the wire, identities and signature included; over
                WebSocket one, the WebSocket message's payload
    encoding    "zmq", or how that payload is encoded: "json", "binary" or "v1"
    flags       any of: "bad_signature", "redelivered", "malformed" (not the frames of a Jupyter
                message), "undecodable" (a part is neither a JSON nor a msgpack object),
                "msgpack" (decoded from msgpack), "truncated" (the file lost a part of it),
                "oversized" (a part is too long to be decoded; `frames` has it),
                "no_channel" (it names no channel that there is)
    """

    __slots__ = (
        "_decoded", "_frames", "_layout", "_packers", "_parts", "_place", "_route", "_source",
        "_truncated", "client", "recorded_flags", "seq", "time_ns",
    )  # fmt: skip

    def __init__(
        self,
        seq: int,
        time_ns: int,
        route: int,
        client: int,
        recorded_flags: int,
        place: int,
        source: FrameSource,
    ) -> None:
        self.seq = seq
        self.time_ns = time_ns
        self.client = client or None
        self._route = route
        self.recorded_flags = recorded_flags
        self._place = place
        self._source = source
        self._truncated = bool(recorded_flags & TRUNCATED)
        self._frames: Sequence[bytes] | None = None
        self._decoded: dict[str, dict[str, Any] | None] | None = None

    @property
    def channel(self) -> Channel:
        return CHANNELS[self._route & 7]

    @property
    def direction(self) -> Direction:
        return "to_client" if self._route & TO_CLIENT else "to_kernel"

    @property
    def encoding(self) -> Encoding:
        return encoding_in(self.recorded_flags)

    @property
    def frames(self) -> Sequence[bytes]:
        if self._frames is None:
            self._frames, cut = self._source.load(self._place)
            self._truncated = self._truncated or cut
        return self._frames

    @property
    def truncated(self) -> bool:
        """Are some bytes of the frames lost?"""
        _ = self.frames
        return self._truncated

    @property
    def frame_sizes(self) -> Sequence[int]:
        """Bytes of each frame, known without loading them."""
        return self._source.lengths(self._place)

    def frame_head(self, frame: int, size: int) -> bytes:
        """The first `size` bytes of a frame, without loading the rest of the message."""
        return self._source.piece(self._place, frame, 0, size)

    def buffer_head(self, buffer: int, size: int) -> bytes:
        """The first `size` bytes of a buffer, without loading the rest of the message."""
        if self.parts is None:
            return b""
        if self._layout is None:
            return self.frame_head(len(self.parts.identities) + _BEFORE_BUFFERS + buffer, size)
        start, stop = self._layout.buffers[buffer]
        return self._source.piece(self._place, 0, start, min(start + size, stop))

    @property
    def size(self) -> int:
        """Bytes on the wire, all frames together, without ZeroMQ's own framing."""
        return sum(self.frame_sizes)

    @property
    def parts(self) -> Parts | None:
        """The frames by their meaning; None for heartbeats and for malformed messages.

        Of a message larger than `DECODE_LIMIT` it has the small parts only; others are empty.
        """
        if self._decoded is None:
            self._decoded = {}
            self._packers: set[str] = set()
            self._parts: Parts | None = None
            self._layout: Layout | None = None
            large = self.size > DECODE_LIMIT
            if self.channel != "hb" and self.recorded_flags & ENCODED:
                self._parts = self._split_payload(large)
            elif self.channel != "hb":
                self._parts = split(self._small_frames() if large else self.frames)
        return self._parts

    def _split_payload(self, large: bool) -> Parts | None:
        """The parts of a message over WebSocket."""
        if len(self.frame_sizes) != 1:
            return None
        payload = self.frame_head(0, DECODE_LIMIT) if large else self.frames[0]
        self._layout = find(payload, self.encoding, self.size)
        return cut(payload, self._layout) if self._layout else None

    def part_size(self, name: str) -> int:
        """Bytes of one of `DICTS`, however large the message is."""
        if self.parts is None:
            return 0
        place = DICTS.index(name)
        if self._layout is None:
            return self.frame_sizes[len(self.parts.identities) + _BEFORE_DICTS + place]
        start, stop = self._layout.parts[place]
        return stop - start

    def _small_frames(self) -> list[bytes]:
        """The frames up to the content, within `DECODE_LIMIT`, others left empty; no buffers."""
        frames: list[bytes] = []
        room, stop = DECODE_LIMIT, _LOOKED_AT
        for number, size in enumerate(self.frame_sizes[:_LOOKED_AT]):
            if number >= stop:
                break
            if size > room:
                frames.append(b"")
                continue
            room -= size
            loaded, cut = self._source.load(self._place, number, number + 1)
            frames += loaded
            self._truncated = self._truncated or cut
            if frames[-1] == DELIMITER and stop == _LOOKED_AT:
                stop = number + _BEFORE_BUFFERS
        return frames

    def _decode(self, name: str) -> dict[str, Any] | None:
        parts = self.parts
        if parts is None or self._decoded is None:
            return None
        if name not in self._decoded:
            if self._may_lack(name):
                return self._decoded.setdefault(name, {})
            only_json = self.encoding in ("json", "binary")
            decoded = decode(getattr(parts, name), only_json=only_json)
            self._decoded[name] = decoded.value if decoded else None
            if decoded:
                self._packers.add(decoded.packer)
        return self._decoded[name]

    def _may_lack(self, name: str) -> bool:
        """Is it a part that a JSON object does not have, and need not?"""
        layout = self._layout
        if layout is None or not layout.whole or name == "header":
            return False
        return layout.parts[DICTS.index(name)] == NOWHERE

    def decodes(self, name: str) -> bool:
        """Can one of `DICTS` be read?"""
        return self._decode(name) is not None

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
        if self.parts is None:
            return ()
        if self._layout is not None:
            return [self.frames[0][start:stop] for start, stop in self._layout.buffers]
        return self.frames[len(self.parts.identities) + _BEFORE_BUFFERS :]

    @property
    def buffer_sizes(self) -> Sequence[int]:
        """Bytes of each buffer, known without loading them."""
        if self.parts is None:
            return ()
        if self._layout is not None:
            return [stop - start for start, stop in self._layout.buffers]
        return self.frame_sizes[len(self.parts.identities) + _BEFORE_BUFFERS :]

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
    def flags(self) -> tuple[str, ...]:
        flags = [name for bit, name in RECORDED_FLAGS.items() if self.recorded_flags & bit]
        if self.channel != "hb":
            readable = [self.decodes(name) for name in DICTS]
            if self.parts is None:
                flags.append("malformed")
            elif not all(readable):
                flags.append("undecodable" if self.size <= DECODE_LIMIT else "oversized")
            if self._layout and not known_channel(self._layout.channel):
                flags.append("no_channel")
            if "msgpack" in self._packers:
                flags.append("msgpack")
        else:
            _ = self.size > DECODE_LIMIT or self.frames  # to learn whether they are all there
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
