"""A JSON file read as it goes by, so that its length is none of memory's.

A value is begun by an event: `start_map`, `start_array`, or one that has the value itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import ijson

from kspy.errors import KspyError

Event = tuple[str, Any]
Events = Iterator[Event]

_STARTS: Final = ("start_map", "start_array")
_ENDS: Final = ("end_map", "end_array")
_BOM: Final = b"\xef\xbb\xbf"
_BLOCK: Final = 1 << 16


def read(file: BinaryIO, path: Path) -> Events:
    """The events of a whole file. Raises `KspyError` where it is no JSON, or ends too early."""
    try:
        file.seek(len(_BOM) if file.read(len(_BOM)) == _BOM else 0)
        events = ijson.basic_parse(file, buf_size=_BLOCK)
        # `next`, as it alone notices what ijson's C parser does with a number of thousands of
        # digits: it gives an event, and leaves a ValueError behind, which makes a SystemError.
        while (event := next(events, None)) is not None:
            yield event
    except OSError as error:
        raise KspyError(f"{path}: cannot be read: {error.strerror}") from error
    except (ijson.JSONError, ValueError) as error:
        raise KspyError(f"{path}: is damaged, or no JSON: {_said(error)}") from error
    except SystemError as error:
        raise KspyError(f"{path}: has a number that is too large") from error


def _said(error: Exception) -> str:
    """What ijson says, which may be bytes with a part of the file, and an arrow below it."""
    said = error.args[0] if error.args else ""
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return text.partition("\n")[0].removesuffix(".")


def members(events: Events) -> Iterator[tuple[str, Event]]:
    """The members of a map whose `start_map` was read; of each its name, and its value's event.

    Who takes a value that begins with a start has to read it to its end.
    """
    for event, name in events:
        if event == "end_map":
            return
        yield name, next(events)


def elements(events: Events) -> Iterator[Event]:
    """As `members`, of an array whose `start_array` was read."""
    for event in events:
        if event[0] == "end_array":
            return
        yield event


def skip(first: Event, events: Events) -> None:
    """Read a value to its end."""
    depth = int(first[0] in _STARTS)
    while depth:
        event = next(events)[0]
        depth += (event in _STARTS) - (event in _ENDS)


def scalars(first: Event, events: Events) -> dict[str, Any]:
    """The members of a map that are neither maps nor arrays; {} where it is no map."""
    if first[0] != "start_map":
        skip(first, events)
        return {}
    found = {}
    for name, value in members(events):
        if value[0] in _STARTS:
            skip(value, events)
        else:
            found[name] = value[1]
    return found


def whole(first: Event, events: Events) -> Any:
    """A value as Python has it."""
    builder = ijson.ObjectBuilder()
    builder.event(*first)
    depth = int(first[0] in _STARTS)
    while depth:
        event = next(events)
        builder.event(*event)
        depth += (event[0] in _STARTS) - (event[0] in _ENDS)
    return builder.value
