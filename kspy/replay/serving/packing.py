"""Write a dictionary for a client, whatever is in it: it may come from a stranger's recording.

What the client's packer has no word for, as bytes in JSON or large integers in msgpack, is told
as text. So no recording, and no client, ends the server.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import msgpack as packer
import orjson

_DEEPEST: Final = 100
_LARGEST: Final = 1 << 63


def pack(value: Mapping[str, Any], *, msgpack: bool) -> bytes:
    """As JSON, or as msgpack."""
    write = packer.packb if msgpack else _json
    try:
        return bytes(write(value))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return bytes(write(_plain(value)))


def _json(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # an integer of more than 64 bits, a lone surrogate
        return json.dumps(value).encode()


def _plain(value: object, depth: int = 0) -> object:
    """The same with what both packers know."""
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return value if -_LARGEST <= value < _LARGEST else f"{value:#x}"
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {_name(key): _plain(inner, depth + 1) for key, inner in value.items()}
    if depth < _DEEPEST and isinstance(value, (list, tuple)):
        return [_plain(inner, depth + 1) for inner in value]
    return type(value).__name__ if isinstance(value, (Mapping, list, tuple)) else repr(value)


def _name(key: object) -> str:
    return key.encode("utf-8", "replace").decode() if isinstance(key, str) else repr(key)
