"""A list of two columns with a cursor: its first line names both sides and does not scroll."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kspy.analysis.sanitize import pad
from kspy.tui.compare.columns import Looks, column_width, side
from kspy.tui.compare.moving import JUMPS, MOVES
from kspy.tui.palette import Colours


class CursorList(ScrollView, can_focus=True):
    """Moves a cursor over `line_count` lines; what they are, and draws them, who inherits."""

    DEFAULT_CSS = """
    CursorList {
        height: 1fr; background: $background; scrollbar-size-vertical: 1; overflow-x: hidden;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "compare these"),
        *JUMPS,
        *MOVES,
    ]

    def __init__(self) -> None:
        super().__init__()
        self.cursor = 0
        self._headings: tuple[str, str] = ("", "")
        self._looks: Looks | None = None

    @property
    def line_count(self) -> int:
        raise NotImplementedError

    def action_open(self) -> None:
        """Enter, or a second click."""
        raise NotImplementedError

    def show_headings(self, left: str, right: str) -> None:
        """What both sides are, as safe text."""
        self._headings = left, right
        self.refresh()

    # Moving

    def action_move(self, by: int) -> None:
        self.go(self.cursor + by)

    def action_page(self, pages: float) -> None:
        self.go(self.cursor + round(pages * max(self.size.height - 2, 1)))

    def action_end(self, last: bool) -> None:
        self.go(self.line_count - 1 if last else 0)

    def on_click(self, event: Click) -> None:
        line = self.scroll_offset.y + event.y - 1
        if event.y < 1 or line >= self.line_count:
            return
        if line == self.cursor:
            self.action_open()
        self.go(line)

    def go(self, line: int) -> None:
        """Put the cursor there, or on the nearest line that there is."""
        self.cursor = min(max(line, 0), max(self.line_count - 1, 0))
        self.show_cursor()
        self.refresh()

    def show_cursor(self) -> None:
        """Scroll so far that the cursor is seen."""
        top, rows = self.scroll_offset.y, max(self.size.height - 1, 1)
        wanted = min(max(top, self.cursor - rows + 1), self.cursor)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, force=True)

    # Drawing

    def heading(self) -> Strip:
        """The first line."""
        looks, column = self.looks, column_width(self.size.width)
        base = looks.colours.background
        left, right = (
            side([(pad(f"  {text}", column), looks.colours.text)], column, base)
            for text in self._headings
        )
        return self.joined(left, right, looks.between(base))

    def joined(self, left: list[Segment], right: list[Segment], between: Segment) -> Strip:
        """Both columns of a line."""
        strip = Strip([*left, between, *right])
        return strip.adjust_cell_length(self.size.width, self.looks.colours.background)

    @property
    def looks(self) -> Looks:
        if self._looks is None:
            self._looks = Looks.of(Colours.of(self.app))
        return self._looks

    def notify_style_update(self) -> None:
        self._looks = None
        super().notify_style_update()
