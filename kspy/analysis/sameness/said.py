"""What one message says, or neighbouring pieces of a stream that are one text: to be compared.

Messages are read when somebody asks, and forgotten: a thread may be a whole recording long.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from kspy.analysis.difference import Difference
from kspy.analysis.filter.pattern import Pattern
from kspy.analysis.sameness.comparing import Comparer
from kspy.analysis.sameness.keys import masked_key, masked_text
from kspy.analysis.sameness.rules import DEBUGGER, DEBUGGING, RULES, Rules
from kspy.analysis.sameness.sight import AtSight
from kspy.analysis.table import Table
from kspy.errors import KspyError
from kspy.wire.message import DECODE_LIMIT, Message

_KEPT: Final = 64
"""Messages of a side that are kept at hand, and only small ones."""
_SMALL: Final = 1 << 16
_LONGEST: Final = 64 << 20
"""Bytes of the messages that are compared as one text."""
_EVENT: Final = "debug_event"
_WHENEVER: Final = ("module",)
"""Events of a debugger that it sends when it gets to it, for any request."""
_STREAM: Final = {"name", "text"}
_IDLE_TALK: Final = Pattern(next(rule.text for rule in RULES if rule.name == DEBUGGER))


class Side:
    """Messages of a table, by their places: a thread."""

    def __init__(self, table: Table, places: Sequence[int]) -> None:
        self.table = table
        self.places = places
        self._kept: OrderedDict[int, Said] = OrderedDict()

    def said(self, places: tuple[int, ...]) -> Said:
        """What the messages in these places say, together."""
        if len(places) > 1:
            return Said(self.table, places)
        place = places[0]
        said = self._kept.get(place)
        if said is None:
            said = Said(self.table, places)
            if self.table.size(place) <= _SMALL:
                self._kept[place] = said
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return said


class Said:
    """`places` has one place; or several, of pieces of a stream."""

    def __init__(self, table: Table, places: tuple[int, ...]) -> None:
        self._table = table
        self.places = places

    @cached_property
    def message(self) -> Message | None:
        """The first message; None where the file has lost it."""
        return _loaded(self._table, self.places[0])

    @cached_property
    def stream(self) -> str | None:
        """The name of the stream of which it is a plain piece; None for all else."""
        message = self.message
        if message is None or message.msg_type != "stream" or message.size > DECODE_LIMIT:
            return None
        content = message.content
        name = content.get("name")
        plain = (
            content.keys() == _STREAM
            and isinstance(name, str)
            and isinstance(content["text"], str)
            and not (message.metadata or message.buffer_sizes or message.flags)
        )
        return name if plain else None

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """Its content, with the text of all pieces."""
        message = self.message
        if message is None:
            return {}
        if len(self.places) == 1:
            return message.content
        return {**message.content, "text": self._text() or ""}

    def _text(self) -> str | None:
        """The pieces together; None where there are too many, or one is lost."""
        pieces: list[str] = []
        left = _LONGEST
        for place in self.places:
            left -= self._table.size(place)
            message = _loaded(self._table, place) if left >= 0 else None
            if message is None:
                return None
            pieces.append(str(message.content.get("text")))
        return "".join(pieces)

    def is_idle_talk(self, rules: Rules) -> bool:
        """Is it a stream's text of which nothing counts, or what a debugger tells whenever?"""
        message = self.message
        if message is not None and message.msg_type == _EVENT and rules.has(DEBUGGING):
            return message.size <= DECODE_LIMIT and message.content.get("event") in _WHENEVER
        if self.stream is None or not rules.has(DEBUGGER):
            return False
        text = self._text()
        return bool(text) and not _IDLE_TALK.masked(text or "", "")

    def equals(self, other: Said, rules: Rules) -> bool:
        """Do two single messages say the same, but for what varies by nature, at first sight?"""
        old, new = self.message, other.message
        if old is None or new is None:
            return False
        a, b = old.parts, new.parts
        if a and b and a.content and a.content == b.content and not old.buffer_sizes:
            return not new.buffer_sizes
        return self.key(rules) == other.key(rules)

    def key(self, rules: Rules) -> bytes | None:
        """The same for what says the same, but for what varies by nature; None: it is unknown."""
        message = self.message
        if message is None or message.truncated:
            return None
        if message.size > DECODE_LIMIT:
            sizes = b"".join(b"%d " % size for size in message.buffer_sizes)
            return b"large " + sizes + message.msg_type.encode("utf-8", "replace")
        if self.stream is None:
            return masked_key(message, rules)
        text = self._text()
        if text is None:
            return None
        return f"{self.stream}:{masked_text(text, rules)}".encode("utf-8", "replace")

    def differences(
        self, other: Said, comparer: Comparer, at_sight: AtSight
    ) -> Sequence[Difference] | None:
        """What differs, as far as it counts; None where that cannot be said."""
        old, new = self.message, other.message
        if old is None or new is None or old.truncated or new.truncated:
            return None
        alone = len(self.places) == len(other.places) == 1
        if alone and at_sight.same(old, new):
            return ()
        if max(old.size, new.size) > DECODE_LIMIT:
            return _of_large(old, new)
        if alone:
            return comparer.differences(old, new)
        if self._text() is None or other._text() is None:
            return None
        values = comparer.values(old, new, whole=True)
        a, b = ({**v, "content": s.content} for v, s in zip(values, (self, other), strict=True))
        return comparer.counted(old.msg_type, a, b)


def _loaded(table: Table, place: int) -> Message | None:
    try:
        return table.load(place)
    except KspyError:
        return None


def _of_large(old: Message, new: Message) -> Sequence[Difference] | None:
    """Of messages that are too large to be decoded: byte for byte."""
    a, b = list(old.buffer_sizes), list(new.buffer_sizes)
    if a != b:
        return [Difference(("buffers",), "changed", a, b, ("buffers",))]
    a_parts, b_parts = old.parts, new.parts
    if a_parts is None or b_parts is None or not a_parts.content:
        return None
    same = a_parts.content == b_parts.content and a_parts.metadata == b_parts.metadata
    return [] if same and list(old.buffers) == list(new.buffers) else None
