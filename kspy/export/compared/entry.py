"""A compared thread as plain data, which needs no recording any more: for text, JSON and Python.

Recordings come from strangers, so there is an end to what is told of one thread, and to each value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kspy.analysis.difference import Difference, Kind, format_path
from kspy.analysis.event_summary import summarize_event
from kspy.analysis.fields import compact
from kspy.analysis.sameness.pace import UNTIMED, Pace
from kspy.analysis.sameness.sessions import Compared
from kspy.analysis.sameness.threads import Step, Verdict
from kspy.analysis.summary import summarize
from kspy.analysis.table import Table
from kspy.analysis.window import changed_bytes, value_text, window
from kspy.errors import KspyError
from kspy.wire.frames import Channel, Direction

MOST_MESSAGES: Final = 100
MOST_DIFFERENCES: Final = 30
"""Messages of a thread, and values of a message, that are told; the others are counted."""
_MOST_PIECES: Final = 1_000
"""Numbers of the pieces of a stream that are told."""
LONGEST_VALUE: Final = 4_000
_LONGEST_PATH: Final = 500
_BEFORE: Final = 100
_SUMMARY: Final = 500

Tables = tuple[Table, Table]


@dataclass(frozen=True, slots=True)
class DifferingValue:
    """A value that is not the same on both sides.

    path      where it is, as `content.data["text/plain"]`, in a; or in b where a has none
    kind      "changed", "added", "removed", or "uncompared", where there was too much of it
    old, new  the values in a and in b; None on the side that has none
    cut       are they texts in place of values too long to be told?
    """

    path: str
    kind: Kind
    old: Any
    new: Any
    cut: bool = False


@dataclass(frozen=True, slots=True)
class DifferingMessage:
    """A message that is not the same on both sides.

    old, new   numbers of the messages in a and b; several where pieces of a stream are one text,
               of more than 1,000 the first ones and the last
    what       one line about it, safe for a terminal
    more       how many of its differences are not told
    """

    verdict: Verdict
    old: tuple[int, ...]
    new: tuple[int, ...]
    channel: Channel
    direction: Direction
    msg_type: str
    what: str
    differences: tuple[DifferingValue, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class ComparedThread:
    """A request with what answers it, or what the kernel said unasked, in both sessions.

    old, new   number of its first message in a and in b; None where one has no such thread
    event      the name of the event that it is in place of a thread, or ""
    what       one line about the request, safe for a terminal; "" where that was not asked for
    moved      it is not where it was among the client's requests
    pace       how long it took
    messages   those of its messages that are not the same
    more       how many more of those there are
    """

    verdict: Verdict
    old: int | None
    new: int | None
    msg_type: str
    what: str
    event: str = ""
    moved: bool = False
    pace: Pace = UNTIMED
    messages: tuple[DifferingMessage, ...] = ()
    more: int = 0


def thread_entry(compared: Compared, tables: Tables, *, summary: bool = True) -> ComparedThread:
    """`summary`: say what it is about, for which its request has to be read."""
    item, table = _either(compared.old, compared.new, tables)
    old, new = (
        None if item is None else _number(table, item)
        for item, table in zip((compared.old, compared.new), tables, strict=True)
    )
    if item < 0:
        event = table.event(-1 - item)
        return ComparedThread(compared.verdict, old, new, "", summarize_event(event), event.name)
    return ComparedThread(
        compared.verdict,
        old,
        new,
        table.msg_type(item),
        _what(table, item) if summary else "",
        moved=compared.moved,
        pace=compared.pace,
        messages=tuple(_message(step, tables) for step in compared.steps[:MOST_MESSAGES]),
        more=max(len(compared.steps) - MOST_MESSAGES, 0) + compared.more,
    )


def _either(old: int | None, new: int | None, tables: Tables) -> tuple[int, Table]:
    if old is not None:
        return old, tables[0]
    return new or 0, tables[1]


def _number(table: Table, item: int) -> int:
    return table.seq(item) if item >= 0 else table.event(-1 - item).seq


def _message(step: Step, tables: Tables) -> DifferingMessage:
    old_place, new_place = (side[0] if side else None for side in (step.old, step.new))
    place, table = _either(old_place, new_place, tables)
    old, new = (
        _numbers(table, side) for side, table in zip((step.old, step.new), tables, strict=True)
    )
    return DifferingMessage(
        step.verdict,
        old,
        new,
        table.channel(place),
        table.direction(place),
        table.msg_type(place),
        _what(table, place),
        tuple(map(_value, step.differences[:MOST_DIFFERENCES])),
        max(len(step.differences) - MOST_DIFFERENCES, 0) + step.more,
    )


def _numbers(table: Table, places: Sequence[int]) -> tuple[int, ...]:
    if len(places) > _MOST_PIECES:
        places = [*places[: _MOST_PIECES - 1], places[-1]]
    return tuple(map(table.seq, places))


def _what(table: Table, place: int) -> str:
    try:
        return summarize(table.load(place))[:_SUMMARY]
    except KspyError:
        return "cannot be read: this part of the file is damaged"


def _value(difference: Difference) -> DifferingValue:
    path = difference.new_path if difference.kind == "added" else difference.path
    text = format_path(path[:_LONGEST_PATH])[:_LONGEST_PATH]
    old, new = difference.old, difference.new
    if difference.kind == "uncompared":
        return DifferingValue(text, difference.kind, None, None)
    texts = value_texts(old, new)
    if max(map(len, texts)) <= LONGEST_VALUE and not _has_many_bytes((old, new)):
        return DifferingValue(text, difference.kind, old, new)
    a, b = window(*texts, LONGEST_VALUE, _BEFORE)
    return DifferingValue(
        text,
        difference.kind,
        None if difference.kind == "added" else a,
        None if difference.kind == "removed" else b,
        cut=True,
    )


def value_texts(old: Any, new: Any) -> tuple[str, str]:
    """Two values that differ as texts, not cut."""
    if isinstance(old, bytes) and isinstance(new, bytes):
        return changed_bytes(old, new)
    if isinstance(old, str) != isinstance(new, str) and None not in (old, new):
        return compact(old), compact(new)  # "42" and 42 are not the same
    return value_text(old), value_text(new)


def _has_many_bytes(values: Iterable[Any]) -> bool:
    return any(isinstance(value, bytes) and len(value) > LONGEST_VALUE for value in values)
