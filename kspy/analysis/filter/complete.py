"""What could stand where the cursor is in a filter, and what each of its parts is, for colours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from kspy.analysis.filter import syntax
from kspy.analysis.filter.error import FilterError
from kspy.analysis.filter.fields import FIELDS, KEYWORDS, Field

if TYPE_CHECKING:
    from kspy.analysis.table import Table

MOST: Final = 50
"""Completions that are offered."""

Role = Literal["field", "operator", "value", "text", "keyword", "bracket"]

_ROLES: Final[Mapping[str, Role]] = {
    "FIELD": "field",
    "OPERATOR": "operator",
    "COMMA": "operator",
    "VALUE": "value",
    "STRING": "text",
    "REGEX": "text",
    syntax.OPEN: "text",
    "WORD": "text",
    "NOT": "keyword",
    "_AND": "keyword",
    "_OR": "keyword",
    "LEFT": "bracket",
    "RIGHT": "bracket",
}

_AT_CURSOR: Final = re.compile(
    r"(?:(?P<field>[A-Za-z_]\w*)\s*(?:>=|<=|!=|[:=<>])\s*(?:[^\s(),\"'/]+,\s*)*)?"
    r"(?P<begun>[^\s(),\"'/:=<>]*)$"
)
"""A field with its operator and the values before the last comma, and what is begun."""
_PLAIN: Final = re.compile(r"(?![\"'/])[^\s(),\"*?]+")


class Span(NamedTuple):
    """A part of a filter's text: columns `start` to `stop`, and what it is."""

    start: int
    stop: int
    role: Role


class Completion(NamedTuple):
    """`text` may replace columns `start` to `stop` of the filter."""

    text: str
    help: str
    start: int
    stop: int


def spans(text: str) -> list[Span]:
    """What the parts of a filter are; never raises, also where there is a mistake in it.

    The mistake's own place is in the `FilterError` that `parse` raises.
    """
    try:
        words = syntax.words(text)
    except FilterError:
        return []
    return [Span(word.start, word.stop, _role(word)) for word in words]


def _role(word: syntax.Word) -> Role:
    if word.kind == "WORD" and word.text.lower() in KEYWORDS:
        return "keyword"
    return _ROLES[word.kind]


def completions(text: str, cursor: int, table: Table | None = None) -> list[Completion]:
    """What can be written at the `cursor`: fields and keywords, or after a field its values.

    With a `table`, also the values that occur in it. What begins with what is there comes
    first, then what contains it.
    """
    before = text[:cursor][-syntax.LONGEST :]
    if _in_quotes(before):
        return []
    match = _AT_CURSOR.search(before)
    if match is None:
        return []
    begun = match["begun"]
    start = cursor - len(begun)
    stop = cursor + len(_rest(text, cursor))
    if match["field"] is None:
        signs = len(begun) - len(begun.lstrip("-!"))
        return _offered(begun[signs:], _fields_and_keywords(), start + signs, stop)
    field = FIELDS.get(match["field"].lower())
    if field is None:
        return []
    values = {_quoted(value): help_ for value, help_ in values_of(field, table).items()}
    return _offered(begun, values, start, stop)


def _in_quotes(before: str) -> bool:
    """Does the cursor stand within quotation marks?"""
    words = syntax.words(before)
    return bool(words) and words[-1].kind == syntax.OPEN


def _rest(text: str, cursor: int) -> str:
    """What of the word at the cursor stands after it."""
    match = re.compile(r"[^\s(),\"':=!<>]*").match(text, cursor)
    return match.group() if match else ""


def _fields_and_keywords() -> Mapping[str, str]:
    offered = {f"{field.name}{field.operators[0]}": field.help for field in FIELDS.values()}
    return offered | {keyword.name: keyword.help for keyword in KEYWORDS.values()}


def values_of(field: Field, table: Table | None) -> Mapping[str, str]:
    """The values of a field that are known, each with its help."""
    if callable(field.values):
        return field.values(table) if table is not None else {}
    return field.values


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else '"' + value.replace('"', '\\"') + '"'


def _offered(begun: str, values: Mapping[str, str], start: int, stop: int) -> list[Completion]:
    wanted = begun.lower()
    names: Iterable[str] = values
    first = [name for name in names if name.lower().startswith(wanted)]
    others = [name for name in names if name not in first and wanted in name.lower()]
    found = (first + others)[:MOST]
    if found == [begun]:
        return []  # it stands there already
    return [Completion(name, values[name], start, stop) for name in found]
