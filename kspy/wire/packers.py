"""Decode one serialized dictionary of a message, and write one as JSON.

JSON is what the specification calls "the default and most common"; msgpack is the common
alternative, and is recognised. Pickle is the third: it is never loaded, because loading it
runs code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import msgpack
import orjson

Packer = Literal["json", "msgpack"]

DECODE_LIMIT: Final = 64 << 20
"""Bytes of a dictionary that is not decoded any more: a small hostile file can claim any size."""

ITEM_LIMIT: Final = 1 << 22
"""Lists and maps, with what is in them, that bytes may hold: as objects they need far more room."""


class Decoded(NamedTuple):
    value: dict[str, Any]
    packer: Packer


def encode(value: Mapping[str, Any]) -> bytes:
    """Raises `ValueError` or `TypeError` for what JSON has no words for, as infinity and NaN."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def decode(frame: bytes, *, only_json: bool = False) -> Decoded | None:
    """Decode `frame` without losing anything a client could have read from it, or None.

    The standard library's json, not orjson: integers of any size and NaN must survive.
    """
    if has_too_many_items(frame):
        return None
    try:
        value = json.loads(frame)
    except (ValueError, RecursionError):
        return None if only_json else _decode_msgpack(frame)
    return Decoded(value, "json") if isinstance(value, dict) else None


def has_too_many_items(json_bytes: bytes, start: int = 0, stop: int | None = None) -> bool:
    """Has JSON more lists and maps than `ITEM_LIMIT`, by its brackets?"""
    stop = len(json_bytes) if stop is None else stop
    if stop - start <= ITEM_LIMIT:
        return False
    return sum(json_bytes.count(bracket, start, stop) for bracket in (b"[", b"{")) > ITEM_LIMIT


def decode_header(frame: bytes) -> dict[str, Any] | None:
    """Decode a header fast, for its strings; numbers beyond 64 bits may be rounded."""
    try:
        value = orjson.loads(frame)
    except orjson.JSONDecodeError:
        decoded = decode(frame)
        return decoded.value if decoded else None
    return value if isinstance(value, dict) else None


def unpack(packed: bytes, limit: int = ITEM_LIMIT) -> Any:
    """The msgpack value in `packed`; None where it is none, or has more than `limit` items."""
    items = 0

    def count(value: Any) -> Any:
        nonlocal items
        items += 1 + len(value)
        if items > limit:
            raise ValueError
        return value

    try:
        return msgpack.unpackb(
            packed,
            strict_map_key=False,
            object_hook=count,
            list_hook=count,
            max_array_len=limit,
            max_map_len=limit,
        )
    except Exception:  # msgpack raises half a dozen unrelated types on bad input
        return None


def _decode_msgpack(frame: bytes) -> Decoded | None:
    value = unpack(frame)
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        return None
    return Decoded(value, "msgpack")
