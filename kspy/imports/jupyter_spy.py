"""What jupyter-spy (github.com/vidartf/jupyter-spy) has logged.

It is a client of a kernel that listens, and writes a JSON array of messages as jupyter_client's
`Session.deserialize` gives them: header, msg_id, msg_type, parent_header, metadata, content,
buffers. Its command logs iopub alone, and leaves out `status`. The bytes, the channel, the time
and the signature are not kept. So a message becomes what the default WebSocket protocol would
send of it, with the channel by its type, and the date of its header.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from kspy.analysis.units import NANOSECONDS
from kspy.imports.captured import Captured, Found, Lost, Opened, Origin
from kspy.imports.json_events import Events, elements, whole
from kspy.wire.frames import Channel, Direction
from kspy.wire.websocket import known_channel

ORIGIN: Final = Origin(
    "jupyter-spy",
    "",
    (
        "the bytes as they were sent: these were written anew",
        "when they passed: the times are those of the sender's clock",
        "the channels: they are told from the types",
        "what other clients sent to the kernel",
        "buffers, identities and signatures",
        "status messages, where jupyter-spy was started as a command",
        "heartbeats",
    ),
)

_DIGITS: Final = 4000
"""Of an integer that Python reads and writes without being asked to."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read(events: Events) -> Iterator[Found]:
    """The messages of an array whose `start_array` was read. What is no message is left out."""
    opened = False
    for element in elements(events):
        value = whole(element, events)
        header = value.get("header") if isinstance(value, dict) else None
        if not isinstance(header, dict) or not isinstance(header.get("msg_type"), str):
            continue
        if not opened:
            opened = True
            yield Opened(1, "")
        yield _found(value, header)


def _found(message: Mapping[str, Any], header: Mapping[str, Any]) -> Found:
    msg_type, time_ns = header["msg_type"], _time_ns(header.get("date"))
    asks = msg_type.endswith("_request") and msg_type != "input_request"
    asks = asks or msg_type == "input_reply"
    channel = known_channel(message.get("channel")) or _channel_of(msg_type)
    try:
        written = json.dumps({**message, "channel": channel}, default=_number, allow_nan=False)
    except (RecursionError, ValueError):
        return Lost(1, time_ns, "gap", "a message that cannot be written anew")
    direction: Direction = "to_kernel" if asks else "to_client"
    return Captured(1, time_ns, direction, "json", written.encode())


def _channel_of(msg_type: str) -> Channel:
    if msg_type.startswith("input_"):
        return "stdin"
    return "shell" if msg_type.endswith(("_request", "_reply")) else "iopub"


def _number(value: object) -> float:
    """What is too large for a float as an integer; should that be absurd, too, as infinity."""
    if not isinstance(value, Decimal):
        raise TypeError
    number = float(value)
    return int(value) if math.isinf(number) and value.adjusted() < _DIGITS else number


def _time_ns(date: object) -> int | None:
    """Nanoseconds since the epoch; dates without a zone are taken for UTC."""
    with suppress(ValueError, OverflowError):
        found = datetime.fromisoformat(date) if isinstance(date, str) else None
        if found is not None:
            since = (found if found.tzinfo else found.replace(tzinfo=UTC)) - _EPOCH
            microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
            return microseconds * (NANOSECONDS // 1_000_000) if microseconds > 0 else None
    return None
