"""The tab that shows a message as a person wants to see it.

It is decoded and laid out on the desk, and visible lines are drawn: highlighting a page of html
takes longer than a key may.
"""

from __future__ import annotations

import io
from collections.abc import Generator
from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from kspy.analysis import units
from kspy.analysis.progress import Progress
from kspy.recording.event import Event
from kspy.tui.desk import Job
from kspy.tui.detail.rendering import Look, render
from kspy.tui.palette import Colours
from kspy.wire.message import DECODE_LIMIT, Message

if TYPE_CHECKING:
    from kspy.tui.app import KspyApp

Lines = list[list[Segment]]

_SOON: Final = 100_000
"""Bytes of a message until which nothing is said of the moment that it takes."""
_ASKED: Final = 16 << 20
"""Bytes from which on it is decoded only when somebody asks for it."""
_DIM: Final = Style(dim=True)


class RenderedView(ScrollView, can_focus=True):
    """`language` is the name of the kernel's language, as pygments knows it."""

    DEFAULT_CSS = "RenderedView { scrollbar-size-vertical: 1; overflow-x: hidden; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", show=False),
        Binding("k", "scroll_up", "Up", show=False),
        Binding("g", "scroll_home", "Start", show=False),
        Binding("G", "scroll_end", "End", show=False),
        Binding("ctrl+d", "page_down", "A screen down", show=False),
        Binding("ctrl+u", "page_up", "A screen up", show=False),
        Binding("enter", "decode", "Decode a large message", show=False),
    ]
    ALLOW_SELECT = True

    def __init__(self) -> None:
        super().__init__(id="rendered")
        self.language = "python"
        self._item: Message | Event | None = None
        self._lines: Lines = []
        self._job: Job | None = None
        self._width = 0

    def on_mount(self) -> None:
        self.watch(self.app, "theme", self._again, init=False)

    def on_resize(self) -> None:
        if self._width != self.scrollable_content_region.width:
            self._again()

    def _again(self) -> None:
        self.show(self._item)

    def show(self, item: Message | Event | None, *, asked: bool = False) -> None:
        """Show an item; `asked`: however large it is."""
        if self._job:
            self._job.cancel()
            self._job = None
        self._item = item
        self._width = self.scrollable_content_region.width
        size = item.size if isinstance(item, Message) else 0
        self.scroll_home(animate=False)
        if item is None:
            self._put([])
            return
        if _ASKED < size <= DECODE_LIMIT and not asked:
            self._put([[Segment(f"{units.size(size)}: enter decodes it.", _DIM)]])
            return
        if _SOON < size <= DECODE_LIMIT:
            self._put([[Segment(f"decoding {units.size(size)}…", _DIM)]])
        desk = cast("KspyApp", self.app).desk
        self._job = desk.run(_lay_out(item, self._look()), self._put, urgent=True)

    def action_decode(self) -> None:
        self.show(self._item, asked=True)

    def _put(self, lines: Lines) -> None:
        self._lines = lines
        self.virtual_size = Size(0, len(lines))
        self.refresh()

    def _look(self) -> Look:
        theme = self.app.current_theme
        background = Color.parse(theme.background or "black")
        return Look(
            width=max(self.scrollable_content_region.width - 2, 10),
            language=self.language,
            dark=theme.dark,
            colours=not self.app.no_color,
            background=(background.r, background.g, background.b),
        )

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        back = Colours.of(self.app).background
        place = y + self.scroll_offset.y
        if place >= len(self._lines):
            return Strip.blank(width, back)
        line = Segment.apply_style(self._with_selection(place), back)
        strip = Strip([Segment(" ", back), *Strip(line).apply_offsets(0, place)])
        return strip.adjust_cell_length(width, back)

    def _with_selection(self, place: int) -> list[Segment]:
        line, selection = self._lines[place], self.text_selection
        span = selection.get_span(place) if selection else None
        if span is None:
            return line
        start, end = span
        text = Text.assemble(*((part.text, part.style or Style()) for part in line), end="")
        style = self.screen.get_component_rich_style("screen--selection")
        text.stylize(style, start, len(text) if end == -1 else end)
        return list(text.render(self.app.console))

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        lines = ("".join(part.text for part in line).rstrip() for line in self._lines)
        return selection.extract("\n".join(lines)), "\n"


def _lay_out(item: Message | Event, look: Look) -> Generator[Progress, None, Lines]:
    """An item, line by line."""
    yield Progress(0, 1)
    console = Console(file=io.StringIO(), color_system="truecolor", legacy_windows=False)
    options = console.options.update(width=look.width, height=None)
    lines: Lines = []
    for part in render(item, look):
        lines += console.render_lines(part, options, pad=False)
        yield Progress(0, 1)
    return lines
