"""Conditions that need more than the columns: texts, ids, flags, buffers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from kspy.analysis.event_summary import summarize_event
from kspy.analysis.filter.chunk_view import BARE, JSON, ChunkView, PartName
from kspy.analysis.filter.condition import (
    NO,
    OPEN,
    YES,
    Block,
    Bools,
    Codes,
    Condition,
    Decision,
    codes,
)
from kspy.analysis.filter.needle import Needle, fold, of_literals, of_text
from kspy.analysis.filter.regex import Regex, found_in_piece, pieces
from kspy.analysis.filter.values import Exact, Glob, Matcher, Prefix
from kspy.recording.event import Event
from kspy.wire.frames import CHANNELS
from kspy.wire.message import BAD_SIGNATURE, DECODE_LIMIT, REDELIVERED, TRUNCATED, text
from kspy.wire.packers import decode_header

_HB: Final = CHANNELS.index("hb")
_PARTS: Final[Sequence[PartName]] = ("header", "parent_header", "metadata", "content")
_OFTEN: Final = 256
"""Texts after which the work lets others go first."""


# Texts


class Sought(Protocol):
    """What is looked for in texts."""

    needle: Needle
    pattern: re.Pattern[str]

    def is_in(self, text: str, start: int) -> bool:
        """Is it in the piece of `text` from `start` on? See `kspy.analysis.filter.regex`."""


class Words:
    """A text, in any case."""

    def __init__(self, words: str) -> None:
        self.pattern = re.compile(re.escape(words), re.IGNORECASE)
        self._folded = fold(words)
        self.needle = of_text(self._folded)

    def is_in(self, text: str, start: int) -> bool:
        return not start and self._folded in fold(text)  # which takes the whole text at once


class Expression:
    """What a regular expression matches."""

    def __init__(self, regex: Regex) -> None:
        self.pattern = regex.pattern
        self.needle = of_literals(regex.literals, ignores_case=regex.ignores_case)

    def is_in(self, text: str, start: int) -> bool:
        return found_in_piece(self.pattern, text, start)


def is_within(sought: Sequence[Sought], text: str) -> bool:
    return any(one.is_in(text, start) for start in pieces(text) for one in sought)


@dataclass(frozen=True, eq=False)
class InText(Condition):
    """One of `sought` is in the message's type or content, or in what is said of an event."""

    sought: Sequence[Sought]

    def columns(self, block: Block) -> Codes:
        by_type = block.by_type(lambda name: is_within(self.sought, name))
        return np.where(by_type, YES, OPEN).astype(np.int8)

    def chunk(self, view: ChunkView) -> Codes:
        found = np.zeros(len(view), np.int8)
        for one in self.sought:
            found = np.maximum(found, view.search(one.needle, "content"))
        return found

    def message(self, view: ChunkView, place: int) -> Decision:
        looked_at = 0
        strings_only = not any(one.needle.numberish for one in self.sought)
        for text_ in view.texts(place, strings_only=strings_only):
            for start in pieces(text_):
                for one in self.sought:
                    if one.is_in(text_, start):
                        return True
                looked_at += 1
                if looked_at % _OFTEN == 0:
                    yield
        return False

    def event(self, event: Event, start_ns: int) -> bool:
        return is_within(self.sought, event.name) or is_within(self.sought, summarize_event(event))


# Ids and names within the messages


@dataclass(frozen=True, eq=False)
class InPart(Condition):
    """The string under `key` in a part of the message is one of those meant."""

    part: PartName
    key: str
    matchers: Sequence[Matcher]
    negated: bool = False

    def chunk(self, view: ChunkView) -> Codes:
        has_part = view.part(self.part).kinds != BARE
        if self.negated:
            return codes(has_part) // 2
        found = np.zeros(len(view), np.int8)
        for matcher in self.matchers:
            found = np.maximum(found, view.search(_needle_of(matcher), self.part))
        return np.where(has_part, np.minimum(found, OPEN), NO).astype(np.int8)

    def message(self, view: ChunkView, place: int) -> Decision:
        yield from ()
        value = text((decode_header(view.frame(place, self.part)) or {}).get(self.key))
        if not value:
            return False
        return any(matcher.matches(value) for matcher in self.matchers) != self.negated


def _needle_of(matcher: Matcher) -> Needle:
    if isinstance(matcher, Exact):
        return of_text(fold(matcher.name))
    if isinstance(matcher, Prefix):
        return of_text(fold(matcher.start))
    if isinstance(matcher, Glob):
        return of_text(fold(max(matcher.literals, key=len, default="")))
    if isinstance(matcher, Regex):
        return of_literals(matcher.literals, ignores_case=matcher.ignores_case)
    return Needle()


# Flags


@dataclass(frozen=True, eq=False)
class HasFlag(Condition):
    """The message has one of these of its `flags`."""

    names: frozenset[str]

    def columns(self, block: Block) -> Codes:
        rows = block.rows
        found = np.zeros(len(block), np.int8)
        for name in self.names:
            found = np.maximum(found, _COLUMN_FLAGS.get(name, _unknown)(rows.flags, rows.sizes))
        return found

    def chunk(self, view: ChunkView) -> Codes:
        found = np.zeros(len(view), bool)
        for name in self.names:
            found |= _CHUNK_FLAGS.get(name, _anyone)(view)
        return codes(found) // 2

    def message(self, view: ChunkView, place: int) -> Decision:
        yield from ()
        return not self.names.isdisjoint(view.message(place).flags)


def _unknown(flags: Codes, sizes: Codes) -> Codes:
    return np.full(len(flags), OPEN, np.int8)


_COLUMN_FLAGS: Final[dict[str, Callable[[Codes, Codes], Codes]]] = {
    "bad_signature": lambda flags, sizes: codes(flags & BAD_SIGNATURE != 0),
    "redelivered": lambda flags, sizes: codes(flags & REDELIVERED != 0),
    "truncated": lambda flags, sizes: np.where(flags & TRUNCATED, YES, OPEN).astype(np.int8),
    "oversized": lambda flags, sizes: codes(sizes > DECODE_LIMIT) // 2,
}
"""What the columns say, from the recorded flags and the sizes."""


def _anyone(view: ChunkView) -> Bools:
    return np.ones(len(view), bool)


def _without_parts(view: ChunkView) -> Bools:
    return _over_websocket(view) & ~view.is_plain_v1 | np.equal(view.part("content").kinds, BARE)


def _over_websocket(view: ChunkView) -> Bools:
    return np.greater(view.encodings, 0)


def _not_plain(view: ChunkView) -> Bools:
    """Is any of its dictionaries perhaps something else than JSON?"""
    found = ~_anyone(view)
    for name in _PARTS:
        found |= view.part(name).kinds != JSON
    return found


def _last(view: ChunkView) -> Bools:
    """Only the last message of a chunk can have bytes elsewhere, and so miss some."""
    found = np.zeros(len(view), bool)
    found[-1:] = view.bounds[-1] > len(view.data)
    return found


_CHUNK_FLAGS: Final[dict[str, Callable[[ChunkView], Bools]]] = {
    "malformed": lambda view: _without_parts(view) | _last(view),
    "msgpack": _not_plain,
    "no_channel": _over_websocket,
    "truncated": _last,
    "bad_signature": lambda view: ~_anyone(view),
    "redelivered": lambda view: ~_anyone(view),
}
"""Which messages of a chunk may have a flag, where the columns leave it open."""


# Buffers


@dataclass(frozen=True, eq=False)
class Buffers(Condition):
    """How many buffers a message has, or how many bytes they are together, is as wanted."""

    wanted: Callable[[int], bool]
    bytes_: bool

    def chunk(self, view: ChunkView) -> Codes:
        at = view.delimiters
        first = np.minimum(np.where(at >= 0, at + 6, view.firsts[1:]), view.firsts[1:])
        if self.bytes_:
            amounts = view.edges[view.firsts[1:]] - view.edges[first]
        else:
            amounts = view.firsts[1:] - first
        found = codes(np.array([self.wanted(int(amount)) for amount in amounts], bool))
        found[view.may_have_buffers] = OPEN
        if view.bounds[-1] > len(view.data):
            found[-1] = OPEN
        return found

    def message(self, view: ChunkView, place: int) -> Decision:
        yield from ()
        sizes = view.message(place).buffer_sizes
        return self.wanted(sum(sizes) if self.bytes_ else len(sizes))


@dataclass(frozen=True, eq=False)
class Inverse(Condition):
    """What a message has that does not fulfil `inner`; an event only if `events`."""

    inner: Condition
    events: bool = False

    def columns(self, block: Block) -> Codes:
        return YES - self.inner.columns(block)

    def chunk(self, view: ChunkView) -> Codes:
        return YES - self.inner.chunk(view)

    def message(self, view: ChunkView, place: int) -> Decision:
        return not (yield from self.inner.message(view, place))

    def event(self, event: Event, start_ns: int) -> bool:
        return self.events and not self.inner.event(event, start_ns)
