"""Which comms are open, and for which target: what `comm_info_request` asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kspy.wire.message import text

_MANY: Final = 100_000
"""Comms that are kept in mind; clients and recordings may open them for ever."""


class Comms:
    """Follows `comm_open` and `comm_close`, whoever says them."""

    def __init__(self) -> None:
        self._targets: dict[str, str] = {}

    def see(self, msg_type: str, content: Mapping[str, Any]) -> None:
        comm_id = text(content.get("comm_id"))
        if msg_type == "comm_open" and len(self._targets) < _MANY:
            self._targets[comm_id] = text(content.get("target_name"))
        elif msg_type == "comm_close":
            self._targets.pop(comm_id, None)

    def clear(self) -> None:
        self._targets.clear()

    def info(self, target: object) -> dict[str, Any]:
        """The content of a `comm_info_reply`; of one target, where it is a name."""
        wanted = text(target)
        comms = {
            comm_id: {"target_name": name}
            for comm_id, name in self._targets.items()
            if not wanted or name == wanted
        }
        return {"status": "ok", "comms": comms}
