"""Decode one serialized dictionary of a message.

JSON is what the specification calls "the default and most common"; msgpack is the common
alternative, and is recognised. Pickle is the third: it is never loaded, because loading it
runs code.
"""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

import msgpack
import orjson

Packer = Literal["json", "msgpack"]


class Decoded(NamedTuple):
    value: dict[str, Any]
    packer: Packer


def decode(frame: bytes) -> Decoded | None:
    """Decode `frame` without losing anything a client could have read from it, or None.

    The standard library's json, not orjson: integers of any size and NaN must survive.
    """
    try:
        value = json.loads(frame)
    except (ValueError, RecursionError):
        return _decode_msgpack(frame)
    return Decoded(value, "json") if isinstance(value, dict) else None


def decode_header(frame: bytes) -> dict[str, Any] | None:
    """Decode a header fast, for its strings; numbers beyond 64 bits may be rounded."""
    try:
        value = orjson.loads(frame)
    except orjson.JSONDecodeError:
        decoded = decode(frame)
        return decoded.value if decoded else None
    return value if isinstance(value, dict) else None


def _decode_msgpack(frame: bytes) -> Decoded | None:
    try:
        value = msgpack.unpackb(frame, strict_map_key=False)
    except Exception:  # msgpack raises half a dozen unrelated types on bad input
        return None
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        return None
    return Decoded(value, "msgpack")
