"""Messages that are the same at first sight: their bytes are, but for what varies in headers.

Most of two sessions is that, and is compared so many times faster. What is not the same at first
sight may be so at the second: see `kspy.analysis.sameness.comparing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from kspy.analysis.sameness.comparing import Comparer
from kspy.analysis.sameness.requests import may_name
from kspy.analysis.sameness.rules import MESSAGE_IDS
from kspy.wire.message import DECODE_LIMIT, Message, text
from kspy.wire.packers import decode_header

_NEEDED: Final = (MESSAGE_IDS, "dates", "sessions", "clients")
"""Rules without which no two messages are the same at first sight."""
_VARYING: Final = frozenset(("msg_id", "date", "session"))
_KNOWN: Final = frozenset((*_VARYING, "msg_type", "username", "version"))
_USER: Final = "username"
_SEEN: Final = 1000
_LONGEST: Final = 4096


class _Parent(NamedTuple):
    counting: Mapping[str, Any] | None
    msg_id: str


class AtSight:
    """What a comparer would find the same, told without decoding contents."""

    def __init__(self, comparer: Comparer) -> None:
        rules = comparer.rules
        self._ids, self._texts = comparer.ids, comparer.names
        self._references = comparer.references
        self._possible = all(map(rules.has, _NEEDED))
        self._left_out = _VARYING | ({_USER} if rules.has("user names") else set())
        self._names: dict[str, list[bytes]] = {}
        self._parents: dict[bytes, _Parent] = {}

    def same(self, old: Message, new: Message) -> bool:
        """False: they may or may not be the same."""
        a, b = old.parts, new.parts
        return (
            self._possible
            and a is not None
            and b is not None
            and old.recorded_flags == new.recorded_flags
            and a.content == b.content
            and a.metadata == b.metadata
            and max(old.size, new.size) <= DECODE_LIMIT
            and not (old.truncated or new.truncated)
            and self._same_parent(a.parent_header, b.parent_header, a.content)
            and self._same_header(a.header, b.header, a.content)
            and not self._texts.may_be_in(a.metadata)
            and list(old.buffers) == list(new.buffers)
        )

    def _same_header(self, old: bytes, new: bytes, content: bytes) -> bool:
        """Are they, in messages whose content has no ids?"""
        found, other = (self._what_counts(decode_header(raw)) for raw in (old, new))
        if found is None or found != other:
            return False
        msg_type = found.get("msg_type", "")
        return not (
            self._has_ids(msg_type, content)
            or self._texts.may_be_in(content)
            or self._references.concerns(msg_type, content)
        )

    def _same_parent(self, old: bytes, new: bytes, content: bytes) -> bool:
        """Are they, in messages whose content names no request?"""
        if len(self._parents) > _SEEN:
            self._parents.clear()  # only a cache: those of one thread come together
        found, other = (
            self._parents[raw] if raw in self._parents else self._parent(raw) for raw in (old, new)
        )
        if found.counting is None or found.counting != other.counting:
            return False
        return not may_name(content, found.msg_id, other.msg_id)

    def _parent(self, raw: bytes) -> _Parent:
        header = decode_header(raw)
        found = _Parent(self._what_counts(header), text((header or {}).get("msg_id")))
        if len(raw) <= _LONGEST:
            self._parents[raw] = found
        return found

    def _what_counts(self, header: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """What of it must be equal; None where there is more than texts of known names."""
        if header is None or not _KNOWN.issuperset(header):
            return None
        if not all(isinstance(value, str) for value in header.values()):
            return None
        return {name: value for name, value in header.items() if name not in self._left_out}

    def _has_ids(self, msg_type: str, content: bytes) -> bool:
        """May there be ids in it?"""
        known = self._names.get(msg_type)
        if known is None:
            known = [name.encode() for name in self._ids.names(msg_type)]
            if len(self._names) < _SEEN:
                self._names[msg_type] = known
        return any(name in content for name in known)
