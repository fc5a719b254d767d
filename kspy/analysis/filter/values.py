"""The values that stand in a filter: names with globs, amounts with units, times of day."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from kspy.analysis.filter.error import FilterError
from kspy.analysis.filter.syntax import Word

MICROSECOND: Final = 1_000
MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE

DURATIONS: Final = {
    "ns": 1,
    "us": MICROSECOND,
    "µs": MICROSECOND,
    "μs": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "min": MINUTE,
    "h": HOUR,
}
SIZES: Final = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3}
"""Steps of 1000, as `kspy.analysis.units` shows them. Their case does not matter."""

COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    ":": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

_AMOUNT: Final = re.compile(r"(-?\d{1,18}(?:\.\d{1,9})?)\s*([^\W\d]*)")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?")
_LONGEST_NS: Final = 1 << 62


def plain(word: Word) -> str:
    """The text of a value: without quotation marks, if it has any."""
    if word.kind != "STRING":
        return word.text
    return re.sub(rf"\\([\\{word.text[0]}])", r"\1", word.text[1:-1])


def refuse(word: Word, message: str) -> FilterError:
    return FilterError(message, word.start, word.stop)


# Amounts


def duration_ns(word: Word, example: str) -> int:
    """`500ms` in ns. Raises `FilterError`."""
    number, unit = _amount(word, example)
    if unit not in DURATIONS:
        units = "ns us ms s min h"
        what = f"{unit!r} is no unit of time" if unit else "a time needs a unit"
        raise refuse(word, f"{what}: one of {units}, as in {example}")
    return _bounded(word, number * DURATIONS[unit])


def size_bytes(word: Word, example: str) -> int:
    """`1MB` in bytes; without a unit, bytes. Raises `FilterError`."""
    number, unit = _amount(word, example)
    if unit.lower() not in SIZES:
        raise refuse(word, f"{unit!r} is no unit of size: one of B KB MB GB, as in {example}")
    return _bounded(word, number * SIZES[unit.lower()])


def whole_number(word: Word, example: str) -> int:
    """Raises `FilterError`."""
    text = plain(word)
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise refuse(word, f"{text!r} is no whole number; write {example}")
    return int(text)


def has_unit(word: Word) -> bool:
    return bool(re.search(r"[A-Za-z]", plain(word)))


def _amount(word: Word, example: str) -> tuple[float, str]:
    match = _AMOUNT.fullmatch(plain(word))
    if match is None or word.kind == "REGEX":
        raise refuse(word, f"{plain(word)!r} is no number with a unit; write {example}")
    number = match[1]
    return (float(number) if "." in number else int(number)), match[2]


def _bounded(word: Word, value: float) -> int:
    if abs(value) > _LONGEST_NS:
        raise refuse(word, f"{plain(word)} is more than can be compared")
    return round(value)


# Times of day


def clock_ns(word: Word) -> int | None:
    """`21:00:05` as ns since midnight; None for what is no time of day. Raises `FilterError`."""
    match = _CLOCK.fullmatch(plain(word))
    if match is None:
        return None
    hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise refuse(word, f"{plain(word)} is no time of day; write one as 21:00:05")
    fraction = int((match[4] or "").ljust(9, "0"))
    return hours * HOUR + minutes * MINUTE + seconds * SECOND + fraction


def utc_offset_ns(time_ns: int) -> int:
    """How far the clock on the wall here was ahead of UTC at that time."""
    try:
        there = datetime.fromtimestamp(time_ns // SECOND, UTC).astimezone()
    except (OverflowError, ValueError, OSError):  # a recording may claim any year
        return 0
    ahead = there.utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds()) * SECOND


# Names


class Matcher(Protocol):
    """Says of a name whether it is meant."""

    def matches(self, name: str) -> bool: ...


class Exact:
    """The name itself, in any case."""

    def __init__(self, name: str) -> None:
        self.name = name.lower()

    def matches(self, name: str) -> bool:
        return name.lower() == self.name


class Prefix:
    """What begins so, in any case."""

    def __init__(self, start: str) -> None:
        self.start = start.lower()

    def matches(self, name: str) -> bool:
        return name[: len(self.start)].lower() == self.start


class Glob:
    """`*` stands for any characters, `?` for one. Takes time in proportion to the name."""

    def __init__(self, pattern: str) -> None:
        self.literals = [part for part in re.split(r"[*?]", pattern) if part]
        parts = (re.escape(part).replace(r"\?", ".") for part in pattern.split("*"))
        self._parts = [re.compile(part, re.IGNORECASE | re.DOTALL) for part in parts]
        self._last = len(pattern.rpartition("*")[2])

    def matches(self, name: str) -> bool:
        first, *middle = self._parts
        if not middle:
            return first.fullmatch(name) is not None
        found = first.match(name)
        for part in middle[:-1]:
            if found is None:
                return False
            found = part.search(name, found.end())
        if found is None:
            return False
        at = max(found.end(), len(name) - self._last)
        return self._parts[-1].fullmatch(name, at) is not None


def name_matcher(word: Word) -> Matcher:
    """How a name is meant: a quoted one to the letter, others with globs. Raises `FilterError`."""
    if word.kind == "REGEX":
        from kspy.analysis.filter.regex import Regex

        return Regex(word)
    text = plain(word)
    return Glob(text) if word.kind != "STRING" and set(text) & set("*?") else Exact(text)


def any_of(matchers: Sequence[Matcher], name: str) -> bool:
    return any(matcher.matches(name) for matcher in matchers)
