"""Notice from the clients' own pings when a kernel's heart stops.

The tap sends no pings itself: a kernel must not be able to tell that it is watched. So without
a client that pings there is no such event.
"""

from __future__ import annotations

from typing import Any, Final

LOST_AFTER_NS: Final = 3_000_000_000


class Heartbeat:
    """Pings and pongs in; "heartbeat_lost" and "heartbeat_back" out, with `waited_ns`."""

    def __init__(self) -> None:
        self._unanswered: int | None = None
        self._lost = False

    def ping(self, time_ns: int) -> None:
        if self._unanswered is None:
            self._unanswered = time_ns

    def pong(self, time_ns: int) -> tuple[str, dict[str, Any]] | None:
        since, self._unanswered = self._unanswered, None
        if not self._lost or since is None:
            return None
        self._lost = False
        return "heartbeat_back", {"waited_ns": time_ns - since}

    def check(self, time_ns: int) -> tuple[str, dict[str, Any]] | None:
        """Call now and then."""
        since = self._unanswered
        if self._lost or since is None or time_ns - since < LOST_AFTER_NS:
            return None
        self._lost = True
        return "heartbeat_lost", {"waited_ns": time_ns - since}
