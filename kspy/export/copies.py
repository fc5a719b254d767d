"""A message, or a value of it, as text to be pasted elsewhere.

All of it can be encoded as UTF-8: what cannot (half a surrogate pair) is written as an escape.
Values may be nested deep: they are written without recursion.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from math import isfinite, isnan
from typing import Any, Final

from msgpack import ExtType, Timestamp

from kspy.analysis.difference import format_path
from kspy.errors import KspyError
from kspy.export.json_lines import TIMESTAMP_EXT, UNREADABLE, utc
from kspy.wire.message import DECODE_LIMIT, DICTS, Message

Write = Callable[[Any, str], str]
"""Writes a value that holds no others; given, too, the spaces its line begins with."""

_HEX_COLUMNS: Final = 16
_DEEPEST: Final = 90
"""Brackets within each other that Python reads; its own limit is between 100 and 200."""
_MOST_LINES: Final = 500
"""Lines of a text that Python is given beneath each other."""

_CODE: Final = '''\
"""Send message {seq} of a recording again, and print what comes back.

usage: python FILE [CONNECTION_FILE]      (default: that of the kernel last started)
"""

import sys

import zmq
from jupyter_client import BlockingKernelClient, find_connection_file
{imports}
channel = {channel}
msg_type = {msg_type}
content = {content}
metadata = {metadata}
buffers = {buffers}

file = find_connection_file(sys.argv[1] if len(sys.argv) > 1 else "kernel-*.json")
client = BlockingKernelClient(connection_file=file)
client.load_connection_file()
{setup}client.start_channels()
channels = {{
    "iopub": client.iopub_channel,
    "shell": client.shell_channel,
    "stdin": client.stdin_channel,
    "control": client.control_channel,
}}
try:
    client.wait_for_ready(timeout=60)
    message = client.session.msg(msg_type, content, metadata=metadata)
{header}    message["buffers"] = buffers
    channels[channel].send(message)

    # Nothing answers what is sent on stdin; only a request has a reply.
    replied, idle = not msg_type.endswith("_request"), channel == "stdin"
    seconds = 60
    poller = zmq.Poller()
    for each in channels.values():
        poller.register(each.socket, zmq.POLLIN)
    while not (replied and idle):
        ready = dict(poller.poll(seconds * 1000))
        if not ready:
            print("nothing more within", seconds, "seconds")
            break
        for name, each in channels.items():
            if each.socket not in ready:
                continue
            answer = each.get_msg()
            if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            print(name, answer["msg_type"], answer["content"], flush=True)
            if answer["buffers"]:
                print("    buffers of", [len(buffer) for buffer in answer["buffers"]], "bytes")
            if name == "stdin":
                client.input(input(answer["content"].get("prompt", "")))
            replied = replied or name == channel
            idle = idle or answer["content"].get("execution_state") == "idle"
            if name == channel or idle:  # the other is on its way
                seconds = 2
finally:
    client.stop_channels()
'''


_MSGPACK: Final = """\
client.session.packer = client.session.unpacker = "msgpack"
"""


def as_json(message: Message) -> str:
    """The whole message, with the keys and conventions of `kspy show --json`, over many lines."""
    return _layout(_fields(message, list(message.buffer_sizes), _base64), _json_leaf, _json_key)


def as_dict(message: Message) -> str:
    """A Python literal with the keys of `as_json`; `buffers` are bytes.

    `ast.literal_eval` reads it; NaN, that has no literal, is the text "NaN". Raises `KspyError`
    where it is nested too deep for that.
    """
    fields = _fields(message, [bytes(buffer) for buffer in message.buffers], bytes)
    _check_depth(fields)
    return _layout(fields, _python_leaf, repr, comma=True)


def as_code(message: Message) -> str:
    """A Python script that sends a message to a kernel again, and prints what comes back.

    It holds content, metadata and buffers, and nothing of the session that was recorded: neither
    its key nor signatures, ids or identities. Raises `KspyError` for what cannot be sent again.
    """
    unfit = UNREADABLE.intersection(message.flags)
    if message.direction != "to_kernel" or message.channel not in ("shell", "control", "stdin"):
        raise KspyError("it is not a message that a client sends to a kernel")
    if unfit or not message.msg_type:
        raise KspyError(f"it cannot be sent again: it is {min(unfit, default='without a type')}")
    parts = [message.content, message.metadata, [bytes(buffer) for buffer in message.buffers]]
    _check_depth(parts)
    content, metadata, buffers = (
        _layout(part, _code_leaf, repr, indent=4, comma=True) for part in parts
    )
    packed = "msgpack" in message.flags
    subshell = message.header.get("subshell_id")
    return _CODE.format(
        seq=message.seq,
        imports="import msgpack\n" if packed else "",
        channel=repr(message.channel),
        msg_type=repr(message.msg_type),
        content=content,
        metadata=metadata,
        buffers=buffers,
        setup=_MSGPACK if packed else "",
        header=f'    message["header"]["subshell_id"] = {subshell!r}\n'
        if isinstance(subshell, str)
        else "",
    )


def as_value(value: Any) -> str:
    """A text as it is, all else as JSON."""
    if isinstance(value, str):
        return _encodable(value)
    return _layout(value, _json_leaf, _json_key)


def as_path(path: Sequence[Any]) -> str:
    """`path` as Python would write it: `content.data["text/plain"]`. Keys may be anything."""
    parts = [
        format_path(("_", key))[1:] if isinstance(key, str | int) else f"[{key!r}]" for key in path
    ]
    return _encodable("".join(parts).removeprefix("."))


def as_hex(frames: Sequence[bytes]) -> str:
    """Frames as offset, bytes in hex, and what of them is ASCII; 16 bytes a line."""
    lines: list[str] = []
    for number, frame in enumerate(frames):
        lines.append(f"frame {number}: {len(frame)} bytes")
        for start in range(0, len(frame), _HEX_COLUMNS):
            piece = frame[start : start + _HEX_COLUMNS]
            text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in piece)
            lines.append(f"{start:08x}  {piece.hex(' '):{3 * _HEX_COLUMNS - 1}}  |{text}|")
    return "\n".join(lines) + "\n" if lines else ""


def _fields(message: Message, buffers: list[Any], frame: Callable[[bytes], Any]) -> dict[str, Any]:
    """What `kspy.export.json_lines.message_line` writes."""
    flags = message.flags
    fields: dict[str, Any] = {
        "seq": message.seq,
        "time": utc(message.time_ns),
        "channel": message.channel,
        "direction": message.direction,
        "msg_type": message.msg_type,
        "msg_id": message.msg_id,
        "parent_id": message.parent_id,
        **{name: getattr(message, name) for name in DICTS},
        "buffers": buffers,
        "client": message.client,
        "flags": list(flags),
    }
    if message.encoding != "zmq":
        fields["encoding"] = message.encoding
    if message.channel == "hb" or not UNREADABLE.isdisjoint(flags):
        if message.size > DECODE_LIMIT:
            fields["frame_sizes"] = list(message.frame_sizes)
        else:
            fields["frames"] = [frame(found) for found in message.frames]
    return fields


# Writing without recursion


def _layout(
    value: Any, leaf: Write, key_of: Callable[[Any], str], *, indent: int = 2, comma: bool = False
) -> str:
    """`value` over many lines; `comma`: one after the last element, too."""
    return "".join(_pieces(value, leaf, key_of, indent, "," if comma else ""))


def _pieces(
    value: Any, leaf: Write, key_of: Callable[[Any], str], indent: int, last: str
) -> Iterator[str]:
    opened: list[tuple[Iterator[tuple[str, Any]], str]] = []
    key, item = "", value
    while True:
        yield key
        if isinstance(item, dict | list) and item:
            items, brackets = _elements(item, key_of), "{}" if isinstance(item, dict) else "[]"
            opened.append((items, brackets[1]))
            yield brackets[0]
            first = True
        else:
            yield _empty(item) or leaf(item, " " * (indent * len(opened)))
            first = False
        while opened:
            items, closing = opened[-1]
            found = next(items, None)
            if found is not None:
                key, item = found
                yield ("" if first else ",") + "\n" + " " * (indent * len(opened))
                break
            opened.pop()
            yield f"{last}\n{' ' * (indent * len(opened))}{closing}"
        if not opened:
            return


def _elements(value: Any, key_of: Callable[[Any], str]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        return ((f"{key_of(key)}: ", item) for key, item in value.items())
    return (("", item) for item in value)


def _empty(value: Any) -> str:
    if isinstance(value, dict | list) and not value:
        return "{}" if isinstance(value, dict) else "[]"
    return ""


def _check_depth(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise KspyError("it is nested too deep for Python to read it")


# Leaves


def _json_leaf(value: Any, _: str = "") -> str:
    if isinstance(value, str):
        return _encodable_json(value)
    if isinstance(value, float) and not isfinite(value):
        return f'"{_float_word(value)}"'
    if isinstance(value, ExtType | Timestamp):
        code, data = _extension(value)
        return f'{{"ext": {code}, "base64": "{_base64(data)}"}}'
    if isinstance(value, bytes):
        return f'{{"base64": "{_base64(value)}"}}'
    return json.dumps(value)


def _json_key(key: Any) -> str:
    return _encodable_json(key if isinstance(key, str) else repr(key))


def _encodable_json(text: str) -> str:
    """`text` as JSON: readable, but for what has no UTF-8."""
    written = json.dumps(text, ensure_ascii=False)
    return written if _is_encodable(written) else json.dumps(text)


def _python_leaf(value: Any, margin: str) -> str:
    if isinstance(value, str):
        return _python_text(value, margin)
    if isinstance(value, float) and isnan(value):
        return '"NaN"'
    if isinstance(value, float) and not isfinite(value):
        return "1e999" if value > 0 else "-1e999"
    if isinstance(value, ExtType | Timestamp):
        code, data = _extension(value)
        return f"{{'ext': {code}, 'data': {data!r}}}"
    return repr(value)


def _code_leaf(value: Any, margin: str) -> str:
    if isinstance(value, float) and not isfinite(value):
        return f'float("{value}")'
    if isinstance(value, ExtType | Timestamp):
        return "msgpack.ExtType({}, {!r})".format(*_extension(value))
    return _python_leaf(value, margin)


def _python_text(text: str, margin: str) -> str:
    """A text of several lines as such, in brackets; any other as Python writes it."""
    if not 0 < text.count("\n", 0, -1) <= _MOST_LINES:
        return repr(text)
    inner = f"\n{margin}    "
    lines = inner.join(map(repr, text.splitlines(keepends=True)))
    return f"({inner}{lines}\n{margin})"


def _float_word(value: float) -> str:
    if isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _extension(value: ExtType | Timestamp) -> tuple[int, bytes]:
    if isinstance(value, Timestamp):
        return TIMESTAMP_EXT, value.to_bytes()
    return value.code, value.data


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encodable(text: str) -> str:
    return text if _is_encodable(text) else text.encode(errors="backslashreplace").decode()
