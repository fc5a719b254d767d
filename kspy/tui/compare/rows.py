"""Two messages as rows of two columns: what stands beside what, and what is marked.

No widget here: a comparison in, rows of safe text out. Contents may be of any size, so long texts
are shown from a little before where they first differ, and there is an end to the rows.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from kspy.analysis.alignment import (
    Span,
    alike,
    changed_words,
    first_difference,
    pairs,
)
from kspy.analysis.difference import Key, KeyPath, Step
from kspy.analysis.fields import compact
from kspy.analysis.progress import Progress
from kspy.analysis.sameness.rules import Rule
from kspy.analysis.sanitize import ELLIPSIS, one_line
from kspy.analysis.units import plural
from kspy.analysis.window import changed_bytes, part, safe_pair, told_bytes, window

Sign = Literal[" ", "~", "-", "+", "?"]
"""The same, changed, only on the left, only on the right, not compared."""

MOST_ROWS: Final = 10_000
_STEP_SECONDS: Final = 0.005
_EQUAL: Final = 300
"""Equal rows that stand together, from which on only the last `_NEAR` of them are kept."""
_NEAR: Final = 20
_LONGEST: Final = 2000
"""Characters of one text or line that are shown."""
_BEFORE: Final = 100
_LINES: Final = 2000
"""Lines of one text that are shown, from the first that differs."""
_INSIDE: Final = 300
"""Rows of a part that is the same, or on one side alone."""
_INLINE: Final = 60


@dataclass(frozen=True, slots=True)
class Cell:
    """One side of a row. `marks` are the changed characters of `text`."""

    indent: int
    key: str
    text: str = ""
    marks: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """`varies`: it differs by nature. `note`: says something about the comparison itself.

    number    which of the differences it belongs to, from 0; -1 for none to jump to
    """

    sign: Sign
    left: Cell | None
    right: Cell | None
    varies: bool = False
    number: int = -1
    note: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rows; how many differences are worth jumping to, how many vary by nature, by which rules.

    complete   was everything compared?
    """

    rows: list[Row]
    differences: int
    varying: int
    complete: bool
    rules: tuple[str, ...] = ()


def compare(
    steps: Iterable[tuple[Step, Rule | None]],
) -> Generator[Progress, None, Comparison]:
    """The rows of two values, as `kspy.analysis.sameness.comparing` walks through them.

    Long work: see `Progress`.
    """
    maker = _Maker()
    complete = True
    due = time.monotonic() + _STEP_SECONDS
    for step, rule in steps:
        complete = complete and (rule is not None or step.kind != "uncompared")
        maker.take(step, rule)
        if len(maker.rows) >= MOST_ROWS:
            complete = False
            maker.note(0, "the rest is too much for this screen, and not compared", "?")
            break
        if time.monotonic() >= due:
            yield Progress(len(maker.rows), 0)
            due = time.monotonic() + _STEP_SECONDS
    maker.put_equal()
    return Comparison(maker.rows, maker.differences, maker.varying, complete, tuple(maker.rules))


class _Maker:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._equal = 0
        self._last_equal: deque[Row] = deque(maxlen=_NEAR)
        self.differences = 0
        self.varying = 0
        self.rules: dict[str, None] = {}
        self._sign: Sign = " "
        self._varies = False
        self._number = -1

    def take(self, step: Step, rule: Rule | None) -> None:
        if step.kind == "leave" or not (step.path or step.kind in ("changed", "uncompared")):
            return
        old_key, new_key = _last(step.path), _last(step.new_path)
        indent = max(len(step.path) - 1, 0)
        self._begin(step, rule)
        if step.kind == "enter":
            self._pair(indent, old_key, _opening(step.old), new_key, _opening(step.new))
        elif step.kind == "uncompared":
            self.note(indent, f"{old_key}: too large or too deep; its rest is not compared", "?")
        elif step.kind == "removed":
            self._one_side(indent, old_key, step.old, right=False)
        elif step.kind == "added":
            self._one_side(indent, new_key, step.new, right=True)
        elif step.kind == "same":
            self._same(indent, old_key, new_key, step.old)
        elif isinstance(step.old, str) and isinstance(step.new, str):
            self._texts(indent, old_key, step.old, new_key, step.new)
        elif isinstance(step.old, dict | list) or isinstance(step.new, dict | list):
            self._one_side(indent, old_key, step.old, right=False)
            self._one_side(indent, new_key, step.new, right=True)
        else:
            old, new = _changed_leaf(step.old, step.new)
            self._pair(indent, old_key, old, new_key, new, whole=True)

    def _begin(self, step: Step, rule: Rule | None) -> None:
        """What the rows to come have in common."""
        self._varies = False
        self._number = -1
        self._sign = " "
        if step.kind in ("same", "enter"):
            return
        self._sign = _SIGNS[step.kind]
        self._varies = rule is not None
        if rule is not None:
            self.varying += 1
            self.rules[rule.name] = None
        else:
            self._number = self.differences
            self.differences += 1

    def _add(self, left: Cell | None, right: Cell | None, sign: Sign | None = None) -> None:
        sign = self._sign if sign is None else sign
        if sign == " ":
            self._equal += 1
            row = Row(sign, left, right)
            (self.rows if self._equal <= _EQUAL else self._last_equal).append(row)
            return
        self.put_equal()
        self.rows.append(Row(sign, left, right, self._varies, self._number))

    def put_equal(self) -> None:
        """Of many equal rows in a row, the first and the last ones are kept."""
        left_out = self._equal - _EQUAL - len(self._last_equal)
        if left_out > 0:
            cell = Cell(0, "", f"{ELLIPSIS} {plural(left_out, 'row')}, the same")
            self.rows.append(Row(" ", cell, cell, note=True))
        self.rows += self._last_equal
        self._last_equal.clear()
        self._equal = 0

    def note(self, indent: int, text: str, sign: Sign = " ") -> None:
        self.put_equal()
        cell = Cell(indent, "", text)
        number = self._number if sign != " " else -1
        self.rows.append(Row(sign, cell, cell, number=number, note=True))

    def _pair(
        self, indent: int, old_key: str, old: str, new_key: str, new: str, *, whole: bool = False
    ) -> None:
        self._add(
            Cell(indent, old_key, old, ((0, len(old)),) if whole else ()),
            Cell(indent, new_key, new, ((0, len(new)),) if whole else ()),
        )

    def _same(self, indent: int, old_key: str, new_key: str, value: Any) -> None:
        for number, (deeper, key, text) in enumerate(_told(old_key, value)):
            if number == _INSIDE:
                self.note(indent + 1, f"{ELLIPSIS} and more, which is the same")
                break
            other = new_key if number == 0 else key
            self._add(Cell(indent + deeper, key, text), Cell(indent + deeper, other, text))

    def _one_side(self, indent: int, key: str, value: Any, *, right: bool) -> None:
        sign: Sign = "+" if right else "-"
        for number, (deeper, name, text) in enumerate(_told(key, value)):
            cell = Cell(indent + deeper, name, text)
            if number == _INSIDE:
                cell = Cell(indent + 1, "", f"{ELLIPSIS} and more")
            self._add(None if right else cell, cell if right else None, sign)
            if number == _INSIDE:
                break

    def _texts(self, indent: int, old_key: str, old: str, new_key: str, new: str) -> None:
        if not _has_lines(old) and not _has_lines(new):
            self._line(indent, (old_key, new_key), (old, new), quoted=True)
            return
        self._pair(indent, old_key, "", new_key, "")
        skipped, old_lines, new_lines = _lines_near(old, new)
        if skipped:
            self.note(indent + 1, f"{ELLIPSIS} {plural(skipped, 'line')} before, the same")
        told = pairs(old_lines, new_lines, lambda i, j: alike(old_lines[i], new_lines[j]))
        for i, j in told:
            if i is None and j is not None:
                self._add(None, Cell(indent + 1, "", _safe(new_lines[j])), "+")
            elif j is None and i is not None:
                self._add(Cell(indent + 1, "", _safe(old_lines[i])), None, "-")
            elif i is not None and j is not None:
                self._line(indent + 1, ("", ""), (old_lines[i], new_lines[j]), quoted=False)
        if max(len(old_lines), len(new_lines)) >= _LINES:
            self.note(indent + 1, "the lines from here on are not compared", "?")

    def _line(
        self, indent: int, keys: tuple[str, str], texts: tuple[str, str], *, quoted: bool
    ) -> None:
        old, new = window(*texts, _LONGEST, _BEFORE)
        left, right = safe_pair(old, new)
        if quoted:
            left, right = f'"{left}"', f'"{right}"'
        marks = changed_words(left, right) if texts[0] != texts[1] else ([], [])
        self._add(
            Cell(indent, keys[0], left, tuple(marks[0])),
            Cell(indent, keys[1], right, tuple(marks[1])),
            self._sign if texts[0] != texts[1] else " ",
        )


_SIGNS: Final[dict[str, Sign]] = {
    "changed": "~",
    "added": "+",
    "removed": "-",
    "uncompared": "?",
}


def _last(path: KeyPath) -> str:
    return _name(path[-1]) if path else ""


def _name(key: Key) -> str:
    return f"[{key}]" if isinstance(key, int) else one_line(key[:_INLINE]) or '""'


def _opening(value: Any) -> str:
    return "" if value else "{}" if isinstance(value, dict) else "[]"


def _told(key: str, value: Any, indent: int = 0) -> Iterator[tuple[int, str, str]]:
    """A value as lines: indent, key, text. Without recursion, and lazily: it may be huge."""
    waiting: list[Iterator[tuple[int, str, Any]]] = [iter([(indent, key, value)])]
    while waiting:
        item = next(waiting[-1], None)
        if item is None:
            waiting.pop()
            continue
        depth, name, inner = item
        short = _short(inner)
        if short is not None:
            yield depth, name, short
        elif isinstance(inner, str):
            yield depth, name, ""
            lines = inner.removesuffix("\n").split("\n", _LINES)[:_LINES]
            waiting.append((depth + 1, "", _Line(line)) for line in lines)
        else:
            yield depth, name, ""
            waiting.append(_children(inner, depth + 1))


class _Line(str):
    """A line of a text, which needs no quotes."""

    __slots__ = ()


def _children(value: Any, depth: int) -> Iterator[tuple[int, str, Any]]:
    if isinstance(value, dict):
        return ((depth, _name(_as_key(key)), inner) for key, inner in value.items())
    return ((depth, f"[{n}]", inner) for n, inner in enumerate(value))


def _as_key(key: Any) -> Key:
    return key if isinstance(key, str) or type(key) is int else repr(key)


def _short(value: Any) -> str | None:
    """A value on one line; None for what needs several."""
    if isinstance(value, _Line):
        return _safe(value)
    if isinstance(value, str):
        return None if _has_lines(value) else f'"{_safe(value)}"'
    if isinstance(value, dict | list):
        if not value:
            return _opening(value)
        inner = list(value.values() if isinstance(value, dict) else value) if len(value) < 9 else []
        if not inner or any(isinstance(v, dict | list) or _long(v) for v in inner):
            return None
        text = compact(value)
        return one_line(text) if len(text) <= _INLINE else None
    return _leaf(value)


def _long(value: Any) -> bool:
    return isinstance(value, str | bytes) and len(value) > _INLINE


def _leaf(value: Any) -> str:
    return told_bytes(value) if isinstance(value, bytes) else _safe(compact(value))


def _changed_leaf(old: Any, new: Any) -> tuple[str, str]:
    if isinstance(old, bytes) and isinstance(new, bytes):
        return changed_bytes(old, new)
    return _value(old), _value(new)


def _value(value: Any) -> str:
    return f'"{_safe(value)}"' if isinstance(value, str) else _leaf(value)


def _has_lines(text: str) -> bool:
    """Has it several lines? A line break at its end is shown as a symbol."""
    return "\n" in text[:-1]


def _lines_near(old: str, new: str) -> tuple[int, list[str], list[str]]:
    """How many lines are left out; lines of both from a little before the first difference."""
    skipped = 0
    if old.endswith("\n") and new.endswith("\n"):
        old, new = old[:-1], new[:-1]
    at = first_difference(old, new)
    if old.count("\n", 0, at) > _BEFORE:
        start = at
        for _ in range(4):
            start = old.rfind("\n", 0, start)
        skipped = old.count("\n", 0, start + 1)
        old, new = old[start + 1 :], new[start + 1 :]
    return skipped, old.split("\n", _LINES)[:_LINES], new.split("\n", _LINES)[:_LINES]


def _safe(text: str) -> str:
    return one_line(text if len(text) <= _LONGEST else part(text, 0, _LONGEST))
