"""A debugger's messages, as a `debug_request` carries them.

Rules: Debug Adapter Protocol, "Base Protocol": who asks numbers its messages by `seq`, and the
reply has that as its `request_seq`; "Initialize Request": how the asking tool calls itself, and
the debugger.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kspy.analysis.sameness.keys import part_key
from kspy.analysis.sameness.rules import Rules
from kspy.replay.serving.request import Request
from kspy.replay.serving.speaker import Recorded, Rename
from kspy.wire.message import Message

REQUEST: Final = "debug_request"
_NAMES: Final = frozenset(("adapterID", "clientID", "clientName", "locale"))
"""Arguments of `initialize` that are about who asks. JupyterLab's `adapterID` is the kernelspec."""

_ASKED: Final = re.compile(r'(?<!\\)("request_seq"\s*:\s*)(-?\d+)')


def asked_key(message: Message) -> bytes:
    """Equal where the same command is given the same arguments, none or an empty map."""
    return part_key(message, _asked(message))


def anyones_key(message: Message, rules: Rules | None = None) -> bytes:
    """And whoever it is that asks; with `rules` but for what varies by nature."""
    asked = _asked(message)
    if asked["command"] == "initialize" and isinstance(asked["arguments"], Mapping):
        told = asked["arguments"]
        asked["arguments"] = {name: told[name] for name in told if name not in _NAMES}
    return part_key(message, asked, rules)


def _asked(message: Message) -> dict[str, Any]:
    content = message.content
    return {"command": content.get("command"), "arguments": content.get("arguments") or {}}


def numbered(recorded: Recorded, request: Request) -> Rename | None:
    """How the reply to such a request gets its number; None where the recorded one holds."""
    old, new = recorded.asked_seq, request.content.get("seq")
    if old is None or type(new) is not int or old == new:
        return None
    return lambda said: _ASKED.sub(
        lambda found: f"{found[1]}{new}" if found[2] == str(old) else found[0], said
    )
