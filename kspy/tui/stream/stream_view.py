"""The list: draws the lines that are on the screen, and no others.

It knows nothing of files. What it shows is in a `Viewing`; when that has changed, `update_lines`
is called. The cursor stays on its item, wherever that has moved to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message as Note
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kspy.analysis.filter import Pattern
from kspy.tui.palette import Colours
from kspy.tui.settings import TimeForm
from kspy.tui.stream.layout import Layout, lay_out
from kspy.tui.stream.row import SLOW_NS, Line, RowPainter, heading
from kspy.tui.stream.summaries import Summaries
from kspy.tui.viewing import Viewing

FORMS: Final[tuple[TimeForm, ...]] = ("start", "before", "absolute")
_WHEEL: Final = 3
_LOAD_SECONDS: Final = 0.01


class StreamView(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of `viewing`. `load` is given the items whose summaries the desk should make."""

    DEFAULT_CSS = """
    StreamView { height: 1fr; width: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    form: reactive[TimeForm] = reactive[TimeForm]("start")
    following: reactive[bool] = reactive(default=False)

    class Selected(Note):
        """The cursor is on another item; None where there is none."""

        def __init__(self, item: int | None) -> None:
            super().__init__()
            self.item = item

    class Opened(Note):
        """Enter, or a second click on a line."""

    def __init__(self, viewing: Viewing, load: Callable[[list[int]], None]) -> None:
        super().__init__(id="stream")
        self._viewing = viewing
        self._load = load
        self.summaries = Summaries(viewing.table, viewing.events)
        self.cursor = 0
        self.item: int | None = None
        self.matches: Pattern | None = None
        self.bookmarks: frozenset[int] = frozenset()
        self._painter: RowPainter | None = None
        self._layout: Layout | None = None
        self._look: Colours | None = None
        self._loading = False
        self._width = 0
        self._drawn: tuple[int, list[int]] | None = None

    # What is shown

    def update_lines(self) -> None:
        """The viewing has changed: keep the cursor on its item, or near it; follow the end."""
        lines, stale = self._viewing.lines, self._viewing.stale
        changed = bool(stale)
        while stale:
            self.summaries.forget(stale.pop())
        self._set_length(len(lines) + 1)
        if not len(lines):
            self.cursor = 0
            self._select()
        elif self.following:
            self._move_to(len(lines) - 1)
        elif self.item is None:
            self._move_to(0)
        else:
            self._keep(self.item)
        # In threads, a request on the screen may have been answered.
        if changed or self._viewing.mode == "threads" or self._seen() != self._drawn:
            self._painter = None
            self.refresh()

    def _set_length(self, length: int) -> None:
        """Let there be so many lines, without laying out the whole screen, which takes long."""
        height = self.size.height
        if (length > height) != (self.virtual_size.height > height):
            self.virtual_size = Size(0, length)  # the scroll bar comes or goes
            return
        self.set_reactive(StreamView.virtual_size, Size(0, length))
        self.vertical_scrollbar.window_virtual_size = length

    def _seen(self) -> tuple[int, list[int]]:
        """What the lines on the screen depend on: clients, the items, and the one before them."""
        top = self.scroll_offset.y
        items = self._viewing.lines[max(top - 1, 0) : top + self.rows]
        return self._viewing.highest_client(), items.tolist()

    def _keep(self, item: int) -> None:
        """Find the line of `item` again; where it is gone, the nearest before it."""
        lines = self._viewing.lines
        if self.cursor < len(lines) and lines[self.cursor] == item:
            return
        found = np.flatnonzero(lines == item)
        offset = self.cursor - self.scroll_offset.y
        self.cursor = int(found[0]) if len(found) else self._nearest(item)
        self.scroll_to(y=max(self.cursor - offset, 0), animate=False, force=True)
        self._select()

    def _nearest(self, item: int) -> int:
        wanted = self._viewing.table.item_time_ns(item)
        return self.line_at(wanted)

    def line_at(self, time_ns: int) -> int:
        """The last line that is not later than a time, by binary search."""
        lines, table = self._viewing.lines, self._viewing.table
        low, high = 0, len(lines)
        while low < high:
            middle = (low + high) // 2
            if table.item_time_ns(int(lines[middle])) <= time_ns:
                low = middle + 1
            else:
                high = middle
        return max(low - 1, 0)

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        colours = self._colours()
        if y == 0:
            return Strip([Segment(self._heading(width), colours.dim + colours.background)])
        line = self.scroll_offset.y + y - 1
        lines = self._viewing.lines
        back = colours.background
        if line >= len(lines):
            return Strip.blank(width, back)
        item = int(lines[line])
        before = int(lines[line - 1]) if line else None
        selected = line == self.cursor
        if selected:
            back = colours.cursor + Style(bold=self.has_focus)
        segments = [
            Segment(text, back + style if style else back)
            for text, style, _ in self._rows(width).paint(self._line(item, before), self.matches)
        ]
        return Strip(segments).adjust_cell_length(width, back)

    def render_lines(self, crop: Region) -> list[Strip]:
        self.summaries.begin_screen()
        self._drawn = self._seen()
        strips = super().render_lines(crop)
        if self.summaries.wanted and not self._loading:
            self._loading = True
            self.set_timer(_LOAD_SECONDS, self._load_wanted)
        return strips

    def _load_wanted(self) -> None:
        top = self.scroll_offset.y
        shown = {int(item) for item in self._viewing.lines[top : top + self.size.height]}
        wanted = [item for item in self.summaries.wanted if item in shown]
        self.summaries.wanted.clear()
        self._loading = False
        if wanted:
            self._load(wanted)

    def _line(self, item: int, before: int | None) -> Line:
        viewing, table = self._viewing, self._viewing.table
        thread = table.thread(item) if item >= 0 else -1
        head = table.head(thread) if thread >= 0 else item
        threads = viewing.mode == "threads"
        inside = threads and head != item
        return Line(
            item=item,
            said=self.summaries.get(item),
            start_ns=table.start_ns,
            before_ns=None if before is None else table.item_time_ns(before),
            elapsed_ns=table.time_ns(item) - table.time_ns(head) if inside else None,
            fold=self._fold(item, thread) if threads and not inside else "",
            timing=viewing.timing(thread) if threads and thread >= 0 and not inside else None,
            waited_ns=viewing.now_ns() - table.time_ns(head) if threads and thread >= 0 else 0,
            slow=thread >= 0 and table.reply(thread) == item and viewing.latency(thread) >= SLOW_NS,
            bookmarked=item in self.bookmarks,
        )

    def _fold(self, item: int, thread: int) -> str:
        if thread < 0 or self._viewing.table.thread_size(thread) < 2:
            return ""
        return "▾" if self._viewing.is_open(item) else "▸"

    def _heading(self, width: int) -> str:
        self._rows(width)
        text = heading(self._layout, self.form) if self._layout else ""
        return text[:width].ljust(width)

    def _rows(self, width: int) -> RowPainter:
        viewing = self._viewing
        if self._painter is None or self._width != width:
            self._width = width
            threads = viewing.mode == "threads"
            self._layout = lay_out(
                width, time=self.form, clients=viewing.highest_client(), threads=threads
            )
            self._painter = RowPainter(viewing.table, self._layout, self._colours(), self.form)
        return self._painter

    def _colours(self) -> Colours:
        if self._look is None:
            self._look = Colours.of(self.app)
        return self._look

    def notify_style_update(self) -> None:
        self._look = self._painter = None
        super().notify_style_update()

    def on_resize(self) -> None:
        self._painter = None
        self._show_cursor()

    def watch_form(self) -> None:
        self._painter = None
        self.refresh()

    # Moving

    @property
    def rows(self) -> int:
        """Lines that fit on the screen, below the heading."""
        return max(self.size.height - 1, 1)

    def move(self, by: int) -> None:
        """Move the cursor by so many lines. Up ends following."""
        self._go(self.cursor + by)

    def go_to_line(self, line: int) -> None:
        self._go(line)

    def go_to_item(self, item: int) -> bool:
        """Put the cursor on an item; False where it is not among the lines."""
        found = np.flatnonzero(self._viewing.lines == item)
        if not len(found):
            return False
        self._go(int(found[0]))
        return True

    def _go(self, line: int) -> None:
        last = len(self._viewing.lines) - 1
        line = min(max(line, 0), last)
        if last < 0:
            return
        self.following = self.following and line == last
        self._move_to(line)

    def _move_to(self, line: int) -> None:
        before, self.cursor = self.cursor, line
        self._show_cursor()
        self._select()
        for changed in {before, line}:
            self._refresh_at(changed)

    def _refresh_at(self, line: int) -> None:
        y = line - self.scroll_offset.y + 1
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _show_cursor(self) -> None:
        top, rows = self.scroll_offset.y, self.rows
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + rows:
            self.scroll_to(y=self.cursor - rows + 1, animate=False, force=True)

    def _select(self) -> None:
        lines = self._viewing.lines
        item = int(lines[self.cursor]) if self.cursor < len(lines) else None
        if item != self.item:
            self.item = item
            self.post_message(self.Selected(item))

    def watch_following(self, following: bool) -> None:
        if following and len(self._viewing.lines):
            self._move_to(len(self._viewing.lines) - 1)

    # The mouse

    def on_click(self, event: events.Click) -> None:
        line = self.scroll_offset.y + event.y - 1
        if event.y < 1 or line >= len(self._viewing.lines):
            return
        again = line == self.cursor
        self._go(line)
        if again:
            self.post_message(self.Opened())

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.prevent_default()
        event.stop()
        self.following = False
        self.scroll_relative(y=-_WHEEL, animate=False, force=True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.prevent_default()
        event.stop()
        self.scroll_relative(y=_WHEEL, animate=False, force=True)
