"""Make a recorded message one that answers a new request; and make the kernel's own messages.

What the recorded kernel said is passed on as it was, byte for byte, broken parts included: a
frontend's bug may hang on them. New are only: in the header `msg_id`, `session` and `date`, where
it has them; the parent header, which is the new request's; and the signature, which is wrong where
the recorded one was.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from kspy.analysis.table import Table
from kspy.errors import KspyError
from kspy.replay.serving.packing import pack
from kspy.replay.serving.request import Request
from kspy.replay.serving.stand_ins import NONE, may_be_ids
from kspy.speak.compose import new_header
from kspy.wire.frames import DELIMITER, Channel, split
from kspy.wire.message import BAD_SIGNATURE, Message, text
from kspy.wire.packers import DECODE_LIMIT, decode
from kspy.wire.signature import SignatureChecker

Frames = list[bytes]
Rename = Callable[[str], str]

_EMPTY: Final = b"{}"
COUNTING: Final = frozenset(("execute_input", "execute_reply"))
"""Types of messages that tell the execution count."""
_HIGHEST: Final = (1 << 53) - 1
"""The largest count that every client can read."""
_KEPT: Final = 512
_SMALL: Final = 1 << 16
"""Messages up to that size, so many of them, are kept ready."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded message, taken apart. `header` is None where it cannot be read.

    parent   place of the message that it answers, or None
    lacks    fields of that message's header that were missing in its parent header
    whole    False: these frames are no Jupyter message
    count    the execution count that it tells of, or None
    asked    id of the message that it answers, or ""
    ids      what may be ids of requests in metadata and content
    asked_seq  of a debugger's reply: the number of what it answers, or None
    opens    the comm that it opens, or ""
    """

    channel: Channel
    frames: Sequence[bytes]
    whole: bool
    msg_type: str = ""
    topic: Sequence[bytes] = ()
    header: Mapping[str, Any] | None = None
    raw_header: bytes = b""
    packs_msgpack: bool = False
    parent: int | None = None
    raw_parent: bytes = b""
    lacks: frozenset[str] = frozenset()
    metadata: bytes = b""
    content: bytes = b""
    buffers: Sequence[bytes] = ()
    bad_signature: bool = False
    count: int | None = None
    asked: str = ""
    ids: frozenset[str] = NONE
    asked_seq: int | None = None
    opens: str = ""


class Speaker:
    """Speaks as a kernel that has `session` and signs with `checker`."""

    def __init__(self, table: Table, checker: SignatureChecker) -> None:
        self.session = uuid.uuid4().hex
        self._table = table
        self._checker = checker
        self._small = lru_cache(_KEPT)(self._take_apart)
        self._said = 0

    # What was recorded

    def recorded(self, place: int) -> Recorded:
        """Raises `KspyError` where the file has lost it."""
        small = self._table.size(place) <= _SMALL
        return self._small(place) if small else self._take_apart(place)

    def _take_apart(self, place: int) -> Recorded:
        message = self._table.load(place)
        parts = split(message.frames) if message.encoding == "zmq" else message.parts
        if message.truncated or (message.encoding != "zmq" and message.size > DECODE_LIMIT):
            why = "the file has lost a part of it" if message.truncated else "it is too large"
            raise KspyError(f"message {message.seq} is left out: {why}")
        if parts is None:
            return Recorded(message.channel, list(message.frames), whole=False)
        decoded = decode(parts.header)
        msg_type = text(decoded.value.get("msg_type")) if decoded else ""
        topic = list(parts.identities)
        if message.encoding != "zmq":
            topic = [self._topic(msg_type, message.content)]
        return Recorded(
            message.channel,
            (),
            True,
            msg_type,
            topic,
            decoded.value if decoded else None,
            parts.header,
            decoded is not None and decoded.packer == "msgpack",
            self._table.parent(place),
            parts.parent_header or _EMPTY,
            self._lacks(place, message),
            parts.metadata or _EMPTY,
            parts.content or _EMPTY,
            list(message.buffers),
            bool(message.recorded_flags & BAD_SIGNATURE),
            _count(message) if msg_type in COUNTING else None,
            message.parent_id,
            may_be_ids(parts.metadata, parts.content),
            self._asked_seq(place) if msg_type == "debug_reply" else None,
            text(message.content.get("comm_id")) if msg_type == "comm_open" else "",
        )

    def _lacks(self, place: int, message: Message) -> frozenset[str]:
        """A kernel that echoes only a part of the header may be what a frontend stumbles over."""
        parent = self._table.parent(place)
        if parent is None:
            return frozenset()
        try:
            asked = self._table.load(parent).header
        except KspyError:
            return frozenset()
        return frozenset(asked) - frozenset(message.parent_header)

    def _asked_seq(self, place: int) -> int | None:
        parent = self._table.parent(place)
        with suppress(KspyError):
            seq = None if parent is None else self._table.load(parent).content.get("seq")
            return seq if type(seq) is int else None
        return None

    def parent(self, recorded: Recorded, header: bytes) -> bytes:
        """The parent header of a message that answers one with this header: verbatim as a rule."""
        if not recorded.lacks:
            return header
        decoded = decode(header)
        if decoded is None:
            return header
        kept = {name: decoded.value[name] for name in decoded.value if name not in recorded.lacks}
        return pack(kept, msgpack=decoded.packer == "msgpack")

    def header(self, recorded: Recorded) -> bytes:
        """Its header as that of a message that is sent now."""
        old = recorded.header
        if old is None:
            return recorded.raw_header
        new = {"msg_id": self._next_id(), "session": self.session, "date": _now()}
        header = {**old, **{name: new[name] for name in new if name in old}}
        return pack(header, msgpack=recorded.packs_msgpack)

    def frames(
        self, recorded: Recorded, header: bytes, parent: bytes | None, rename: Rename | None
    ) -> Frames:
        """What follows the identities. `parent` None: the recorded one."""
        metadata, content = recorded.metadata, recorded.content
        if rename is not None:
            metadata, content = (_renamed(part, rename) for part in (metadata, content))
        parts = [header, recorded.raw_parent if parent is None else parent, metadata, content]
        signature = self._checker.sign(parts)
        if recorded.bad_signature:
            signature = signature[::-1] if signature != signature[::-1] else b"wrong"
        return [DELIMITER, signature, *parts, *recorded.buffers]

    # What was not

    def compose(
        self, msg_type: str, content: Mapping[str, Any], request: Request | None, **metadata: Any
    ) -> Frames:
        """A message of the kernel's own that answers `request`, if any, in its packer."""
        packed = request is not None and request.speaks_msgpack
        header = new_header(msg_type, self.session, {"msg_id": self._next_id()})
        ready = [pack(value, msgpack=packed) for value in (header, metadata, content)]
        parent = request.raw_header if request else _EMPTY
        parts = [ready[0], parent, *ready[1:]]
        return [DELIMITER, self._checker.sign(parts), *parts]

    def knows(self, frames: Sequence[bytes], at: int) -> bool:
        """Is the signature of what a client sent right? `at`: the delimiter's place."""
        return self._checker(frames, at)

    def sign(self, parts: Sequence[bytes]) -> bytes:
        """The signature of header, parent header, metadata and content."""
        return self._checker.sign(parts)

    def topic(self, msg_type: str) -> Frames:
        """What subscribers of iopub may choose by, as ipykernel has it."""
        return [f"kernel.{self.session}.{msg_type}".encode()]

    def _topic(self, msg_type: str, content: Mapping[str, Any]) -> bytes:
        name = text(content.get("name"))
        if msg_type == "stream" and name:
            return f"stream.{name}".encode("utf-8", "replace")
        return self.topic(msg_type)[0]

    def _next_id(self) -> str:
        self._said += 1
        return f"{self.session}_{self._said}"


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _count(message: Message) -> int | None:
    count = message.content.get("execution_count")
    return count if type(count) is int and 0 <= count <= _HIGHEST else None


def _renamed(part: bytes, rename: Rename) -> bytes:
    """With the ids that the client knows; bytes that are no text stay as they are."""
    try:
        return rename(part.decode()).encode()
    except UnicodeDecodeError:
        return part
