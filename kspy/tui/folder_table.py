"""The table of a folder's recordings: draws the lines that are visible, and sorts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kspy.analysis.listing import SUFFIX, Listed
from kspy.analysis.sanitize import pad
from kspy.analysis.units import duration, short_size
from kspy.tui.palette import Colours
from kspy.tui.status_bar import STATES

_STATES: Final = {"unread": "…", "refused": "", **STATES}
_GAP: Final = 2
_NAME_WIDTH: Final = 23
"""Of longer names so much stays, for as long as other columns need room."""
_LONGEST: Final = 32
"""Cells of what strangers wrote, but for names."""


@dataclass(frozen=True, slots=True)
class Column:
    """`key` sorts; a column of a lower `rank` stays longer when the terminal is narrow."""

    title: str
    rank: int
    text: Callable[[Listed], str]
    key: Callable[[Listed], Any]
    right: bool = False
    falling: bool = False


def _when(file: Listed) -> str:
    if file.when_ns is None:
        return ""
    try:
        when = datetime.fromtimestamp(file.when_ns // 10**9).astimezone()
    except (ValueError, OverflowError, OSError):
        return "?"  # a time that no calendar has
    this_year = when.year == datetime.now().astimezone().year
    return f"{when:%m-%d %H:%M}" if this_year else f"{when:%Y-%m-%d}"


def _name(file: Listed) -> str:
    return file.name.removesuffix(SUFFIX)  # as all of them have it


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


NAME: Final = Column("name", 0, _name, _name)
COLUMNS: Final = (
    NAME,
    Column("kernel", 6, lambda file: file.kernel, lambda file: file.kernel),
    Column("recorded", 3, _when, lambda file: file.when_ns or 0, falling=True),
    Column(
        "length",
        5,
        lambda file: "" if file.length_ns is None else duration(file.length_ns),
        lambda file: file.length_ns or 0,
        right=True,
        falling=True,
    ),
    Column(
        "messages",
        1,
        lambda file: _count(file.messages),
        lambda file: file.messages or 0,
        right=True,
        falling=True,
    ),
    Column(
        "errors",
        2,
        lambda file: _count(file.errors),
        lambda file: file.errors or 0,
        right=True,
        falling=True,
    ),
    Column(
        "size",
        7,
        lambda file: short_size(file.size),
        lambda file: file.size,
        right=True,
        falling=True,
    ),
    Column("state", 4, lambda file: _STATES[file.state], lambda file: _STATES[file.state]),
)


Widths = Mapping[str, int]
"""Of each column, by its title: the cells that its contents need."""


def needed(files: Iterable[Listed]) -> Widths:
    """What a table of these files needs; the mark of the sorted column goes into the gap."""
    widths = {column.title: len(column.title) for column in COLUMNS}
    for file in files:
        if file.state == "refused":
            widths["name"] = max(widths["name"], cell_len(_name(file)))
            continue
        for column in COLUMNS:
            widths[column.title] = max(widths[column.title], cell_len(column.text(file)))
    widths["kernel"] = min(widths["kernel"], _LONGEST)
    return widths


def fitting(width: int, widths: Widths) -> list[tuple[Column, int]]:
    """The columns that `width` cells have room for, as wide as needed; long names take the rest."""
    kept = [NAME]
    name = min(widths["name"], _NAME_WIDTH)
    room = width - 1 - name
    for column in sorted(COLUMNS[1:], key=lambda column: column.rank):
        if room < widths[column.title] + _GAP:
            break
        kept.append(column)
        room -= widths[column.title] + _GAP
    name = max(1, min(widths["name"], name + room))
    return [
        (column, name if column is NAME else widths[column.title])
        for column in COLUMNS
        if column in kept
    ]


class FolderTable(ScrollView, can_focus=True):
    """Rows of `files`; the first line has the titles and does not scroll."""

    DEFAULT_CSS = """
    FolderTable { background: $background; scrollbar-size-vertical: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False),
        Binding("k,up", "move(-1)", "Up", show=False),
        Binding("ctrl+d,pagedown", "page(1)", "Page down", show=False),
        Binding("ctrl+u,pageup", "page(-1)", "Page up", show=False),
        Binding("g,home", "move(-1000000)", "First", show=False),
        Binding("G,end", "move(1000000)", "Last", show=False),
        Binding("enter", "choose", "Open"),
        Binding("s", "sort", "Sort by"),
        Binding("S", "reverse", "Reverse", show=False),
    ]

    class Chosen(Message):
        """Enter or a second click on a row."""

        def __init__(self, file: Listed) -> None:
            self.file = file
            super().__init__()

    cursor: reactive[int] = reactive(0)

    def __init__(self) -> None:
        super().__init__()
        self._files: list[Listed] = []
        self._widths = needed(())
        self._sorted_by: Column = COLUMNS[2]
        self._falling = True
        self._walked = False
        self._colours: Colours | None = None

    @property
    def files(self) -> Sequence[Listed]:
        """As they are shown: sorted."""
        return self._files

    @property
    def chosen(self) -> Listed | None:
        """The file under the cursor."""
        return self._files[self.cursor] if self._files else None

    def show(self, files: Sequence[Listed]) -> None:
        """Show these; the cursor stays on its file, once somebody has moved it."""
        path = self.chosen.path if self.chosen and self._walked else None
        self._files = sorted(files, key=lambda file: file.name)
        self._widths = needed(files)
        self._files.sort(key=self._sorted_by.key, reverse=self._falling)
        places = (n for n, file in enumerate(self._files) if file.path == path)
        last = max(0, len(self._files) - 1)
        self.cursor = next(places, min(self.cursor, last))
        self._measure()
        self.refresh()

    def _measure(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._files) + 1)

    def on_mount(self) -> None:
        self.watch(self.app, "theme", self._recolour, init=False)

    def _recolour(self) -> None:
        self._colours = None
        self.refresh()

    def on_resize(self, event: Resize) -> None:
        self._measure()
        self._keep_visible()

    # Walking

    def action_move(self, rows: int) -> None:
        self._walked = True
        self.cursor = min(max(self.cursor + rows, 0), max(0, len(self._files) - 1))

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 2))

    def watch_cursor(self) -> None:
        self._keep_visible()
        self.refresh()

    def _keep_visible(self) -> None:
        rows = max(1, self.size.height - 1)
        top = round(self.scroll_offset.y)
        wanted = min(max(top, self.cursor - rows + 1), self.cursor)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False)

    def action_choose(self) -> None:
        if self.chosen:
            self.post_message(self.Chosen(self.chosen))

    def action_sort(self) -> None:
        """Sort by the next column that is to be seen."""
        shown = [column for column, _ in fitting(self.size.width, self._widths)]
        place = shown.index(self._sorted_by) if self._sorted_by in shown else -1
        self._sort_by(shown[(place + 1) % len(shown)])

    def action_reverse(self) -> None:
        self._falling = not self._falling
        self.show(self._files)

    def _sort_by(self, column: Column) -> None:
        if column is self._sorted_by:
            self._falling = not self._falling
        else:
            self._sorted_by, self._falling = column, column.falling
        self.show(self._files)

    def on_click(self, event: Click) -> None:
        if event.y == 0:
            self._click_title(event.x)
            return
        row = event.y - 1 + round(self.scroll_offset.y)
        if row >= len(self._files):
            return
        self._walked = True
        if row == self.cursor:
            self.action_choose()
        self.cursor = row

    def _click_title(self, x: int) -> None:
        start = 1
        for column, width in fitting(self.size.width, self._widths):
            if start <= x < start + width + _GAP:
                self._sort_by(column)
            start += width + _GAP

    # Drawing

    def render_line(self, y: int) -> Strip:
        if self._colours is None:
            self._colours = Colours.of(self.app)
        colours = self._colours
        width = self.size.width
        row = y - 1 + round(self.scroll_offset.y)
        if y == 0:
            segments = self._title(fitting(width, self._widths), colours)
            base = colours.background
        elif row < len(self._files):
            segments = _row(self._files[row], fitting(width, self._widths), width, colours)
            base = colours.background + (colours.cursor if row == self.cursor else Style())
        else:
            segments, base = [], colours.background
        strip = Strip([Segment(" "), *segments]).adjust_cell_length(width)
        return strip.apply_style(base)

    def _title(self, columns: Sequence[tuple[Column, int]], colours: Colours) -> list[Segment]:
        segments = []
        for column, width in columns:
            title = _placed(column.title, width, column.right)
            gap, style = " " * _GAP, colours.dim
            if column is self._sorted_by:
                mark = "▾" if self._falling else "▴"
                title, gap = f"{title.rstrip()}{mark}", " " * (width + 1 - len(title.rstrip()))
                style = colours.text
            segments.append(Segment(title + gap, style))
        return segments


def _row(
    file: Listed, columns: Sequence[tuple[Column, int]], width: int, colours: Colours
) -> list[Segment]:
    if file.state == "refused":
        name = columns[0][1]
        rest = width - 1 - name - _GAP
        return [
            Segment(pad(_name(file), name) + " " * _GAP, colours.dim),
            Segment(pad(f"cannot be shown: {file.reason}", max(0, rest)), colours.doubtful),
        ]
    return [
        Segment(
            _placed(column.text(file), width, column.right) + " " * _GAP,
            _style(column, file, colours),
        )
        for column, width in columns
    ]


def _style(column: Column, file: Listed, colours: Colours) -> Style:
    if column.title == "errors":
        return colours.error if file.errors else colours.dim
    if column.title == "state" and file.state in ("cut", "damaged"):
        return colours.doubtful
    if column.title in ("name", "messages") or file.state == "growing":
        return colours.text
    return colours.dim


def _placed(text: str, width: int, right: bool) -> str:
    fitting_ = pad(text, width)
    if not right:
        return fitting_
    kept = fitting_.rstrip(" ")
    return " " * (len(fitting_) - len(kept)) + kept
