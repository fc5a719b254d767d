"""What a message says about how things stand: one byte, kept in the index.

With it the state of every request, the kernel's state at any moment and where the errors are
can be told of a million messages without decoding one. Rules: messaging specification,
"Request-Reply" (`status` of replies), "Kernel status" and "Execution errors".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kspy.wire.frames import CHANNELS
from kspy.wire.message import TO_CLIENT
from kspy.wire.packers import decode

OUTCOMES: Final = ("", "ok", "error", "aborted", "busy", "idle", "starting")
"""Names of the codes, in their order. Codes that a reader does not know count as 0."""

NOTHING, OK, ERROR, ABORTED, BUSY, IDLE, STARTING = range(len(OUTCOMES))

ERROR_TYPES: Final = frozenset(("error", "pyerr"))
_ABORTED_STATUSES: Final = ("aborted", "abort")
"""The second one stands in parts of the messaging specification by mistake; kernels send it."""

_IOPUB: Final = CHANNELS.index("iopub") | TO_CLIENT
_STATES: Final = {"busy": BUSY, "idle": IDLE, "starting": STARTING}
_SUSPECT: Final = (b"error", b"abort", b"success", b"ename")
_SMALL: Final = 256
_MANY: Final = 1000


class OutcomeFinder:
    """Finds outcomes. Remembers short contents: a kernel says `busy` in the same bytes always."""

    def __init__(self) -> None:
        self._states: dict[bytes, int] = {}

    def find(self, route: int, msg_type: str, content: bytes) -> int:
        """The code of a message, by its route byte, its type and the bytes of its content."""
        if route == _IOPUB:
            if msg_type == "status":
                state = self._states.get(content)
                return self._state(content) if state is None else state
            return ERROR if msg_type in ERROR_TYPES else NOTHING
        if not (route & TO_CLIENT and msg_type.endswith("_reply")):
            return NOTHING
        if not any(word in content for word in _SUSPECT):
            return OK
        decoded = decode(content)
        return reply_outcome(msg_type, decoded.value) if decoded else OK

    def find_decoded(self, route: int, msg_type: str, content: Mapping[str, Any]) -> int:
        """As `find`, of a content that is decoded already."""
        if route == _IOPUB:
            if msg_type == "status":
                return _state_in(content)
            return ERROR if msg_type in ERROR_TYPES else NOTHING
        if not (route & TO_CLIENT and msg_type.endswith("_reply")):
            return NOTHING
        return reply_outcome(msg_type, content)

    def _state(self, content: bytes) -> int:
        decoded = decode(content)
        code = _state_in(decoded.value) if decoded else NOTHING
        if len(content) <= _SMALL and len(self._states) < _MANY:
            self._states[content] = code
        return code


def _state_in(content: Mapping[str, Any]) -> int:
    state = content.get("execution_state")
    return _STATES.get(state, NOTHING) if isinstance(state, str) else NOTHING


def reply_outcome(msg_type: str, content: Mapping[str, Any]) -> int:
    """What a reply says about its request. What is neither error nor aborted is ok."""
    status = content.get("status", "error" if "ename" in content else None)
    if status == "error" or (msg_type == "debug_reply" and content.get("success") is False):
        return ERROR
    return ABORTED if status in _ABORTED_STATUSES else OK
