"""Both WebSocket encodings: as Jupyter Server serialises them, and with hostile payloads."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from conversation import START_NS, Frames
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyter_server.services.kernels.connection.base import (
    deserialize_binary_message,
    deserialize_msg_from_ws_v1,
    serialize_binary_message,
    serialize_msg_to_ws_v1,
)

from kspy.analysis.sanitize import one_line
from kspy.analysis.summary import summarize
from kspy.export.copies import as_json
from kspy.export.json_lines import message_line
from kspy.recording.heads import HeadFinder
from kspy.recording.outcome import ERROR
from kspy.wire.frames import Channel
from kspy.wire.message import ROUTES, Message, encoding_bits
from kspy.wire.packers import ITEM_LIMIT, encode
from kspy.wire.websocket import (
    ENCODINGS,
    LARGE,
    PARTS,
    V1,
    Encoding,
    Span,
    channel_of,
    encoding_of,
    fast_object,
    find,
    known_channel,
    pack,
    unpack,
)


def json_with(floats: st.SearchStrategy[float]) -> st.SearchStrategy[dict[str, Any]]:
    some = st.recursive(
        st.none() | st.booleans() | st.integers() | floats | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=12,
    )
    return st.dictionaries(st.text(), some, max_size=4)


some_dict = json_with(st.floats())
some_finite = json_with(st.floats(allow_nan=False, allow_infinity=False))
some_buffers = st.lists(st.binary(max_size=30), max_size=4)
channels = st.sampled_from(["shell", "iopub", "stdin", "control"])

HEADER = {"msg_id": "1", "msg_type": "stream"}
PARTED = {"header": HEADER, "parent_header": {}, "metadata": {}, "content": {"text": "hi"}}
DEEP = "[" * 10_000 + "]" * 10_000


def seen(payload: bytes, encoding: Encoding, channel: Channel = "iopub") -> Message:
    route = ROUTES[channel, "to_client"]
    return Message(0, START_NS, route, 0, encoding_bits(encoding), 0, Frames([payload]))


def packed(encoding: Encoding, buffers: list[bytes]) -> bytes:
    subprotocol = V1 if encoding == "v1" else ""
    return pack("iopub", HEADER, {}, {}, {"text": "hi"}, buffers, subprotocol)[0]


def look_at(message: Message) -> None:
    """Everything that anybody asks of a message."""
    parts = message.parts
    names = (message.header, message.parent_header, message.metadata, message.content)
    assert all(isinstance(value, dict) for value in names)
    assert [len(buffer) for buffer in message.buffers] == list(message.buffer_sizes)
    for number, buffer in enumerate(message.buffers):
        assert message.buffer_head(number, 2) == buffer[:2]
    if parts is None:
        assert "malformed" in message.flags
    else:
        assert parts.signature == b""
        assert [message.part_size(name) for name in PARTS] == [len(part) for part in parts[2:6]]
    assert one_line(summarize(message)) == summarize(message)
    assert json.loads(message_line(message))["encoding"] == message.encoding
    assert as_json(message)


def same(value: Any, other: Any) -> bool:
    """As JSON: NaN is NaN, and 0.0 is not -0.0."""
    return json.dumps(value) == json.dumps(other)


# Against Jupyter Server


@settings(max_examples=40)
@given(channels, some_finite, some_finite, some_finite, some_buffers)
def test_v1_as_the_server_writes_it(
    channel: str, header: Any, metadata: Any, content: Any, buffers: list[bytes]
) -> None:
    dicts: list[Any] = [header, {}, metadata, content]
    frames = [json.dumps(each).encode() for each in dicts]
    payload = serialize_msg_to_ws_v1([*frames, *buffers], channel)
    found = unpack(payload, "v1")
    assert found is not None
    assert found.channel == channel == channel_of(payload, "v1")
    assert [*found.parts[2:6], *found.parts.buffers] == [*frames, *buffers]
    packed, text = pack(channel, header, {}, metadata, content, buffers, V1)
    assert not text
    its_channel, its_frames = deserialize_msg_from_ws_v1(packed)
    assert its_channel == channel
    assert its_frames[4:] == buffers
    assert same([json.loads(frame) for frame in its_frames[:4]], [header, {}, metadata, content])
    look_at(seen(payload, "v1"))


@given(channels, some_dict, some_dict, some_buffers)
def test_binary_as_the_server_writes_it(
    channel: str, metadata: Any, content: Any, buffers: list[bytes]
) -> None:
    message = {
        "header": HEADER,
        "msg_id": "1",
        "parent_header": {},
        "metadata": metadata,
        "content": content,
        "buffers": buffers,
        "channel": channel,
    }
    payload = serialize_binary_message(message)
    assert channel_of(payload, "binary") == channel
    told = seen(payload, "binary")
    look_at(told)
    assert same([told.header, told.metadata, told.content], [HEADER, metadata, content])
    assert list(told.buffers) == buffers
    assert told.flags == ()


@settings(max_examples=40)
@given(channels, some_finite, some_finite, some_buffers)
def test_the_server_reads_what_is_packed(
    channel: str, metadata: Any, content: Any, buffers: list[bytes]
) -> None:
    payload, text = pack(channel, HEADER, {}, metadata, content, buffers, None)
    assert text == (not buffers)
    read = json.loads(payload) if text else deserialize_binary_message(payload)
    assert (read["channel"], read["buffers"]) == (channel, buffers)
    assert same([read["metadata"], read["content"]], [metadata, content])
    encoding = encoding_of(text=text, subprotocol="")
    assert channel_of(payload, encoding) == channel
    look_at(seen(payload, encoding))


@settings(max_examples=40)
@given(some_dict, some_dict, st.booleans(), st.sampled_from([None, 1]))
def test_json_however_it_is_written(
    header: Any, content: Any, ascii_: bool, indent: int | None
) -> None:
    message = {"content": content, "buffers": {}, "header": header, "channel": "stdin"}
    text = json.dumps(message, ensure_ascii=ascii_, indent=indent)
    payload = text.encode("utf-8", "surrogatepass")
    told = seen(payload, "json")
    look_at(told)
    assert channel_of(payload, "json") == "stdin"
    assert told.parts is not None
    assert json.loads(told.parts.content.decode("utf-8", "surrogatepass")) is not None
    if "undecodable" not in told.flags:  # half a surrogate pair is no UTF-8
        assert same([told.header, told.content], [header, content])


def test_what_json_need_not_have() -> None:
    told = seen(b'{"header": {"msg_type": "a"}, "channel": "iopub"}', "json")
    assert (told.msg_type, told.content, told.parent_header, told.flags) == ("a", {}, {}, ())
    assert seen(b'{"channel": "iopub"}', "json").flags == ("undecodable",)
    assert seen(b'{"header": {}, "content": null}', "json").flags == ("undecodable", "no_channel")


def test_a_name_that_comes_twice_or_is_escaped() -> None:
    told = seen(b'{"header": {}, "hea\\u0064er": {"msg_type": "b"}, "channel": "iopub"}', "json")
    assert (told.msg_type, told.flags) == ("b", ())


def test_msgpack_is_read_over_v1_alone() -> None:
    payload = serialize_msg_to_ws_v1([b"\x81\xa8msg_type\xa1a", b"\x80", b"\x80", b"\x80"], "iopub")
    assert (seen(payload, "v1").msg_type, seen(payload, "v1").flags) == ("a", ("msgpack",))
    assert seen(b'{"header": \x80}', "json").flags == ("undecodable", "no_channel")


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("subprotocol", [V1, "", None, "other"])
def test_which_encoding(text: bool, subprotocol: str | None) -> None:
    expected = "json" if text else "v1" if subprotocol == V1 else "binary"
    assert encoding_of(text=text, subprotocol=subprotocol) == expected


# Hostile


def v1(*offsets: int, rest: bytes = b"") -> bytes:
    return struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + rest


def binary(*offsets: int, rest: bytes = b"") -> bytes:
    return struct.pack(f">{len(offsets) + 1}I", len(offsets), *offsets) + rest


WHOLE = json.dumps({**PARTED, "channel": "iopub"}).encode()
MALFORMED: list[tuple[Encoding, bytes]] = [
    *((encoding, b"") for encoding in ENCODINGS[1:]),
    *((encoding, b"\x00") for encoding in ENCODINGS[1:]),
    *((encoding, b"\xff" * 64) for encoding in ENCODINGS[1:]),
    ("json", b"[]"),
    ("json", b"null"),
    ("json", WHOLE[:-1]),
    ("json", WHOLE + b"x"),
    ("json", WHOLE + WHOLE),
    ("json", WHOLE[:-1] + b",}"),
    ("json", b'{"header": }'),
    ("json", b'{"header" {}}'),
    ("json", b"{header: {}}"),
    ("json", DEEP.encode()),
    ("json", b'{"content":' + b"[" * 100_000),
    ("json", b'{"content":"' + b"\\" * 100_001),
    ("binary", binary()),
    ("binary", binary(8, rest=b"[]")),
    ("binary", binary(0, rest=WHOLE)),
    ("binary", binary(1000, rest=WHOLE)),
    ("binary", binary(12, 11, rest=WHOLE)),
    ("binary", binary(12, 0xFFFF_FFFF, rest=WHOLE)),
    ("binary", struct.pack(">I", 0xFFFF_FFFF) + WHOLE),
    ("v1", v1()),
    ("v1", v1(*[48] * 5)),
    ("v1", v1(*[0] * 6)),
    ("v1", v1(56, 61, 60, 62, 62, 62, rest=bytes(40))),
    ("v1", v1(56, 61, 62, 62, 62, 1 << 63, rest=bytes(40))),
    ("v1", struct.pack("<Q", 1 << 63) + bytes(100)),
    ("v1", struct.pack("<Q", 1 << 20) + bytes(8 << 20)),
]


@pytest.mark.parametrize(
    ("encoding", "payload"),
    [pytest.param(*case, id=f"{number}-{case[0]}") for number, case in enumerate(MALFORMED)],
)
def test_malformed(encoding: Encoding, payload: bytes) -> None:
    assert unpack(payload, encoding) is None
    assert channel_of(payload, encoding) == "shell"
    told = seen(payload, encoding)
    assert told.flags == ("malformed",)
    look_at(told)


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_is_nested_too_deep(name: str) -> None:
    dicts = {part: json.dumps(value) for part, value in PARTED.items()} | {name: DEEP}
    text = ", ".join(f'"{part}": {value}' for part, value in dicts.items())
    told = seen(f'{{{text}, "channel": "iopub"}}'.encode(), "json")
    assert told.flags == ("undecodable",)
    assert told.parts is not None
    assert told.part_size(name) == len(DEEP)
    assert told.msg_type == ("" if name == "header" else "stream")
    look_at(told)


@pytest.mark.parametrize("channel", ["", "hb", "Shell", "\ud800", 'a"b', "x" * 10_000, 7, None, []])
def test_channels_that_there_are_not(channel: object) -> None:
    payload = json.dumps({**PARTED, "channel": channel}).encode()
    assert channel_of(payload, "json") == "shell"
    assert seen(payload, "json").flags == ("no_channel",)
    assert known_channel(channel) is None


@given(st.sampled_from(ENCODINGS), st.binary(max_size=200))
def test_any_bytes(encoding: Encoding, payload: bytes) -> None:
    assert known_channel(channel_of(payload, encoding))
    unpack(payload, encoding)
    if encoding != "zmq":
        look_at(seen(payload, encoding))


@given(st.sampled_from(ENCODINGS[1:]), st.data())
def test_bytes_put_into_a_message(encoding: Encoding, data: st.DataObject) -> None:
    buffers = [] if encoding == "json" else [b"abc", b""]
    payload = packed(encoding, buffers)
    at = data.draw(st.integers(0, len(payload)))
    stop = data.draw(st.integers(at, min(at + 9, len(payload))))
    told = seen(payload[:at] + data.draw(st.binary(max_size=9)) + payload[stop:], encoding)
    look_at(told)


@given(st.sampled_from(ENCODINGS[1:]), st.data())
def test_the_beginning_of_a_message(encoding: Encoding, data: st.DataObject) -> None:
    """What is found in a beginning is what the whole has there."""
    buffers = [] if encoding == "json" else [b"abc", b""]
    payload = packed(encoding, buffers)
    whole = find(payload, encoding)
    head = payload[: data.draw(st.integers(0, len(payload)))]
    part = find(head, encoding, len(payload))
    assert whole is not None
    spans: Sequence[Span] = part.parts if part else whole.parts
    for span, true in zip(spans, whole.parts, strict=True):
        assert span in (true, (0, 0))


def large_ones() -> Iterator[tuple[str, bytes]]:
    """A large message with its members in every order that is told apart."""
    content: dict[str, Any] = {"status": "error", "text": 'a "word" \\ ' * (LARGE // 8)}
    members = {
        "header": {"msg_id": "1", "msg_type": "execute_reply"},
        "parent_header": {"msg_id": "0"},
    }
    first = {**members, "content": content}
    yield "server", json.dumps({**first, "buffers": [], "channel": "control"}).encode()
    yield "older", json.dumps({**first, "channel": "control", "buffers": {}}, indent=1).encode()
    yield "client", json.dumps({"channel": "control", "content": content, **members}).encode()
    yield "middle", json.dumps({**first, "channel": "control", "more": [content]}).encode()
    parts = json.dumps({**first, "channel": "control"}).encode()
    yield "binary", binary(12, 12 + len(parts), rest=parts + b"abc")


@pytest.mark.parametrize(("name", "payload"), large_ones(), ids=[name for name, _ in large_ones()])
def test_what_is_known_of_a_large_payload(name: str, payload: bytes) -> None:
    encoding: Encoding = "binary" if name == "binary" else "json"
    assert channel_of(payload, encoding) == "control"
    route, flags = ROUTES["control", "to_client"], encoding_bits(encoding)
    ((header, parent_id, outcome),) = HeadFinder().find(
        [route], [flags], [len(payload)], [payload], [0, 1]
    )
    assert (header["msg_type"], parent_id, outcome) == ("execute_reply", "0", ERROR)


def test_of_a_large_payload_no_more_is_read_than_is_needed() -> None:
    """What lies between need not even be JSON."""
    broken = b'{"header": {"msg_type": "a"}, "parent_header": {}, "content": {' + b"]" * LARGE
    payload = broken + b', "channel": "stdin"}'
    assert channel_of(payload, "json") == "stdin"
    heads = HeadFinder().find(
        [ROUTES["stdin", "to_kernel"]],
        [encoding_bits("json")],
        [len(payload)],
        [payload],
        [0, 1],
    )
    assert [head[0] for head in heads] == [{"msg_type": "a"}]


@pytest.mark.parametrize("channel_first", [True, False])
def test_a_small_payload_of_millions_of_items(channel_first: bool) -> None:
    items = b'"content": [' + b"{}," * ITEM_LIMIT + b"{}]"
    channel = b'"channel": "stdin"'
    first, last = (channel, items) if channel_first else (items, channel)
    payload = b'{"header": {"msg_type": "a"}, ' + first + b", " + last + b"}"
    assert fast_object(payload, "json") is None
    assert channel_of(payload, "json") == "stdin"
    told = seen(payload, "json")
    assert told.msg_type == "a"
    assert "undecodable" in told.flags
    assert told.part_size("content") == 0


def test_the_beginning_of_a_string_of_quotes_is_looked_at_once() -> None:
    """Otherwise this takes an hour."""
    head = b'{"header": {}, "content": "' + b'\\"' * LARGE
    layout = find(head, "json", 2 * len(head))
    assert layout is not None
    assert layout.parts == [(11, 13), (0, 0), (0, 0), (0, 0)]


@pytest.mark.parametrize("subprotocol", [V1, ""])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_has_no_words_for(subprotocol: str, number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        pack("shell", HEADER, {}, {}, {"a": [number]}, [], subprotocol)
    with pytest.raises(ValueError, match="JSON"):
        encode({"a": number})


def test_a_payload_too_large_to_be_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 1 << 16
    for module in ("wire.message", "analysis.summary"):
        monkeypatch.setattr(f"kspy.{module}.DECODE_LIMIT", limit)
    content = {"text": "x" * limit}
    header_first = {"header": HEADER, "content": content, "channel": "iopub"}
    told = seen(json.dumps(header_first).encode(), "json")
    assert (told.msg_type, told.flags) == ("stream", ("oversized", "no_channel"))
    assert "too large to decode" in summarize(told)
    buffer = bytes(limit)
    for encoding in ENCODINGS[2:]:
        told = seen(packed(encoding, [b"a", buffer, b"b"]), encoding)
        assert (told.content, told.flags) == ({"text": "hi"}, ())
        assert told.buffer_sizes == [1, limit, 1]
        assert told.buffer_head(2, 10) == b"b"
