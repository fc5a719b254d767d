"""The rows of two messages on the screen: draws the visible ones, jumps between differences."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Size
from textual.message import Message as Note
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kspy.analysis.alignment import Span
from kspy.analysis.sanitize import pad
from kspy.analysis.units import plural
from kspy.tui.compare.columns import (
    SIGN_WIDTH,
    Looks,
    Styled,
    broken,
    column_width,
    marked,
    side,
)
from kspy.tui.compare.moving import JUMPS, MOVES
from kspy.tui.compare.rows import Cell, Comparison, Row
from kspy.tui.palette import Colours

Heading = list[Styled]
MakeHeading = Callable[[Colours], Heading]

_VARYING_SIGN: Final = "≈"
_KEPT: Final = 2
"""Equal rows around a difference that stay when the others are hidden."""
_INDENT: Final = 2
_DEEPEST: Final = 12


class MessageView(ScrollView, can_focus=True):
    """Both messages, a row a value or line. The first line names them and does not scroll."""

    DEFAULT_CSS = """
    MessageView {
        height: 1fr; background: $background; scrollbar-size-vertical: 1; overflow-x: hidden;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *JUMPS,
        Binding("z", "hide_same", "hide what is the same"),
        *MOVES,
    ]

    class Jumped(Note):
        """Another difference is the present one."""

    def __init__(self) -> None:
        super().__init__()
        self.current = -1
        self.hiding = False
        self.comparison = Comparison([], 0, 0, True)
        self._headings: tuple[MakeHeading, ...] = ()
        self._rows: list[Row | int] = []
        self._starts = array("L")
        self._looks: Looks | None = None

    def show(self, comparison: Comparison, left: MakeHeading, right: MakeHeading) -> None:
        """Show a comparison, from its first difference on; the headings must be safe text."""
        self.comparison = comparison
        self._headings = left, right
        self.current = -1
        self._lay_out()
        if comparison.differences:
            self.action_jump(1)

    # Which rows, and where

    def _lay_out(self) -> None:
        """Where each row begins, in lines of the screen."""
        rows = self.comparison.rows
        self._rows = _hidden(rows) if self.hiding else list(rows)
        width = self._text_width()
        self._starts = array("L", (0,))
        for row in self._rows:
            height = 1 if isinstance(row, int) else max(1, *map(len, _broken(row, width)))
            self._starts.append(self._starts[-1] + height)
        self.virtual_size = Size(0, self._starts[-1] + 1)
        self.refresh()

    def _text_width(self) -> int:
        return column_width(self.scrollable_content_region.width or 80) - SIGN_WIDTH

    def on_resize(self, event: Resize) -> None:
        top = self._row_at(self.scroll_offset.y)
        self._lay_out()
        self.scroll_to(y=self._starts[min(top, len(self._rows))], animate=False, force=True)

    def _row_at(self, line: int) -> int:
        return max(bisect_right(self._starts, line) - 1, 0)

    # Moving

    def action_move(self, lines: int) -> None:
        self.scroll_relative(y=lines, animate=False, force=True)

    def action_page(self, pages: float) -> None:
        self.action_move(round(pages * max(self.size.height - 2, 1)))

    def action_end(self, last: bool) -> None:
        self.scroll_to(y=self._starts[-1] if last else 0, animate=False, force=True)

    def action_jump(self, by: int) -> None:
        """To the next difference (1), or the one before (-1); after the last comes the first."""
        count = self.comparison.differences
        if not count:
            return
        self.current = (self.current + by) % count if self.current >= 0 else min(by - 1, 0) % count
        self._show_current()
        self.post_message(self.Jumped())

    def _show_current(self) -> None:
        numbers = [(row.number if isinstance(row, Row) else -1) for row in self._rows]
        if self.current not in numbers:
            return
        line = self._starts[numbers.index(self.current)]
        height = max(self.size.height - 1, 1)
        top = self.scroll_offset.y
        if not top + 1 <= line < top + height - 2:
            self.scroll_to(y=max(line - height // 3, 0), animate=False, force=True)
        self.refresh()

    def action_hide_same(self) -> None:
        """Show differences and what is next to them alone, or everything."""
        self.hiding = not self.hiding
        self._lay_out()
        self._show_current()

    # Drawing

    def render_line(self, y: int) -> Strip:
        looks = self._look()
        width = self.size.width
        column = column_width(width)
        base = looks.colours.background
        if y == 0:
            segments = self._heading(column, looks)
            return Strip(segments).adjust_cell_length(width, base)
        line = self.scroll_offset.y + y - 1
        place = self._row_at(line)
        if place >= len(self._rows) or line >= self._starts[-1]:
            return Strip.blank(width, base)
        row = self._rows[place]
        if isinstance(row, int):
            text = pad(f"  ⋯ {plural(row, 'line')}, the same", width)
            return Strip([Segment(text, base + looks.colours.dim)])
        segments = _painted(
            row, line - self._starts[place], column, looks, row.number == self.current
        )
        return Strip(segments).adjust_cell_length(width, base)

    def _heading(self, column: int, looks: Looks) -> list[Segment]:
        base = looks.colours.background
        made = [heading(looks.colours) for heading in self._headings] or [[], []]
        left, right = (side(_cut(heading, column), column, base) for heading in made)
        return [*left, looks.between(base), *right]

    def _look(self) -> Looks:
        if self._looks is None:
            self._looks = Looks.of(Colours.of(self.app))
        return self._looks

    def notify_style_update(self) -> None:
        self._looks = None
        super().notify_style_update()


def _cut(heading: Heading, width: int) -> Heading:
    """As much of a heading as fits."""
    pieces: Heading = []
    for text, look in heading:
        if width <= 0:
            break
        kept = pad(text, min(width, len(text)))
        pieces.append((kept, look))
        width -= len(text)
    return pieces


def _hidden(rows: list[Row]) -> list[Row | int]:
    """`rows`, with a number in place of many equal ones that stand together."""
    differing = [n for n, row in enumerate(rows) if row.sign != " " or row.note]
    shown: list[Row | int] = []
    at = 0
    for n, row in enumerate(rows):
        near = bisect_left(differing, n - _KEPT)
        if near < len(differing) and differing[near] <= n + _KEPT:
            if n > at:
                shown += [n - at] if n > at + 1 else [rows[at]]
            shown.append(row)
            at = n + 1
    if at < len(rows):
        shown.append(len(rows) - at)
    return shown


def _label(cell: Cell) -> str:
    """What stands before a cell's text. The deepest levels share an indentation."""
    key = f"{cell.key} " if cell.key and cell.text else cell.key
    return " " * (_INDENT * min(cell.indent, _DEEPEST)) + key


def _broken(row: Row, width: int) -> tuple[list[Span], list[Span]]:
    left, right = (
        broken(_label(cell) + cell.text, width, _hanging(cell, width)) if cell else []
        for cell in (row.left, row.right)
    )
    return left, right


def _hanging(cell: Cell, width: int) -> int:
    """How far the lines of a cell after the first are indented."""
    return min(_INDENT * min(cell.indent, _DEEPEST) + _INDENT, width // 2)


def _painted(row: Row, line: int, column: int, looks: Looks, current: bool) -> list[Segment]:
    """Line `line` of a row, both sides."""
    colours = looks.colours
    base = colours.background + (colours.cursor if current else Style())
    width = column - SIGN_WIDTH
    spans = _broken(row, width)
    sides: list[list[Segment]] = []
    for cell, parts, sign in zip((row.left, row.right), spans, _signs(row), strict=True):
        back = base
        if cell is not None and row.sign in ("+", "-") and not row.varies and not current:
            back = base + looks.alone
        pieces: list[Styled] = []
        if cell is not None and line < len(parts):
            look = colours.dim if row.varies else colours.accent + Style(bold=True)
            pieces = [(f"{sign if line == 0 else ' '} ", look)]
            pieces += _piece(cell, parts[line], line and _hanging(cell, width), row, looks)
        sides.append(side(pieces, column, back))
    return [*sides[0], looks.between(base), *sides[1]]


def _signs(row: Row) -> tuple[str, str]:
    if row.varies and row.sign == "~":
        return _VARYING_SIGN, _VARYING_SIGN
    return row.sign, row.sign


def _piece(cell: Cell, part: Span, hanging: int, row: Row, looks: Looks) -> list[Styled]:
    """The part of a cell that stands on one line: the rest of its key dim, then its text."""
    colours = looks.colours
    look = colours.dim if row.varies or row.note else colours.text
    if row.note and row.sign == "?":
        look = colours.doubtful
    label = _label(cell)
    start, stop = part
    pieces: list[Styled] = [(" " * hanging, look)] if hanging else []
    if start < len(label):
        pieces.append((label[start:stop], colours.dim))
        start = min(len(label), stop)
    at = len(label)
    spans = [
        (max(first + at, start) - start, min(last + at, stop) - start)
        for first, last in cell.marks
        if first + at < stop and last + at > start and not row.varies
    ]
    return [*pieces, *marked((label + cell.text)[start:stop], spans, look, looks.word)]
