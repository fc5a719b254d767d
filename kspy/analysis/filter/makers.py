"""How the condition of each field is made from its operator and its values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from kspy.analysis.conventions import NOISE
from kspy.analysis.filter.chunk_view import PartName
from kspy.analysis.filter.condition import (
    Array,
    Block,
    Bools,
    ByColumns,
    ByEvent,
    Condition,
)
from kspy.analysis.filter.content import (
    Buffers,
    Expression,
    HasFlag,
    InPart,
    InText,
    Inverse,
    Sought,
    Words,
)
from kspy.analysis.filter.regex import Regex
from kspy.analysis.filter.syntax import Word
from kspy.analysis.filter.values import (
    COMPARISONS,
    HOUR,
    Exact,
    Matcher,
    Prefix,
    any_of,
    clock_ns,
    duration_ns,
    has_unit,
    name_matcher,
    plain,
    refuse,
    size_bytes,
    utc_offset_ns,
    whole_number,
)
from kspy.analysis.thread_table import STATES
from kspy.recording.event import Event
from kspy.recording.outcome import ERROR
from kspy.wire.frames import CHANNELS

if TYPE_CHECKING:
    from kspy.analysis.table import Table

_DAY: Final = 24 * HOUR
_QUARTER: Final = HOUR // 4
"""Where the difference to UTC changes, it does so at a full quarter of an hour."""
_HB: Final = CHANNELS.index("hb")
_WAITING: Final = STATES.index("waiting")
_CLIENTS_SHOWN: Final = 50
_TYPES_SHOWN: Final = 10_000
_LONGEST_SHOWN: Final = 100


class Asked(NamedTuple):
    """What stands in the filter: `field` `operator` `values`; and the field's example value."""

    field: Word
    operator: str
    values: Sequence[Word]
    example: str

    @property
    def right(self) -> str:
        """What would be right instead of what is not."""
        return f"{self.field.text}{self.operator}{self.example}"

    @property
    def negated(self) -> bool:
        return self.operator == "!="


# Names


def by_type(asked: Asked) -> Condition:
    matchers = [name_matcher(word) for word in asked.values]
    known: dict[str, bool] = {}

    def test(name: str) -> bool:
        if name not in known:
            known[name] = any_of(matchers, name) != asked.negated
        return known[name]

    return ByColumns(lambda block: block.by_type(test))


def by_code(
    asked: Asked,
    names: Sequence[str | None],
    column: Callable[[Block], Array],
    volatile: bool = False,
) -> Condition:
    """For a column of codes, each of which has a name; what has none never matches."""
    meant = _meant(asked, [name for name in names if name is not None])
    chosen = np.array(
        [name is not None and (name in meant) != asked.negated for name in names], bool
    )
    return ByColumns(lambda block: chosen[column(block)], volatile=volatile)


def channels(block: Block) -> Array:
    return block.rows.channels


def directions(block: Block) -> Array:
    """Places in `DIRECTIONS`."""
    return block.rows.to_client.astype(np.intp)


def states(block: Block) -> Array:
    return block.rows.states


def _meant(asked: Asked, names: Sequence[str]) -> set[str]:
    """Which of all possible `names` the values mean. Raises `FilterError` where one means none."""
    meant: set[str] = set()
    for word in asked.values:
        matcher = name_matcher(word)
        found = {name for name in names if matcher.matches(name)}
        if not found:
            known = ", ".join(names)
            raise refuse(word, f"{asked.field.text} is one of {known}; not {plain(word)!r}")
        meant |= found
    return meant


def types_of(table: Table) -> Mapping[str, str]:
    names = (name for name in table.names[:_TYPES_SHOWN] if 0 < len(name) <= _LONGEST_SHOWN)
    return dict.fromkeys(sorted(names), "")


# Natures: the values of "is"


class Nature(NamedTuple):
    """Something that a message or event can be."""

    help: str
    test: Callable[[Block], Bools]
    event_test: Callable[[Event], bool] = lambda event: False
    volatile: bool = False


def _ends(end: str) -> Callable[[Block], Bools]:
    return lambda block: block.by_type(lambda name: name.endswith(end))


def _never(block: Block) -> Bools:
    return np.zeros(len(block), bool)


def _is_error(block: Block) -> Bools:
    return np.equal(block.rows.outcomes, ERROR)


def _is_waiting(block: Block) -> Bools:
    return np.equal(block.rows.states, _WAITING)


def _is_noise(block: Block) -> Bools:
    noise: Bools = block.by_type(NOISE.__contains__) | (block.rows.channels == _HB)
    return noise


NATURES: Final[Mapping[str, Nature]] = {
    "error": Nature("says that something failed: an `error`, a reply with that status", _is_error),
    "waiting": Nature("a request that has no answer (yet)", _is_waiting, volatile=True),
    "request": Nature("its type ends with `_request`", _ends("_request")),
    "reply": Nature("its type ends with `_reply`", _ends("_reply")),
    "noise": Nature("status, iopub_welcome or a heartbeat", _is_noise),
    "event": Nature("an event of the recording, no message", _never, lambda event: True),
    "gap": Nature(
        "an event that says: here messages are missing", _never, lambda event: event.name == "gap"
    ),
}


def by_nature(asked: Asked) -> Condition:
    meant = _meant(asked, list(NATURES))
    chosen = [nature for name, nature in NATURES.items() if name in meant]

    def test(block: Block) -> Bools:
        found = np.zeros(len(block), bool)
        for nature in chosen:
            found |= nature.test(block)
        return ~found if asked.negated else found

    def event_test(event: Event, start_ns: int) -> bool:
        return any(nature.event_test(event) for nature in chosen) != asked.negated

    return ByColumns(test, event_test, volatile=any(nature.volatile for nature in chosen))


def by_event(asked: Asked) -> Condition:
    matchers = [name_matcher(word) for word in asked.values]
    return ByEvent(lambda event: any_of(matchers, event.name) != asked.negated)


# Numbers and amounts


def _compare(operator: str, values: Iterable[int]) -> Callable[[Any], Any]:
    """A test for numbers and arrays of them; for "=" and "!=" there may be several values."""
    values = list(values)
    if operator in COMPARISONS and len(values) == 1:
        compare, value = COMPARISONS[operator], values[0]
        return lambda found: compare(found, value)
    wanted = np.array(values, np.int64)
    return lambda found: np.isin(found, wanted) != (operator == "!=")


def _numbers(asked: Asked) -> list[int]:
    return [whole_number(word, asked.right) for word in asked.values]


def by_client(asked: Asked) -> Condition:
    test = _compare(asked.operator, _numbers(asked))

    def found(block: Block) -> Bools:
        clients = block.rows.clients.astype(np.int64)
        answer: Bools = test(clients) & (clients > 0)
        return answer

    return ByColumns(found)


def clients_of(table: Table) -> Mapping[str, str]:
    clients = sorted(set(table.columns.clients[-100_000:]) - {0})
    return {str(client): f"client {client}" for client in clients[:_CLIENTS_SHOWN]}


def by_number(asked: Asked) -> Condition:
    test = _compare(asked.operator, _numbers(asked))
    return ByColumns(lambda block: test(block.seqs))


def by_thread(asked: Asked) -> Condition:
    numbers = _numbers(asked)

    def found(block: Block) -> Bools:
        threads = {_thread_of(block.table, number) for number in numbers} - {-1}
        meant: Bools = np.isin(block.rows.threads, sorted(threads))
        return (block.rows.threads >= 0) & ~meant if asked.negated else meant

    # Messages before the one that was named are found to be in its thread when that one comes.
    return ByColumns(found, volatile=True)


def _thread_of(table: Table, seq: int) -> int:
    place = table.place_of(seq) if seq >= 0 else None
    return -1 if place is None else table.thread(place)


def by_size(asked: Asked) -> Condition:
    test = _compare(asked.operator, [size_bytes(word, asked.right) for word in asked.values])
    return ByColumns(lambda block: test(block.rows.sizes))


def by_buffers(asked: Asked) -> Condition:
    units = {has_unit(word) for word in asked.values}
    if len(units) > 1:
        raise refuse(asked.values[0], "either all of these values need a unit, or none of them")
    test = _compare(asked.operator, [size_bytes(word, asked.right) for word in asked.values])
    return Buffers(lambda amount: bool(test(amount)), units == {True})


# Times


def by_latency(asked: Asked) -> Condition:
    test = _compare(asked.operator, [duration_ns(word, asked.right) for word in asked.values])

    def found(block: Block) -> Bools:
        latencies = block.rows.latencies
        answer: Bools = test(latencies) & (latencies >= 0)
        return answer

    return ByColumns(found, volatile=True)


def by_time(asked: Asked) -> Condition:
    (word,) = asked.values
    clock = clock_ns(word)
    if clock is not None:
        return _by_clock(_compare(asked.operator, [clock]))
    test = _compare(asked.operator, [duration_ns(word, asked.right)])
    return ByColumns(
        lambda block: test(block.rows.times - block.start_ns),
        lambda event, start_ns: bool(test(event.time_ns - start_ns)),
    )


def _by_clock(test: Callable[[Any], Any]) -> Condition:
    def of_day(times: Array) -> Array:
        quarters, where = np.unique(times // _QUARTER, return_inverse=True)
        offsets = np.array([utc_offset_ns(int(n) * _QUARTER) for n in quarters], np.int64)
        return (times + offsets[where]) % _DAY

    return ByColumns(
        lambda block: test(of_day(block.rows.times)),
        lambda event, start_ns: bool(test((event.time_ns + utc_offset_ns(event.time_ns)) % _DAY)),
    )


# What is in the messages


def by_string(asked: Asked, part: PartName, key: str) -> Condition:
    """For a string in a part of the message: an id by its beginning, others by their name."""
    return InPart(part, key, _matchers(asked, prefix=key != "username"), asked.negated)


def _matchers(asked: Asked, *, prefix: bool) -> list[Matcher]:
    matchers = [name_matcher(word) for word in asked.values]
    if prefix and asked.operator == ":":
        return [Prefix(one.name) if isinstance(one, Exact) else one for one in matchers]
    return matchers


def by_parent(asked: Asked) -> Condition:
    """A value of digits only, without quotation marks, is a message's number."""
    are_numbers = {word.kind == "VALUE" and word.text.isdecimal() for word in asked.values}
    if len(are_numbers) > 1:
        raise refuse(asked.values[0], "numbers and ids together; write (parent:1 or parent:5d21)")
    if are_numbers == {False}:
        return by_string(asked, "parent_header", "msg_id")
    numbers = _numbers(asked)

    def found(block: Block) -> Bools:
        places = {block.table.place_of(number) for number in numbers} - {None}
        parents = block.rows.parents
        meant: Bools = np.isin(parents, sorted(place for place in places if place is not None))
        return (parents >= 0) & ~meant if asked.negated else meant

    return ByColumns(found)


def by_flag(asked: Asked, names: Sequence[str]) -> Condition:
    condition = HasFlag(frozenset(_meant(asked, names)))
    return Inverse(condition) if asked.negated else condition


def by_text(asked: Asked) -> Condition:
    condition = InText([_sought(word) for word in asked.values])
    return Inverse(condition, events=True) if asked.negated else condition


def _sought(word: Word) -> Sought:
    if word.kind == "REGEX":
        return Expression(Regex(word))
    text = plain(word)
    if not text:
        raise refuse(word, "there is nothing in these quotation marks to look for")
    return Words(text)


def for_words(word: Word) -> InText:
    """What a bare word means that is no keyword."""
    return InText([_sought(word)])
