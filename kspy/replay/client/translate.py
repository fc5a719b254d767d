"""A recorded message as it is sent now: with new ids, and else as it was.

New are the message's id, its session (one for each that was recorded), and its date. What it is a
parent of, or refers to by its id or by one that the kernel made, is what has taken its place. All
else is sent byte for byte: contents that need no new id, fields that nobody knows, other packers,
what does not decode. Rules: messaging specification, "General Message Format".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgpack

from kspy.analysis.difference import value_of
from kspy.analysis.sameness.ids import Ids
from kspy.errors import KspyError
from kspy.speak.compose import new_session
from kspy.wire.frames import Channel, Parts, split
from kspy.wire.message import BAD_SIGNATURE, Message, text
from kspy.wire.packers import Packer, decode
from kspy.wire.websocket import cut, find

_NOTHING: Final = b"{}"
_DEEPEST: Final = 100
_ID_NAMES: Final = ("comm_id", "subshell_id")
"""Fields of content that are ids which a kernel may have made."""


class Letter(NamedTuple):
    """`parts` are header, parent_header, metadata and content; `signed`: with a right signature."""

    channel: Channel
    msg_id: str
    parts: Sequence[bytes]
    buffers: Sequence[bytes]
    signed: bool


class CannotSendError(KspyError):
    """A message cannot be sent. It says why, as in "2 messages: …"."""


class Translator:
    """Knows what has taken whose place, over all clients of one replay."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._msg_ids: dict[str, str] = {}
        self._sessions: dict[str, str] = {}

    def session(self, old: str) -> str:
        """The session that stands for a recorded one."""
        return self._sessions.setdefault(old, new_session())

    def learn(self, old: Message, new: Message) -> None:
        """Two messages of the kernel belong together: so do the names in them."""
        a, b = value_of(old), value_of(new)
        self._ids.learn(old.msg_type, a, b)
        if old.msg_type == "debug_reply":  # the file of a cell, in which breakpoints are set
            path, new_path = (_source_path(value) for value in (a, b))
            if path and new_path:
                self._ids.pair(path, new_path)

    def letter(self, message: Message, question: Message | None = None) -> Letter:
        """What is sent for a recorded message.

        question   the new `input_request` that it answers

        Raises `CannotSendError`.
        """
        parts = _parts(message)
        header, msg_id = self._header(parts.header)
        parent = parts.parent_header
        if question is not None and question.parts is not None and _is_named(parent):
            parent = question.parts.header
        else:
            parent = self._parent(parent)
        rest = [self._renamed(part or _NOTHING) for part in (parts.metadata, parts.content)]
        if self._ids.concerns(message.msg_type):
            rest[1] = self._with_ids(rest[1])
        return Letter(
            message.channel,
            msg_id,
            [header, parent or _NOTHING, *rest],
            list(parts.buffers),
            not message.recorded_flags & BAD_SIGNATURE,
        )

    def _header(self, raw: bytes) -> tuple[bytes, str]:
        """A header with new ids, and the message's; what is none stays as it is."""
        decoded = decode(raw)
        if decoded is None:
            return raw, ""
        value = dict(decoded.value)
        old_id, session = value.get("msg_id"), value.get("session")
        if isinstance(old_id, str):
            value["msg_id"] = self._msg_ids.setdefault(old_id, uuid.uuid4().hex)
            self._ids.pair(old_id, value["msg_id"])
        if isinstance(session, str):
            value["session"] = self.session(session)
        if isinstance(value.get("date"), str):
            value["date"] = datetime.now(UTC).isoformat()
        if isinstance(subshell := value.get("subshell_id"), str):
            value["subshell_id"] = self._ids.new_of(subshell)
        return _encode(value, decoded.packer, raw), text(value.get("msg_id"))

    def _parent(self, raw: bytes) -> bytes:
        """The header of another client's message, which has new ids, too."""
        decoded = decode(raw) if raw not in (b"", _NOTHING) else None
        if decoded is None:
            return raw
        value, known = decoded.value, (("msg_id", self._msg_ids), ("session", self._sessions))
        new = {name: ids[old] for name, ids in known if (old := text(value.get(name))) in ids}
        return _encode({**value, **new}, decoded.packer, raw) if new else raw

    def _renamed(self, raw: bytes) -> bytes:
        """Content or metadata with new ids; the very same bytes where it has none."""
        if not self._ids:
            return raw
        try:
            old = raw.decode()
        except UnicodeDecodeError:
            old = ""
        if old.lstrip().startswith("{"):
            new = self._ids.forward(old)
            return raw if new == old else new.encode()
        decoded = decode(raw)
        if decoded is None:
            return raw
        value = self._in_value(decoded.value, 0)
        return raw if value == decoded.value else _encode(value, decoded.packer, raw)

    def _with_ids(self, raw: bytes) -> bytes:
        """Content with new ids where ids stand, be they such as might be words elsewhere."""
        decoded = decode(raw)
        if decoded is None:
            return raw
        value = {**decoded.value}
        for name in _ID_NAMES:
            if isinstance(old := value.get(name), str):
                value[name] = self._ids.new_of(old)
        return raw if value == decoded.value else _encode(value, decoded.packer, raw)

    def _in_value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._ids.forward(value)
        if depth > _DEEPEST:
            return value
        if isinstance(value, list):
            return [self._in_value(inner, depth + 1) for inner in value]
        if isinstance(value, dict):
            return {
                self._in_value(key, depth + 1): self._in_value(inner, depth + 1)
                for key, inner in value.items()
            }
        return value


def _parts(message: Message) -> Parts:
    if message.truncated:
        raise CannotSendError("the recording has lost some of their bytes")
    if message.encoding == "zmq":
        parts = split(message.frames)
    else:
        layout = find(message.frames[0], message.encoding) if message.frames else None
        parts = cut(message.frames[0], layout) if layout and layout.whole else None
    if parts is None:
        raise CannotSendError("they are no Jupyter messages")
    if message.channel not in ("shell", "control", "stdin") or "no_channel" in message.flags:
        raise CannotSendError("they name no channel that a kernel listens on")
    return parts


def _is_named(parent: bytes) -> bool:
    """Does a parent header say which message it is?"""
    decoded = decode(parent)
    return decoded is not None and bool(text(decoded.value.get("msg_id")))


def _source_path(value: Mapping[str, Any]) -> str:
    content = value.get("content")
    body = content.get("body") if isinstance(content, dict) else None
    return text(body.get("sourcePath")) if isinstance(body, dict) else ""


def _encode(value: Mapping[str, Any], packer: Packer, raw: bytes) -> bytes:
    """By the same packer; `raw` where that has no words for it."""
    try:
        if packer == "msgpack":
            packed: bytes = msgpack.packb(value)
            return packed
        return json.dumps(value, separators=(",", ":")).encode()
    except (ValueError, TypeError, RecursionError, OverflowError):
        return raw
