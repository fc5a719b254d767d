"""A message or an event as one JSON object on one line, for scripts.

The keys are fixed; scripts rely on them. Every line is valid JSON and plain ASCII. What a
message may hold and JSON has no words for is written so that it can be told apart and nothing
is lost:

    NaN, Infinity (Python's json sends them)   the strings "NaN", "Infinity", "-Infinity"
    bytes (msgpack)                            {"base64": "..."}
    other msgpack extensions                   {"ext": type, "base64": "..."}
    a map key that is no string (msgpack)      the key as Python writes it

Heartbeats and messages that cannot be read completely have one key more: `frames`, all bytes
in base64, or `frame_sizes`, where there are too many of them to be loaded. Messages over WebSocket
have `encoding`: `json`, `binary` or `v1`.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from msgpack import ExtType, Timestamp

from kspy.analysis.units import NANOSECONDS
from kspy.recording.event import Event
from kspy.wire.message import DECODE_LIMIT, DICTS, Message

UNREADABLE: Final = frozenset(("malformed", "undecodable", "oversized", "truncated"))
TIMESTAMP_EXT: Final = -1


def message_line(message: Message) -> str:
    """The JSON of `message`. `buffers` are sizes in bytes; `client` is null if unknown."""
    fields = message_fields(message, list(message.buffer_sizes), _base64)
    try:
        return dumps(fields)
    except RecursionError:  # nested deeper than can be written: then as it was on the wire
        return dumps(fields | {name: {} for name in DICTS} | _raw(message, _base64))


def message_fields(
    message: Message, buffers: list[Any], frame: Callable[[bytes], Any]
) -> dict[str, Any]:
    """All that is told of a message; `frame` writes one of its frames, where they are told too."""
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
        "flags": list(message.flags),
    }
    if message.encoding != "zmq":
        fields["encoding"] = message.encoding
    if message.channel == "hb" or not UNREADABLE.isdisjoint(message.flags):
        fields |= _raw(message, frame)
    return fields


def _raw(message: Message, frame: Callable[[bytes], Any]) -> dict[str, Any]:
    if message.size > DECODE_LIMIT:
        return {"frame_sizes": list(message.frame_sizes)}
    return {"frames": [frame(found) for found in message.frames]}


def event_line(event: Event) -> str:
    fields = {
        "seq": event.seq,
        "time": utc(event.time_ns),
        "event": event.name,
        "data": dict(event.data),
    }
    return dumps(fields)


def utc(time_ns: int) -> str:
    """ISO 8601, UTC, microseconds: `2026-11-20T21:00:00.123456Z`. No float on the way."""
    seconds, rest = divmod(time_ns, NANOSECONDS)
    date = datetime.fromtimestamp(seconds, UTC)
    return f"{date:%Y-%m-%dT%H:%M:%S}.{rest // 1000:06}Z"


def dumps(value: object) -> str:
    """`value` as valid JSON. Raises RecursionError if it is nested too deep, nothing else."""
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return json.dumps(_plain(value), allow_nan=False)


def _plain(value: Any) -> Any:
    """`value` in JSON's own types (the slow way, for the few that need it)."""
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return "NaN"
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, ExtType):  # before list and tuple: it is a tuple
        return {"ext": value.code, "base64": _base64(value.data)}
    if isinstance(value, Timestamp):
        return {"ext": TIMESTAMP_EXT, "base64": _base64(value.to_bytes())}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return {"base64": _base64(value)}
    return value


def _key(key: object) -> str:
    return key if isinstance(key, str) else repr(key)


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
