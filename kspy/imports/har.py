"""The WebSocket messages of kernels in a HAR file, as a browser's developer tools export it.

Format: HAR 1.2 (softwareishard.com/blog/har-12-spec), and Chrome's addition to an entry, as its
DevTools' `models/har/Log.ts` writes it:

    "_webSocketMessages": [{"type": "send" or "receive", "time": seconds since the epoch,
                            "opcode": 1 text, 2 binary, "data": the text, or base64}, ...]

A connection that failed has `{"type": "error", "opcode": -1}`. Firefox (`har/har-builder.js`)
exports the request of a WebSocket, and none of its messages. All else in a HAR file, cookies and
tokens among it, is skipped while it is read.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from kspy.analysis.units import NANOSECONDS
from kspy.imports.captured import Captured, Found, Lost, Opened, Origin
from kspy.imports.json_events import Event, Events, elements, members, scalars, skip
from kspy.imports.waiting import Waiting
from kspy.wire.frames import Direction
from kspy.wire.websocket import Encoding, encoding_of, find

MISSING: Final = (
    "what was said before the developer tools were opened",
    "what went over other connections than the browser's",
    "ZeroMQ frames, identities and signatures",
    "heartbeats",
)

_KERNEL: Final = re.compile(r"/api/kernels/([\w-]{1,100})/channels(?:[?#]|$)", re.ASCII)
_TEXT, _BINARY = 1, 2
_DIRECTIONS: Final[dict[str, Direction]] = {"send": "to_kernel", "receive": "to_client"}
_LAST_SECOND: Final = 1 << 32
_PROTOCOL: Final = "sec-websocket-protocol"


@dataclass
class Survey:
    """What was seen of a file while it was read."""

    creator: str = ""
    is_har: bool = False
    silent: int = 0
    """Connections to kernels of which it has no message."""


class _Frame(NamedTuple):
    """A message as an entry has it; `payload` is None where its bytes are missing.

    direction   None for an error of the connection
    """

    direction: Direction | None
    time_ns: int | None
    text: bool
    payload: bytes | None


@dataclass
class _Entry:
    """What is known of an entry so far."""

    kernel_id: str | None = None
    subprotocol: str | None = None
    started_ns: int | None = None
    has_request: bool = False
    has_response: bool = False
    number: int = 0


def origin(survey: Survey) -> Origin:
    return Origin("har", survey.creator, MISSING)


def read(events: Events, survey: Survey) -> Iterator[Found]:
    """What a HAR file has of kernels; `events` are those after its first `start_map`."""
    numbers = iter(range(1, 1 << 32))
    for name, value in members(events):
        if name != "log" or value[0] != "start_map":
            skip(value, events)
            continue
        for inner, its in members(events):
            if inner == "entries" and its[0] == "start_array":
                survey.is_har = True
                for entry in elements(events):
                    yield from _entry(entry, events, survey, numbers)
            elif inner == "creator":
                said = scalars(its, events)
                words = (said.get("name"), said.get("version"))
                survey.creator = " ".join(word for word in words if isinstance(word, str))[:100]
            else:
                skip(its, events)


def _entry(first: Event, events: Events, survey: Survey, numbers: Iterator[int]) -> Iterator[Found]:
    if first[0] != "start_map":
        skip(first, events)
        return
    entry = _Entry()
    with Waiting() as waiting:
        for name, value in members(events):
            if name == "request":
                url = scalars(value, events).get("url")
                match = _KERNEL.search(url) if isinstance(url, str) else None
                entry.kernel_id = match[1] if match else None
                entry.has_request = True
            elif name == "response":
                entry.subprotocol = _subprotocol(value, events)
                entry.has_response = True
            elif name == "startedDateTime":
                entry.started_ns = _started(value[1])
                skip(value, events)
            elif name == "_webSocketMessages" and value[0] == "start_array":
                yield from _messages(entry, waiting, events, numbers)
            else:
                skip(value, events)
        if entry.kernel_id is None:
            return
        for frame in waiting:
            yield from _found(entry, _Frame(*frame), numbers)
    survey.silent += not entry.number


def _messages(
    entry: _Entry, waiting: Waiting, events: Events, numbers: Iterator[int]
) -> Iterator[Found]:
    """The messages that an entry has; they wait while it is not known what they belong to.

    Chrome writes them before all else of the entry.
    """
    for element in elements(events):
        if entry.has_request and entry.kernel_id is None:
            skip(element, events)
            continue
        frame = _frame(scalars(element, events))
        if frame is None:
            continue
        if entry.has_request and entry.has_response:
            yield from _found(entry, frame, numbers)
        else:
            waiting.add(frame)


def _frame(message: dict[str, Any]) -> _Frame | None:
    """None for a control frame, and for what is no message at all."""
    time_ns, opcode = _time_ns(message.get("time")), message.get("opcode")
    direction = _DIRECTIONS.get(str(message.get("type")))
    if direction is not None and opcode in (_TEXT, _BINARY):
        text = opcode == _TEXT
        return _Frame(direction, time_ns, text, _payload(message.get("data"), text=text))
    return _Frame(None, time_ns, False, None) if message.get("type") == "error" else None


def _subprotocol(first: Event, events: Events) -> str | None:
    """The subprotocol that the server chose, "" for none; None where there are no headers."""
    if first[0] != "start_map":
        skip(first, events)
        return None
    chosen = None
    for name, value in members(events):
        if name != "headers" or value[0] != "start_array":
            skip(value, events)
            continue
        for element in elements(events):
            header = scalars(element, events)
            chosen = chosen or ""
            if str(header.get("name")).lower() == _PROTOCOL:
                chosen = str(header.get("value")).strip()
    return chosen


def _found(entry: _Entry, frame: _Frame, numbers: Iterator[int]) -> Iterator[Found]:
    direction, time_ns, text, payload = frame
    if direction is None:
        if entry.number:
            yield Lost(entry.number, time_ns, "client_disconnected", "an error of the WebSocket")
        return
    if not entry.number:
        entry.number = next(numbers)
        yield Opened(entry.number, entry.kernel_id or "", entry.started_ns)
    if payload is None:
        why = "the HAR file has a message without its bytes"
        yield Lost(entry.number, time_ns, "gap", why)
        return
    encoding = _encoding(payload, entry.subprotocol, text=text)
    yield Captured(entry.number, time_ns, direction, encoding, payload)


def _payload(data: object, *, text: bool) -> bytes | None:
    if not isinstance(data, str):
        return None
    if text:
        return data.encode("utf-8", "surrogatepass")
    try:
        return b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None


def _encoding(payload: bytes, subprotocol: str | None, *, text: bool) -> Encoding:
    """Where the headers are missing, by the offsets: one protocol's make no sense in the other."""
    if subprotocol is None and not text:
        return "v1" if find(payload, "v1") else "binary"
    return encoding_of(text=text, subprotocol=subprotocol)


def _time_ns(seconds: object) -> int | None:
    """Nanoseconds; None for what is no time in this or the next century."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | Decimal):
        return None
    return int(seconds * NANOSECONDS) if 0 < seconds < _LAST_SECOND else None


def _started(text: object) -> int | None:
    with suppress(ValueError, OverflowError, TypeError):
        started = datetime.fromisoformat(str(text))
        if started.tzinfo is not None:
            return _time_ns(Decimal(str(started.timestamp())))
    return None
