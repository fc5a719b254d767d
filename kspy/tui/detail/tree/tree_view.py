"""The tree on the screen: draws the lines that are seen; the last one says where the cursor is."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any, ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kspy.analysis.filter import Pattern
from kspy.analysis.sanitize import ELLIPSIS, MARKS_A_CELL, cut, one_line
from kspy.export.copies import as_path
from kspy.tui.detail.tree.line import LinePainter, Look
from kspy.tui.detail.tree.model import MARK, Line, Path, Tree

_WHEEL: Final = 3
_WITH_PATH: Final = 4
"""Rows from which on the last is given to the path."""


class JsonTree(ScrollView, can_focus=True):
    """Values that fold. `path` is that of the value under the cursor, as Python writes it."""

    DEFAULT_CSS = """
    JsonTree { height: 1fr; width: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Next line", show=False),
        Binding("k,up", "move(-1)", "Line before", show=False),
        Binding("ctrl+f,pagedown", "page(1)", "Screen down", show=False),
        Binding("ctrl+b,pageup", "page(-1)", "Screen up", show=False),
        Binding("ctrl+d", "page(0.5)", "Half a screen down", show=False),
        Binding("ctrl+u", "page(-0.5)", "Half a screen up", show=False),
        Binding("g,home", "to_line(0)", "First line", show=False),
        Binding("G,end", "to_line(-1)", "Last line", show=False),
        Binding("enter,space", "toggle_line", "Fold or unfold", show=False),
        Binding("right,l", "unfold", "Unfold", show=False),
        Binding("left,h", "fold", "Fold, or to what it is in", show=False),
        Binding("z", "toggle_below", "Fold or unfold all below", show=False),
    ]

    path: reactive[str] = reactive("")

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's own name)
        super().__init__(id=id)
        self._tree = Tree()
        self._look: Look | None = None
        self._matches: Pattern | None = None
        self._seen: list[Line] = []
        """The lines on the screen, while it is drawn."""
        self.cursor = 0
        self._wanted: tuple[Hashable, ...] = ()
        """Where the cursor was put: some values may not have it, and the next has it again."""

    def show(self, roots: Mapping[str, Any], open: Collection[str] = ("content",)) -> None:  # noqa: A002
        """Show these values. Open are the roots named in `open`, and what was opened before.

        The cursor stays on its path where the new values have it, else near it.
        """
        offset = self.cursor - self.scroll_offset.y
        self._tree.show(roots, open)
        node = self._tree.find(self._wanted)
        self.cursor = self._tree.line_of(node) if node else 0
        self._resize_content()
        self.scroll_to(y=max(self.cursor - offset, 0), animate=False, force=True)
        self._say_path()

    @property
    def selected(self) -> tuple[Path, Any] | None:
        """Path and value under the cursor; None for an empty tree.

        On a range of a container's elements it is the container; on a line of a text the text.
        """
        line = self._line
        return (line.node.path, line.node.value) if line else None

    @property
    def matches(self) -> Pattern | None:
        """What is highlighted."""
        return self._matches

    @matches.setter
    def matches(self, matches: Pattern | None) -> None:
        self._matches = matches
        self.refresh()

    @property
    def _line(self) -> Line | None:
        return self._tree.line(self.cursor) if self.cursor < len(self._tree) else None

    # Drawing

    @property
    def _rows(self) -> int:
        """Rows for lines of the tree: all, but for the path's."""
        height = self.size.height
        return max(height - 1 if height >= _WITH_PATH else height, 1)

    def render_lines(self, crop: Region) -> list[Strip]:
        self._seen = self._tree.lines(self.scroll_offset.y, self._rows)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        look = self._look = self._look or Look.of(self.app)
        width = self.scrollable_content_region.width
        back = look.colours.background
        if y == self._rows:
            text = Segment(_tail(self.path, width), look.colours.dim + back)
            return Strip([text]).adjust_cell_length(width, back)
        if y >= len(self._seen):
            return Strip.blank(width, back)
        if y + self.scroll_offset.y == self.cursor:
            back = look.colours.cursor + Style(bold=self.has_focus)
        segments = [
            Segment(text, back + style if style else back)
            for text, style, _ in LinePainter(self._tree, look).paint(self._seen[y], self._matches)
        ]
        return Strip(segments).adjust_cell_length(width, back)

    def notify_style_update(self) -> None:
        self._look = None
        super().notify_style_update()

    def on_resize(self) -> None:
        self._set_width()
        self._resize_content()
        self._show_cursor()

    def watch_show_vertical_scrollbar(self) -> None:
        self._set_width()

    def _set_width(self) -> None:
        """Texts are broken anew where the width has changed; the cursor stays on its value."""
        width = self.scrollable_content_region.width
        if width <= 0 or width == self._tree.width:
            return
        line = self._line
        self._tree.set_width(width)
        if line:
            self.cursor = self._tree.line_of(line.node)
            if line.node.pieces is not None:
                self.cursor += min(line.piece + 1, len(line.node.pieces) - 1)
        self._resize_content()
        self.refresh()

    def _resize_content(self) -> None:
        self.virtual_size = Size(0, len(self._tree) + self.size.height - self._rows)

    def _changed(self) -> None:
        """The cursor was put elsewhere, or something was folded."""
        line = self._line
        self._wanted = line.node.fold_path if line else ()
        self._say_path()

    def _say_path(self) -> None:
        line = self._line
        self.path = as_path(line.node.path) if line else ""
        self._show_cursor()
        self.refresh()

    def _show_cursor(self) -> None:
        top, rows = self.scroll_offset.y, self._rows
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + rows:
            self.scroll_to(y=self.cursor - rows + 1, animate=False, force=True)

    # Moving

    def action_move(self, by: int) -> None:
        self._go(self.cursor + by)

    def action_page(self, pages: float) -> None:
        self._go(self.cursor + int(pages * self._rows))

    def action_to_line(self, line: int) -> None:
        """To a line; from the end, where it is negative."""
        self._go(line if line >= 0 else len(self._tree) + line)

    def _go(self, line: int) -> None:
        self.cursor = max(min(line, len(self._tree) - 1), 0)
        self._changed()

    # Folding

    def action_toggle_line(self) -> None:
        line = self._line
        if line:
            self.cursor = self._tree.line_of(line.node)
            self._tree.toggle(line.node)
            self._folded()

    def action_unfold(self) -> None:
        line = self._line
        if line and not line.node.is_open:
            self._tree.open(line.node)
            self._folded()

    def action_fold(self) -> None:
        """Fold what is open; from all else go to what it is in."""
        line = self._line
        if line is None:
            return
        node = line.node
        if line.piece >= 0:
            self._go(self._tree.line_of(node))
        elif node.is_open:
            self._tree.close(node)
            self._folded()
        elif node.parent and node.parent.parent:
            self._go(self._tree.line_of(node.parent))

    def action_toggle_below(self) -> None:
        line = self._line
        if line:
            self.cursor = self._tree.line_of(line.node)
            self._tree.toggle_below(line.node)
            self._folded()

    def _folded(self) -> None:
        self._resize_content()
        self._changed()

    # The mouse

    def on_click(self, event: events.Click) -> None:
        number = self.scroll_offset.y + event.y
        if event.y >= self._rows or number >= len(self._tree):
            return
        self._go(number)
        line = self._tree.line(number)
        indent = self._tree.indent(line.node)
        if line.piece < 0 and indent <= event.x < indent + MARK:
            self.action_toggle_line()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.prevent_default()
        event.stop()
        self.scroll_relative(y=-_WHEEL, animate=False, force=True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.prevent_default()
        event.stop()
        self.scroll_relative(y=_WHEEL, animate=False, force=True)


def _tail(path: str, width: int) -> str:
    """The end of a path that fits: what it ends with is what one looks at."""
    shown = one_line(path[-width * MARKS_A_CELL :])
    if cell_len(shown) <= width and len(path) <= width * MARKS_A_CELL:
        return shown
    room = width - 1
    tail = cut(shown[::-1], room + 1)[:-1][::-1]
    return ELLIPSIS + tail if room >= 1 else cut(shown, width)
