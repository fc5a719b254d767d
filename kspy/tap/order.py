"""Put what was captured into the order in which it happened, and find out whom it belongs to.

The relays of the channels run side by side, and a copy is made after the message was passed on.
So, rarely, the copy of a kernel's answer is there before the copy of the request. `Order` holds
an answer to an unknown request back for a few milliseconds; when the request turns up it goes
first, at the earlier of both times, and with it what came before it on its channel, whose order
is certain. What comes after the answer waits behind it, so that times never run backwards.

Pure: time comes in with the captures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from kspy.tap.captures import Capture
from kspy.wire.frames import CHANNELS, DELIMITER
from kspy.wire.message import TO_CLIENT, text
from kspy.wire.packers import decode_header

HOLD_NS: Final = 5_000_000
_REMEMBERED: Final = 100_000
_HB: Final = CHANNELS.index("hb")


class Ordered(NamedTuple):
    """A capture in its place. `at` is where its delimiter is, -1 where it has none.

    `session` is the header's, of what goes to the kernel; `parent` is the `session` of the
    request that this answers, where it was recorded.
    """

    capture: Capture
    at: int
    session: str
    parent: str


class _Request(NamedTuple):
    msg_id: str
    session: str


_Held = tuple[Capture, int, _Request | None]


class Order:
    """Captures in, the same captures out, a request always before its answers."""

    def __init__(self) -> None:
        self._held: deque[_Held] = deque()
        self._sessions: dict[str, str] = {}
        self._parents: dict[bytes, str] = {}

    @property
    def holding(self) -> bool:
        return bool(self._held)

    def add(self, capture: Capture) -> Iterator[Ordered]:
        """Take the next capture; give what can be told by now."""
        at = _delimiter(capture)
        request = None
        if not capture.route & TO_CLIENT and at >= 0:
            header = decode_header(capture.frames[at + 2]) or {}
            request = _Request(text(header.get("msg_id")), text(header.get("session")))
        if self._held:
            self._held.append((capture, at, request))
            yield from self.release(capture.time_ns)
        elif self._waits(capture, at):
            self._held.append((capture, at, request))
        else:
            yield self._emit(capture, at, request)

    def release(self, now_ns: int) -> Iterator[Ordered]:
        """Give what was held back and waits no more, at the time `now_ns`."""
        while self._held:
            capture, at, request = self._held[0]
            if self._waits(capture, at):
                parent_id = _msg_id(capture.frames[at + 3])
                late = self._pull(parent_id, capture.route & 7)
                if not late and now_ns - capture.time_ns < HOLD_NS:
                    return
                for earlier, its_at, its_request in late:
                    yield self._emit(earlier._replace(time_ns=capture.time_ns), its_at, its_request)
                if not late:
                    self._remember(parent_id, "")  # from before the tap began: do not wait again
            self._held.popleft()
            yield self._emit(capture, at, request)

    def _waits(self, capture: Capture, at: int) -> bool:
        """Is this the answer to a request that was not seen yet?"""
        if not capture.route & TO_CLIENT or at < 0:
            return False
        raw = capture.frames[at + 3]
        if raw in self._parents:
            return False
        parent_id = _msg_id(raw)
        return bool(parent_id) and parent_id not in self._sessions

    def _pull(self, msg_id: str, channel: int) -> list[_Held]:
        """Take the request with this id, and what precedes it on its channel, out of what is held.

        On the answer's own `channel` the order is certain: there it stays.
        """
        for place, held in enumerate(self._held):
            if held[2] is not None and held[2].msg_id == msg_id:
                own = held[0].route & 7
                if own == channel:
                    return []
                items = list(self._held)
                late = [item for item in items[: place + 1] if item[0].route & 7 == own]
                rest = [item for item in items[: place + 1] if item[0].route & 7 != own]
                self._held = deque([*rest, *items[place + 1 :]])
                return late
        return []

    def _emit(self, capture: Capture, at: int, request: _Request | None) -> Ordered:
        if request is not None:
            if request.msg_id:
                self._remember(request.msg_id, request.session)
            return Ordered(capture, at, request.session, "")
        if at < 0 or not capture.route & TO_CLIENT:
            return Ordered(capture, at, "", "")
        raw = capture.frames[at + 3]
        parent = self._parents.get(raw)
        if parent is None:
            parent = self._sessions.get(_msg_id(raw), "")
            if len(self._parents) >= _REMEMBERED:
                self._parents.clear()
            self._parents[raw] = parent
        return Ordered(capture, at, "", parent)

    def _remember(self, msg_id: str, session: str) -> None:
        if len(self._sessions) >= _REMEMBERED:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[msg_id] = session


def _delimiter(capture: Capture) -> int:
    if capture.route & 7 == _HB:
        return -1
    try:
        at = capture.frames.index(DELIMITER)
    except ValueError:
        return -1
    return at if len(capture.frames) >= at + 6 else -1


def _msg_id(raw: bytes) -> str:
    return text((decode_header(raw) or {}).get("msg_id"))
