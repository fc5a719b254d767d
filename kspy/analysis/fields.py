"""Read fields of a message's content that may be missing or of any type.

Contents come from strangers, and nothing here raises. What is there but of an unexpected type
is shown as compact JSON, so that a summary never hides it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def string(content: Mapping[str, Any], key: str) -> str:
    """The text under `key`; "" where there is none, compact JSON where it is no text."""
    return shown(content.get(key))


def number(content: Mapping[str, Any], key: str) -> int | None:
    """The integer under `key`, or None where there is none that fits 64 bits."""
    value = content.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -(2**63) <= value < 2**63 else None


def mapping(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def extracted_of(metadata: Mapping[str, Any]) -> int:
    """Of how many messages a recording holds a choice, by its header; 0 where it is no extract."""
    return max(number(mapping(metadata, "extract"), "of") or 0, 0)


def imported_from(metadata: Mapping[str, Any]) -> str:
    """Whence a recording was imported, by its header; "" where it was not."""
    imported = mapping(metadata, "imported")
    source = string(imported, "from")
    return {"har": "HAR"}.get(source, source)


def sequence(content: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = content.get(key)
    return value if isinstance(value, list) else ()


def shown(value: object) -> str:
    """Text as it is, nothing for None, everything else as compact JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else compact(value)


def listed(values: Sequence[Any], limit: int = 20) -> str:
    """The first `limit` of `values`, separated by commas."""
    more = ", …" if len(values) > limit else ""
    return ", ".join(shown(value) for value in values[:limit]) + more


def compact(value: object) -> str:
    """`value` in as little JSON as possible; what JSON has no words for is described."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(", ", ": "), default=_described)
    except (TypeError, ValueError, RecursionError):
        # msgpack has map keys that JSON has not; and anything may be nested without end
        return f"<{type(value).__name__}>"


def _described(value: object) -> str:
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return f"<{type(value).__name__}>"
