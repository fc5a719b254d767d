"""Patterns for places in a message: `content.data["text/plain"]`, `execute_reply:metadata.*`.

A pattern is written as `kspy.analysis.difference.format_path` writes a path. Before a colon it
may have a message type; `*` stands for any one key, or place in a list. What lies beneath a place
belongs to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from kspy.analysis.difference import KeyPath
from kspy.errors import KspyError

PLACES: Final = (
    "content", "metadata", "header", "parent_header", "buffers", "frames", "channel", "direction",
    "client", "flags",
)  # fmt: skip
"""What a path begins with: the keys of `kspy.analysis.difference.value_of`."""

_TYPE: Final = re.compile(r"([\w*?.-]+):")
_KEY: Final = re.compile(
    r"""\[(?P<quoted>"(?:[^"\\]|\\.)*")\] | \[(?P<number>\d+|\*)\] | \.?(?P<plain>[^.\[\]"]+)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class PathPattern:
    """`keys` has None for any one key. `msg_type` may have `*` and `?`; "*" is any."""

    msg_type: str
    keys: tuple[str | int | None, ...]

    def covers(self, msg_type: str, path: KeyPath) -> bool:
        """Is `path`, in a message of this type, the place or beneath it?"""
        return (
            len(path) >= len(self.keys)
            and all(
                key is None or key == there for key, there in zip(self.keys, path, strict=False)
            )
            and fnmatchcase(msg_type, self.msg_type)
        )

    def values(self, value: Any) -> Iterator[Any]:
        """What stands in the places, in order."""
        found = [value]
        for key in self.keys:
            found = [inner for outer in found for inner in _inside(outer, key)]
        yield from found


def parse(pattern: str) -> PathPattern:
    """Raises `KspyError` for what leads nowhere in any message."""
    msg_type, rest = "*", pattern
    if (prefix := _TYPE.match(pattern)) and prefix[1] not in PLACES:
        msg_type, rest = prefix[1], pattern[prefix.end() :]
    keys: list[str | int | None] = []
    at = 0
    while at < len(rest):
        found = _KEY.match(rest, at)
        if found is None:
            raise KspyError(
                f'{pattern}: is no path at {rest[at:]!r}; as: content.data["text/html"]'
            )
        keys.append(_key(pattern, found))
        at = found.end()
    if not keys or keys[0] not in PLACES:
        raise KspyError(f"{pattern}: is no path; it begins with one of {', '.join(PLACES)}")
    return PathPattern(msg_type, tuple(keys))


def _key(pattern: str, found: re.Match[str]) -> str | int | None:
    if (quoted := found["quoted"]) is not None:
        try:
            return str(json.loads(quoted))
        except ValueError as error:
            raise KspyError(f"{pattern}: is no path: {quoted} is no JSON string") from error
    word = found["number"] or found["plain"]
    if word == "*":
        return None
    return int(word) if found["number"] else word


def _inside(outer: Any, key: str | int | None) -> Iterator[Any]:
    if isinstance(outer, Mapping):
        if key is None:
            yield from outer.values()
        elif key in outer:
            yield outer[key]
    elif isinstance(outer, list):
        if key is None:
            yield from outer
        elif isinstance(key, int) and key < len(outer):
            yield outer[key]
