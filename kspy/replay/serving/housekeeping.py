"""Requests that every frontend makes and that have an honest answer, recorded or not.

Rules: messaging specification, the sections of these requests.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from kspy.replay.serving.book import Book
from kspy.replay.serving.comms import Comms
from kspy.replay.serving.request import Request
from kspy.replay.serving.wording import kernel_info

OWN: Final = frozenset(
    (
        "kernel_info_request", "connect_request", "comm_info_request", "interrupt_request",
        "create_subshell_request", "delete_subshell_request", "list_subshell_request",
    )
)  # fmt: skip
"""Those that are about the served kernel itself: no other kernel has a better answer."""

STATEFUL: Final = frozenset(("comm_info_request",))
"""Those whose recorded answers hold once only."""


class Housekeeping:
    """Answers from what the served kernel is, and how things stand."""

    def __init__(self, book: Book, ports: Mapping[str, int], comms: Comms) -> None:
        self._book = book
        self._ports = dict(ports)
        self.comms = comms
        self._subshells: dict[str, None] = {}

    def answer(self, request: Request) -> dict[str, Any] | None:
        """The content of the reply; None for what has to be recorded."""
        content = request.content
        match request.msg_type:
            case "kernel_info_request":
                return kernel_info(self._book, self._book.table.recording.metadata)
            case "is_complete_request":
                return {"status": "unknown"}
            case "comm_info_request":
                return self.comms.info(content.get("target_name"))
            case "history_request":
                return {"status": "ok", "history": []}
            case "connect_request":
                return {"status": "ok", **self._ports}
            case "interrupt_request":
                return {"status": "ok"}
            case "create_subshell_request":
                subshell = uuid.uuid4().hex
                self._subshells[subshell] = None
                return {"status": "ok", "subshell_id": subshell}
            case "delete_subshell_request":
                self._subshells.pop(str(content.get("subshell_id")), None)
                return {"status": "ok"}
            case "list_subshell_request":
                return {"status": "ok", "subshell_id": list(self._subshells)}
        return None
