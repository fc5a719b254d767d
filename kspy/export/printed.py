"""What a message shows to a person who runs code: its text in full, beneath the message's line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from kspy.analysis.sanitize import one_line
from kspy.recording.outcome import ERROR_TYPES
from kspy.wire.message import Message, text

_BAR: Final = "           │ "
_SHORT: Final = 60
"""Characters of a single line that the message's own line shows as well."""


def printed_lines(message: Message) -> Iterator[str]:
    """The lines, safe for a terminal; none where the message's own line shows all."""
    said, always = _said(message)
    said = said.removesuffix("\n")
    if said and (always or "\n" in said or len(said) > _SHORT):
        for line in said.split("\n"):
            yield (_BAR + one_line(line)).rstrip()


def _said(message: Message) -> tuple[str, bool]:
    """The text of a message, and whether it is shown however short it is."""
    content, msg_type = message.content, message.msg_type
    if msg_type == "stream":
        return text(content.get("text")), False
    if msg_type in ERROR_TYPES:
        return "\n".join(map(text, _list(content.get("traceback")))), True
    if msg_type in ("execute_result", "display_data", "update_display_data"):
        return _plain(content), False
    if msg_type == "execute_reply":  # pages: what `print?` shows
        return "\n".join(_plain(payload) for payload in _list(content.get("payload"))), True
    if msg_type.endswith("_reply") and message.direction == "to_client":
        return _json(content), True
    return "", False


def _plain(content: object) -> str:
    data = content.get("data") if isinstance(content, dict) else None
    return text(data.get("text/plain")) if isinstance(data, dict) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _json(content: object) -> str:
    try:
        return json.dumps(content, indent=2, ensure_ascii=False, default=repr)
    except (RecursionError, TypeError, ValueError):  # nested too deep; keys of msgpack
        return ""
