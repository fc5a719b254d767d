"""Make the messages of one client. Pure, but for the time and the random numbers in a header.

Rules: messaging specification, "General Message Format" and "Message header".
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from kspy.wire.frames import Channel

PROTOCOL_VERSION: Final = "5.5"
USERNAME: Final = "kspy"
"""In every header; the user's own name is nobody's business."""

_CHANNELS: Final[dict[str, Channel]] = {
    "shutdown_request": "control",
    "interrupt_request": "control",
    "debug_request": "control",
    "create_subshell_request": "control",
    "delete_subshell_request": "control",
    "list_subshell_request": "control",
    "input_reply": "stdin",
}


class Outgoing(NamedTuple):
    """A message that is not encoded yet."""

    channel: Channel
    header: Mapping[str, Any]
    parent_header: Mapping[str, Any]
    metadata: Mapping[str, Any]
    content: Mapping[str, Any]
    buffers: Sequence[bytes]


def usual_channel(msg_type: str) -> Channel:
    """The channel on which the specification has messages of this type; shell for unknown ones."""
    return _CHANNELS.get(msg_type, "shell")


def new_session() -> str:
    return uuid.uuid4().hex


def new_header(msg_type: str, session: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """A header with a `msg_id` of its own; `more` is added to it, or takes a field's place."""
    return {
        "msg_id": uuid.uuid4().hex,
        "msg_type": msg_type,
        "session": session,
        "username": USERNAME,
        "date": datetime.now(UTC).isoformat(),
        "version": PROTOCOL_VERSION,
        **more,
    }
