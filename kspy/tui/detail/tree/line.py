"""One line of the tree: mark, key and value, in cells and colours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Self

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from kspy.analysis.filter import Pattern
from kspy.analysis.sanitize import ELLIPSIS, MARKS_A_CELL, cut, one_line, pad
from kspy.analysis.units import plural, size
from kspy.export.copies import as_value
from kspy.tui.detail.tree.model import MARK, Line, Node, Tree
from kspy.tui.highlighting import highlighted
from kspy.tui.palette import Colours

if TYPE_CHECKING:
    from textual.app import App

OPEN, FOLDED = "▾", "▸"
_WORDS: Final = {None: "null", True: "true", False: "false"}
_PREVIEWED: Final = 12
_PREVIEW_CHARACTERS: Final = 40
_LEAST: Final = 8
"""Cells of a text worth showing before its length."""
_DIGITS: Final = 400
"""Characters of a value that is no text, list or map, as Python writes it."""


@dataclass(frozen=True, slots=True)
class Look:
    """Styles of a tree. Text is plain; what is no text has one colour, whatever it is."""

    colours: Colours
    other: Style

    @classmethod
    def of(cls, app: App[object]) -> Self:
        secondary = app.theme_variables["secondary"][:7]
        return cls(Colours.of(app), Style(color=Color.parse(secondary)))


class LinePainter:
    """Paints lines of `tree`. Nothing is wider than the tree, and nothing acts on a terminal."""

    def __init__(self, tree: Tree, look: Look) -> None:
        self._tree = tree
        self._look = look

    def paint(self, line: Line, matches: Pattern | None = None) -> list[Segment]:
        """The segments of a line, not padded to the width. `matches` are highlighted."""
        segments = list(self._piece(line) if line.piece >= 0 else self._own(line.node))
        if matches is None:
            return segments
        return list(highlighted(segments, matches, self._look.colours.match))

    def _piece(self, line: Line) -> Iterator[Segment]:
        indent = self._tree.indent(line.node) + MARK
        yield Segment(" " * indent + "│ ", self._look.colours.dim)
        room = max(self._tree.width - indent - 2, 1)
        yield Segment(cut(one_line(line.text), room), self._look.colours.text)

    def _own(self, node: Node) -> Iterator[Segment]:
        tree, colours = self._tree, self._look.colours
        mark = (OPEN if node.is_open else FOLDED) if tree.can_open(node) else " "
        indent = tree.indent(node)
        yield Segment(" " * indent + mark + " ", colours.dim)
        left = tree.width - indent - MARK
        if node.is_range:
            yield Segment(cut(node.label, left), colours.dim)
            return
        label = cut(node.label, max(left - _LEAST, left // 2))
        label = pad(label, max(node.column, cell_len(label)))
        top = node.depth == 0
        yield Segment(f"{label} ", colours.text if top and tree.can_open(node) else colours.dim)
        yield from self._value(node, max(left - cell_len(label) - 1, 0))

    def _value(self, node: Node, room: int) -> Iterator[Segment]:
        value = node.value
        if isinstance(value, str):
            yield from self._text(node, room)
        elif isinstance(value, dict | list):
            yield from self._container(node, room)
        else:
            yield Segment(cut(_leaf(value), room), self._look.other)

    def _text(self, node: Node, room: int) -> Iterator[Segment]:
        text, colours = node.value, self._look.colours
        if not self._tree.can_open(node):
            yield Segment(f'"{cut(one_line(text), max(room - 2, 0))}"', colours.text)
            return
        length = plural(len(text), "char")
        if node.is_open:
            yield Segment(cut(length, room), colours.dim)
            return
        if room - cell_len(length) - 1 >= _LEAST:
            room -= cell_len(length) + 1
            length = f" {length}"
        else:
            length = ""
        start = one_line(text[: room * MARKS_A_CELL])
        if len(text) > room * MARKS_A_CELL:
            start += ELLIPSIS
        yield Segment(cut(f'"{start}"', room), colours.text)
        yield Segment(length, colours.dim)

    def _container(self, node: Node, room: int) -> Iterator[Segment]:
        value, dim = node.value, self._look.colours.dim
        count = f"{len(value):,}" if value else ""
        text = f"{{{count}}}" if isinstance(value, dict) else f"[{count}]"
        if value and not node.is_open and isinstance(value, dict):
            text += f" {_keys(value)}"
        yield Segment(cut(text, room), dim)


def _keys(value: dict[Any, Any]) -> str:
    """The first keys of a map, to know what is in it without unfolding it."""
    keys = [
        one_line(key[:_PREVIEW_CHARACTERS] if isinstance(key, str) else repr(key))
        for key in islice(value, _PREVIEWED)
    ]
    return ", ".join(keys) + (f", {ELLIPSIS}" if len(value) > _PREVIEWED else "")


def _leaf(value: object) -> str:
    """What is no text, list or map: as JSON writes it, where JSON has it."""
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, bytes):
        return size(len(value))
    if isinstance(value, float) and not isfinite(value):
        return as_value(value).strip('"')
    return one_line(repr(value)[:_DIGITS])
