"""A Jupyter message as it travels over a WebSocket between a client and a Jupyter server.

One WebSocket message is one Jupyter message, without identities and without a signature. Rules:
Jupyter Server's developer documentation, "WebSocket kernel wire protocols". There are

    json     the default protocol, as text: a JSON object of header, parent_header, metadata,
             content, channel, buffers (`[]`; some clients write `{}`)
    binary   the default protocol, with buffers: u32 count, as many u32 offsets, big-endian; then
             such a JSON object, then the buffers. Each goes to the next offset, the last to the end
    v1       `v1.kernel.websocket.jupyter.org`: u64 count, as many u64 offsets, little-endian; then
             channel, header, parent_header, metadata, content and buffers, each to the next offset

Theory of operation: parts are found, not decoded. A part is where its bytes are in the payload,
so nothing is copied or written anew, and bytes that are no JSON cost only the part they are in.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from operator import le
from typing import Any, Final, Literal, NamedTuple

import orjson

from kspy.wire.frames import CHANNELS, Channel, Parts
from kspy.wire.packers import DECODE_LIMIT, decode, encode, has_too_many_items

Encoding = Literal["zmq", "json", "binary", "v1"]
Span = tuple[int, int]

ENCODINGS: Final[tuple[Encoding, ...]] = ("zmq", "json", "binary", "v1")
"""How the bytes of a message are laid out; a place here is the number in the recorded flags."""

ENCODING_NAMES: Final[Mapping[Encoding, str]] = {
    "zmq": "ZeroMQ",
    "json": "WebSocket text",
    "binary": "WebSocket binary",
    "v1": "WebSocket v1",
}

V1: Final = "v1.kernel.websocket.jupyter.org"
"""The subprotocol's name, as in the header `Sec-WebSocket-Protocol`."""

PARTS: Final = ("header", "parent_header", "metadata", "content")

COUNT_LIMIT: Final = 1 << 18
"""Offsets that a payload may have: more than any client sends, less than hurts."""

MESSAGE_LIMIT: Final = 1 << 30
"""Bytes of a message that is taken from a WebSocket; a few compressed ones can claim any size."""

LARGE: Final = 1 << 20
"""Bytes of JSON from which on as little of it is read as will do: to read all of it stops
everything else for a moment."""

NOWHERE: Final[Span] = (0, 0)
"""Where a part is that a JSON object does not have."""

_MEMBERS: Final = {name.encode(): name for name in (*PARTS, "channel")}

# What is between two brackets that belong together may be skipped without being understood. Up to
# a depth that nearly all messages keep to, that is one expression; it never goes back, so it takes
# a time in proportion to the bytes.
_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_DEPTH: Final = 8


def _nested(depth: int) -> bytes:
    plain = rb'[^\[\]{}"]++|' + _STRING
    inner = plain + (rb"|" + _nested(depth - 1) if depth else b"")
    return rb"[\[{](?:" + inner + rb")*+[\]}]"


_SPACE: Final = rb"[ \t\r\n]*+"
_KEY: Final = re.compile(_SPACE + b"(" + _STRING + b")" + _SPACE + b":" + _SPACE, re.DOTALL)
_VALUE: Final = re.compile(
    b"(?:" + _nested(_DEPTH) + b"|" + _STRING + rb'|[^\[\]{}",: \t\r\n]++)', re.DOTALL
)
_NEXT: Final = re.compile(_SPACE + b"([,}])")
_OPEN: Final = re.compile(_SPACE + rb"\{")
_EMPTY: Final = re.compile(_SPACE + rb"\{" + _SPACE + rb"\}")
_REST: Final = re.compile(_SPACE + rb"\Z")
_UNENDED: Final = _STRING[:-1] + rb'(?:"|\\?\Z)'
_BRACKETS: Final = re.compile(_UNENDED + rb"|([\[{])|([\]}])", re.DOTALL)

_END: Final = 256
_CHANNEL_LAST: Final = re.compile(
    rb',\s*"channel"\s*:\s*"(\w+)"\s*(?:,\s*"buffers"\s*:\s*(?:\[\s*\]|\{\s*\})\s*)?\}\s*\Z'
)
"""Before a JSON object's closing bracket this is a member of it, and the last of its name."""


class Layout(NamedTuple):
    """Where the parts are: the place of the first byte of each, and of the one after its last.

    channel   as the message has it; "" where it has none. It may be anything
    parts     of header, parent_header, metadata, content; both places 0 where there is none
    whole     was the message there to the end of its JSON object, so that no part can follow?
    """

    channel: str
    parts: Sequence[Span]
    buffers: Sequence[Span]
    whole: bool = True


class WebSocketMessage(NamedTuple):
    """`channel` as the message has it, "" where it has none; it may be anything.

    The parts have neither identities nor a signature, and b"" for what is missing.
    """

    channel: str
    parts: Parts


def encoding_of(*, text: bool, subprotocol: str | None) -> Encoding:
    """How a message is encoded: is it `text`, and on which protocol have both sides agreed?"""
    if text:
        return "json"
    return "v1" if subprotocol == V1 else "binary"


def channel_of(payload: bytes, encoding: Encoding) -> Channel:
    """The channel to record a message under: shell, as the server has it, where it names none."""
    start, stop = _json_span(payload, encoding)
    if stop - start > LARGE:
        channel = _channel_of_large(payload, encoding, start, stop)
        if channel is not None or stop - start > DECODE_LIMIT:
            return channel or "shell"
    message = fast_object(payload, encoding)
    if message is not None:
        return known_channel(message.get("channel")) or "shell"
    layout = find(payload, encoding)
    return known_channel(layout.channel if layout else None) or "shell"


def _channel_of_large(payload: bytes, encoding: Encoding, start: int, stop: int) -> Channel | None:
    """The channel where it usually is: servers have it last, clients before the content."""
    last = _CHANNEL_LAST.search(payload, max(start, stop - _END), stop)
    if last:
        return known_channel(last[1].decode("utf-8", "replace"))
    layout = find(payload[: start + LARGE], encoding, len(payload))
    return known_channel(layout.channel if layout else None)


def fast_object(payload: bytes, encoding: Encoding) -> dict[str, Any] | None:
    """The JSON object of a message of the default protocol, for its strings, several times faster
    than its parts are found; numbers beyond 64 bits may be rounded.

    None for the v1 protocol, which has no such object, where the fast decoder gives up, and for
    more than `DECODE_LIMIT` bytes or `ITEM_LIMIT` items.
    """
    start, stop = _json_span(payload, encoding)
    if stop - start > DECODE_LIMIT or has_too_many_items(payload, start, stop):
        return None
    try:
        value = orjson.loads(memoryview(payload)[start:stop])
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _json_span(payload: bytes, encoding: Encoding) -> Span:
    """Where a message of the default protocol has its JSON object; `NOWHERE` for others."""
    if encoding == "json":
        return 0, len(payload)
    offsets = _offsets(payload, len(payload), ">", "I") if encoding == "binary" else None
    if not offsets:
        return NOWHERE
    return offsets[0], offsets[1] if len(offsets) > 1 else len(payload)


def known_channel(name: object) -> Channel | None:
    """One of the channels that go over a WebSocket, which has no heartbeat; None for others."""
    return next((channel for channel in CHANNELS if channel == name != "hb"), None)


def unpack(payload: bytes, encoding: Encoding) -> WebSocketMessage | None:
    """Take a message apart; None where the payload is none. Never raises."""
    layout = find(payload, encoding)
    return None if layout is None else WebSocketMessage(layout.channel, cut(payload, layout))


def cut(payload: bytes, layout: Layout) -> Parts:
    """The parts of a payload; b"" for those that go beyond it."""
    header, parent_header, metadata, content = (
        payload[start:stop] if stop <= len(payload) else b"" for start, stop in layout.parts
    )
    buffers = [payload[start:stop] for start, stop in layout.buffers]
    return Parts((), b"", header, parent_header, metadata, content, buffers)


def find(payload: bytes, encoding: Encoding, size: int | None = None) -> Layout | None:
    """Find the parts; None where the payload is no message. Never raises.

    size   of the message, if `payload` is only its beginning. Then parts may lie beyond it, and
           of a JSON object those are found that are complete

    A JSON object of more than `ITEM_LIMIT` items counts as if its first `LARGE` bytes were all
    that is there.
    """
    size = len(payload) if size is None else size
    if encoding == "v1":
        return _find_v1(payload, size)
    if encoding == "binary":
        return _find_binary(payload, size)
    if encoding == "json":
        return _find_json(payload, 0, len(payload), whole=len(payload) >= size)
    return None


def _find_v1(payload: bytes, size: int) -> Layout | None:
    offsets = _offsets(payload, size, "<", "Q")
    if offsets is None or len(offsets) < len(PARTS) + 2:
        return None
    channel = payload[offsets[0] : offsets[1]]
    spans = list(pairwise(offsets[1:]))
    name = channel.decode("ascii") if channel.isascii() else ""
    return Layout(name, spans[: len(PARTS)], spans[len(PARTS) :])


def _find_binary(payload: bytes, size: int) -> Layout | None:
    offsets = _offsets(payload, size, ">", "I")
    if not offsets:
        return None
    start, *starts = offsets
    stop = starts[0] if starts else size
    whole = stop <= len(payload)
    layout = _find_json(payload, start, min(stop, len(payload)), whole=whole)
    if layout is None:
        return None
    return layout._replace(buffers=list(pairwise([*starts, size])))


def _offsets(payload: bytes, size: int, order: str, code: str) -> tuple[int, ...] | None:
    """The offsets that a payload begins with; None unless they go on from each other.

    Peers differ in what they make of offsets that lie outside or go back, so these mean nothing.
    """
    width = struct.calcsize(order + code)
    if len(payload) < width:
        return None
    (count,) = struct.unpack_from(order + code, payload)
    if count > COUNT_LIMIT or width * (count + 1) > len(payload):
        return None
    offsets = struct.unpack_from(f"{order}{count}{code}", payload, width)
    bounds = (width * (count + 1), *offsets, size)
    return offsets if all(map(le, bounds, bounds[1:])) else None


def _find_json(payload: bytes, start: int, stop: int, *, whole: bool) -> Layout | None:
    """The members of a JSON object; of the last, where a name comes twice. `whole`: to its end?"""
    if has_too_many_items(payload, start, stop):
        stop, whole = start + LARGE, False
    spans: dict[str, Span] = {}
    if not _EMPTY.match(payload, start, stop):
        for name, span in _members(payload, start, stop, whole=whole):
            if span == NOWHERE:
                return None
            if name:
                spans[name] = span
        if not spans and not whole:
            return None
    channel = _string(payload[slice(*spans.get("channel", NOWHERE))])
    return Layout(channel, [spans.get(name, NOWHERE) for name in PARTS], (), whole)


def _members(payload: bytes, start: int, stop: int, *, whole: bool) -> Iterator[tuple[str, Span]]:
    """The known names, "" for others, and where their values are; `NOWHERE` where it is broken."""
    opened = _OPEN.match(payload, start, stop)
    at, closing = (opened.end(), b",") if opened else (start, b"")
    while closing == b",":
        key = _KEY.match(payload, at, stop)
        end = _end_of_value(payload, key.end(), stop) if key else 0
        after = _NEXT.match(payload, end, stop) if end else None
        if key is None or after is None:
            break
        yield _MEMBERS.get(key[1][1:-1]) or _name(key[1]), (key.end(), end)
        at, closing = after.end(), after[1]
    if whole and (closing != b"}" or not _REST.match(payload, at, stop)):
        yield "", NOWHERE


def _name(key: bytes) -> str:
    """A name that is written with escapes."""
    name = _string(key) if b"\\" in key else ""
    return name if name.encode("utf-8", "replace") in _MEMBERS else ""


def _end_of_value(payload: bytes, start: int, stop: int) -> int:
    """Where the value ends that begins at `start`; 0 where it does not end."""
    found = _VALUE.match(payload, start, stop)
    if found:
        return found.end()
    depth = 0
    for bracket in _BRACKETS.finditer(payload, start, stop):
        if depth == 0 and bracket.start() > start:
            return 0
        depth += bool(bracket[1]) - bool(bracket[2])
        if depth <= 0:
            return bracket.end()
    return 0


def _string(written: bytes) -> str:
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""


def pack(
    channel: str,
    header: Mapping[str, Any],
    parent_header: Mapping[str, Any],
    metadata: Mapping[str, Any],
    content: Mapping[str, Any],
    buffers: Sequence[bytes],
    subprotocol: str | None,
) -> tuple[bytes, bool]:
    """The payload of a message, and whether it is to be sent as text.

    Raises ValueError or TypeError for what JSON has no words for, infinity and NaN among it.
    """
    parts = [encode(value) for value in (header, parent_header, metadata, content)]
    return _packed(channel, parts, buffers, subprotocol)


def pack_parts(
    channel: str, parts: Sequence[bytes], buffers: Sequence[bytes], subprotocol: str | None
) -> tuple[bytes, bool]:
    """As `pack`, of header, parent_header, metadata and content that are bytes already.

    Raises ValueError where they are no JSON objects, and the protocol has no place for others.
    """
    if subprotocol != V1:
        for name, part in zip(PARTS, parts, strict=True):
            if decode(part, only_json=True) is None:
                raise ValueError(f"its {name} is no JSON object")
    return _packed(channel, parts, buffers, subprotocol)


def _packed(
    channel: str, parts: Sequence[bytes], buffers: Sequence[bytes], subprotocol: str | None
) -> tuple[bytes, bool]:
    if subprotocol == V1:
        pieces = [channel.encode(), *parts, *buffers]
        return _with_offsets("<", "Q", pieces, closed=True), False
    members = [b'"%b":%b' % pair for pair in zip(map(str.encode, PARTS), parts, strict=True)]
    members.append(b'"channel":%b' % json.dumps(channel).encode())
    if buffers:
        message = b"{%b}" % b",".join(members)
        return _with_offsets(">", "I", [message, *buffers], closed=False), False
    return b"{%b}" % b",".join([*members, b'"buffers":[]']), True


def _with_offsets(order: str, code: str, pieces: Sequence[bytes], *, closed: bool) -> bytes:
    """The pieces behind their offsets; `closed`: the last offset is the end."""
    count = len(pieces) + closed
    offsets = [struct.calcsize(order + code) * (count + 1)]
    for piece in pieces if closed else pieces[:-1]:
        offsets.append(offsets[-1] + len(piece))
    return struct.pack(f"{order}{count + 1}{code}", count, *offsets) + b"".join(pieces)
