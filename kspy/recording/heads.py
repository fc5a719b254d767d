"""What the index needs of a message: its header, its parent's id, its outcome.

Theory of operation: this is done once a message while it is recorded, so what is slow here slows
a tap. Over ZeroMQ, and in a v1 payload, the parts stand apart and only small ones are decoded. A
JSON payload is decoded as a whole, by the fast decoder; where that fails, part by part. Of a large
one the beginning is enough if it has the header: what servers send does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from kspy.recording.outcome import OutcomeFinder
from kspy.wire.frames import CHANNELS, DELIMITER
from kspy.wire.message import ENCODED, TO_CLIENT, encoding_in, text
from kspy.wire.packers import DECODE_LIMIT, decode_header
from kspy.wire.websocket import LARGE, Encoding, fast_object, find

_HB: Final = CHANNELS.index("hb")
_IOPUB: Final = CHANNELS.index("iopub")
_CACHED: Final = 1 << 12
_EMPTY: Final[Mapping[str, Any]] = {}


Head = tuple[Mapping[str, Any], str, int]
"""Header, parent's id and outcome: empty and 0 where they cannot be read."""

Heads = Iterable[Head]

_NONE: Final[Head] = (_EMPTY, "", 0)


class HeadFinder:
    """Finds the heads of messages, chunk by chunk; remembers parents, which come often."""

    def __init__(self) -> None:
        self._parents: dict[bytes, str] = {}
        self._outcomes = OutcomeFinder()

    def find(
        self,
        routes: Iterable[int],
        flags: Iterable[int],
        lengths: Sequence[int],
        frames: Sequence[bytes],
        firsts: Sequence[int],
    ) -> Iterator[Head]:
        """The head of each message, whose frames are those from one of `firsts` to the next."""
        delimiter, parents, outcome = frames.index, self._parents, self._outcomes.find
        for route, flag, (first, stop) in zip(routes, flags, pairwise(firsts), strict=True):
            if route & 7 == _HB:
                yield _NONE
                continue
            if flag & ENCODED:
                one = stop == first + 1
                yield self._of_payload(frames[first], lengths[first], route, flag) if one else _NONE
                continue
            try:
                at = delimiter(DELIMITER, first, stop)
            except ValueError:
                at = stop
            if at + 6 > stop:
                yield _NONE
                continue
            header = decode_header(frames[at + 2]) or _EMPTY
            raw_parent = frames[at + 3]
            parent_id = parents.get(raw_parent)
            if parent_id is None:
                parent_id = self._parent_id(raw_parent)
            yield header, parent_id, outcome(route, text(header.get("msg_type")), frames[at + 5])

    def _parent_id(self, raw: bytes) -> str:
        if len(self._parents) > 10_000:
            self._parents.clear()  # only a cache: the messages of one thread come together
        parent_id = text((decode_header(raw) or {}).get("msg_id"))
        if len(raw) <= _CACHED:
            self._parents[raw] = parent_id
        return parent_id

    def _of_payload(self, payload: bytes, size: int, route: int, flag: int) -> Head:
        """The head of a message over WebSocket, of which no more is read than of others."""
        encoding = encoding_in(flag)
        if encoding == "v1":
            return self._of_spans(payload[:DECODE_LIMIT], size, encoding, route) or _NONE
        if size > LARGE:
            head = self._of_spans(payload[:LARGE], size, encoding, route, enough=True)
            if head is not None:
                return head
        if size <= DECODE_LIMIT:
            value = fast_object(payload, encoding)
            if value is not None:
                return self._of_object(value, route)
        return self._of_spans(payload[:DECODE_LIMIT], size, encoding, route) or _NONE

    def _of_spans(
        self, payload: bytes, size: int, encoding: Encoding, route: int, *, enough: bool = False
    ) -> Head | None:
        """The head by where its parts are in a payload, or in its beginning.

        None where there is no header; with `enough`, too, where the parent's id, or the content
        of a reply, with its outcome, may lie behind it.
        """
        layout = find(payload, encoding, size)
        if layout is None:
            return None
        header, parent_header, _, content = (
            payload[start:stop] if stop <= len(payload) else b"" for start, stop in layout.parts
        )
        if encoding != "v1" and not header.startswith(b"{"):
            return None
        is_reply = route & TO_CLIENT and route & 7 != _IOPUB
        if enough and not (parent_header and (content or not is_reply)):
            return None
        return self._of_parts(header, parent_header, content, route)

    def _of_object(self, value: Mapping[str, Any], route: int) -> Head:
        header, parent, content = (
            found if isinstance(found := value.get(name), dict) else _EMPTY
            for name in ("header", "parent_header", "content")
        )
        outcome = self._outcomes.find_decoded(route, text(header.get("msg_type")), content)
        return header, text(parent.get("msg_id")), outcome

    def _of_parts(self, raw_header: bytes, raw_parent: bytes, content: bytes, route: int) -> Head:
        header = decode_header(raw_header) or _EMPTY
        parent_id = self._parents.get(raw_parent)
        if parent_id is None:
            parent_id = self._parent_id(raw_parent)
        outcome = self._outcomes.find(route, text(header.get("msg_type")), content)
        return header, parent_id, outcome
