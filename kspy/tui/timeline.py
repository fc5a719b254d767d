"""The session from left to right: a lane a channel, with what was said when, and what failed.

Heights are logarithmic, so that one message is seen beside thousands. A column in which something
failed is red in its lane, and has a "!" above the lanes for who sees no colours. The column of the
selected message is lit. Clicking, dragging or left and right lead elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import ClassVar, Final, Protocol, cast

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import MouseDown, MouseMove, MouseUp
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from kspy.analysis.density import EVENTS, Array, Bins, Columns, Density
from kspy.analysis.sanitize import pad
from kspy.analysis.table import Table
from kspy.tui.axis import ticks
from kspy.tui.desk import Desk, Job
from kspy.tui.palette import Colours
from kspy.wire.frames import CHANNELS

LEVELS: Final = " ▁▂▃▄▅▆▇█"
CURSOR: Final = "▼"
BOOKMARK: Final = "◆"
FAILED: Final = "!"
HAPPENED: Final = "·"
PLAYHEAD: Final = "│"

_LABEL: Final = 9
_LOW: Final = 30
_NARROW: Final = 60
_AGAIN_SECONDS: Final = 0.2
_BOTH: Final = Style(underline=True, bold=True)
"""A bookmark where something failed."""
_LEAST_TOP: Final = 8
"""Up to so many messages in a column, a message more is a step higher."""


class HasDesk(Protocol):
    desk: Desk


class Timeline(Widget, can_focus=True):
    """Shows where in time the messages of `table` are; `update_density` when it has grown.

    cursor_ns    time of what is selected; None: nothing is
    playhead_ns  up to when a playback has come; None: nothing is played back
    marks        times that are bookmarked
    compact      one line for all channels; None: where the terminal is small
    """

    DEFAULT_CSS = """
    Timeline { height: auto; background: $background; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "Earlier", show=False),
        Binding("right,l", "step(1)", "Later", show=False),
        Binding("home,g", "edge(-1)", "Start", show=False),
        Binding("end,G", "edge(1)", "End", show=False),
    ]

    class Chosen(Message):
        """A time was chosen: to go to the first message or event at `time_ns` or later."""

        def __init__(self, time_ns: int) -> None:
            self.time_ns = time_ns
            super().__init__()

    cursor_ns: reactive[int | None] = reactive(None)
    playhead_ns: reactive[int | None] = reactive(None)
    marks: reactive[tuple[int, ...]] = reactive(())
    compact: reactive[bool | None] = reactive(None, layout=True)

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table
        self._density = Density()
        self._job: Job | None = None
        self._read_at = 0.0
        self._later: Timer | None = None
        self._colours: Colours | None = None
        self._drawn: tuple[Bins, int, Columns] | None = None

    # What it is told

    def update_density(self) -> None:
        """Count what is new, in the background, then draw it; a few times a second at most."""
        if self._job is not None or self._later is not None:
            return
        if not self._density.behind(self._table):
            return
        wait = self._read_at + _AGAIN_SECONDS - time.monotonic()
        if wait > 0:
            self._later = self.set_timer(wait, self._update_now)
        else:
            self._update_now()

    def _update_now(self) -> None:
        self._later = None
        lanes = self._lanes(self._density.bins)

        def done(_: object) -> None:
            self._job = None
            self._read_at = time.monotonic()
            self.refresh(layout=lanes != self._lanes(self._density.bins))
            self.update_density()

        desk = cast("HasDesk", self.app).desk
        self._job = desk.run(self._density.read(self._table), done)

    def on_unmount(self) -> None:
        if self._job:
            self._job.cancel()

    def on_mount(self) -> None:
        self.watch(self.app, "theme", self._recolour, init=False)

    def _recolour(self) -> None:
        self._colours = None
        self.refresh()

    # What it tells

    def action_step(self, columns: int) -> None:
        """To the next column in which there is anything."""
        bins, found = self._columns()
        if bins.empty:
            return
        used = np.flatnonzero(found.counts.any(axis=0))
        now = bins.column_of(self.cursor_ns if self.cursor_ns is not None else 0, self._width)
        if columns > 0:
            place = int(np.searchsorted(used, now, "right"))
        else:
            place = int(np.searchsorted(used, now, "left")) - 1
        if 0 <= place < len(used):
            self._choose_column(int(used[place]))

    def action_edge(self, end: int) -> None:
        self._choose_column(self._width - 1 if end > 0 else 0)

    def on_mouse_down(self, event: MouseDown) -> None:
        self.capture_mouse()
        self._choose_column(event.x - self._left)

    def on_mouse_move(self, event: MouseMove) -> None:
        if event.button and self.app.mouse_captured is self:
            self._choose_column(event.x - self._left)

    def on_mouse_up(self, event: MouseUp) -> None:
        self.release_mouse()

    def _choose_column(self, column: int) -> None:
        bins = self._density.bins
        if bins.empty or self._width <= 0:
            return
        column = min(max(column, 0), self._width - 1)
        self.post_message(self.Chosen(bins.time_of(column, self._width)))

    # Its size

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1 if self._is_compact(viewport) else len(self._lanes(self._density.bins)) + 2

    def _is_compact(self, terminal: Size) -> bool:
        if self.compact is None:
            return terminal.height < _LOW or terminal.width < _NARROW
        return self.compact

    @property
    def _left(self) -> int:
        """Cells before the first column."""
        return 1 if self._is_compact(self.app.size) else _LABEL

    @property
    def _width(self) -> int:
        """Columns."""
        return max(0, self.size.width - self._left - 1)

    @staticmethod
    def _lanes(bins: Bins) -> list[int]:
        """Places in CHANNELS of those that occur; heartbeats, the least news, are the last."""
        return [row for row in bins.rows if row < EVENTS] or [0]

    # Drawing

    def _columns(self) -> tuple[Bins, Columns]:
        """What there is to draw, remembered for as long as it stays the same."""
        bins, width = self._density.bins, self._width
        if self._drawn is None or self._drawn[0] is not bins or self._drawn[1] != width:
            self._drawn = bins, width, bins.columns(width)
        return bins, self._drawn[2]

    def render_line(self, y: int) -> Strip:
        if self._colours is None:
            self._colours = Colours.of(self.app)
        colours = self._colours
        bins, found = self._columns()
        if self._is_compact(self.app.size):
            cells = self._all_in_one(bins, found, colours)
            label, style = " ", colours.dim
        else:
            lanes = self._lanes(bins)
            label, style, cells = self._line(y, lanes, bins, found, colours)
        strip = Strip([Segment(pad(label, self._left), style), *_segments(cells)])
        return strip.adjust_cell_length(self.size.width).apply_style(colours.background)

    def _line(
        self, y: int, lanes: list[int], bins: Bins, found: Columns, colours: Colours
    ) -> tuple[str, Style, list[tuple[str, Style]]]:
        """A label, its style, and the cells beside it."""
        if y == 0:
            return "", colours.dim, self._marks(bins, found, colours)
        if y <= len(lanes):
            row = lanes[y - 1]
            style = colours.channel(CHANNELS[row])
            return f" {CHANNELS[row]}", style, self._lane(row, bins, found, colours)
        if y == len(lanes) + 1:
            return "", colours.dim, self._axis(bins, colours)
        return "", colours.dim, []

    def _lane(
        self, row: int, bins: Bins, found: Columns, colours: Colours
    ) -> list[tuple[str, Style]]:
        style = colours.channel(CHANNELS[row])
        heights = levels(found.counts[row], int(found.counts[:EVENTS].max(initial=0)))
        failed = found.errors[row]
        cells = [
            (LEVELS[height], colours.error if bad else style)
            for height, bad in zip(heights.tolist(), failed.tolist(), strict=True)
        ]
        return self._lit(cells, bins, colours)

    def _all_in_one(self, bins: Bins, found: Columns, colours: Colours) -> list[tuple[str, Style]]:
        """One lane for all: heights for all channels together, "!" where something failed."""
        counts: Array = found.counts[:EVENTS].sum(axis=0)
        heights = levels(counts, int(counts.max(initial=0)))
        failed = _any(found.errors)
        cells = [
            (FAILED, colours.error) if bad else (LEVELS[height], colours.dim)
            for height, bad in zip(heights.tolist(), failed, strict=True)
        ]
        self._put_bookmarks(cells, bins, colours)
        cells = self._lit(cells, bins, colours)
        lit = self._column(self.cursor_ns, bins)
        if lit is not None:
            text, style = cells[lit]
            cells[lit] = (CURSOR if text == " " else text, style + colours.accent)
        return cells

    def _marks(self, bins: Bins, found: Columns, colours: Colours) -> list[tuple[str, Style]]:
        """The line above the lanes: errors, then bookmarks, then events, where they meet."""
        failed = _any(found.errors)
        happened = found.counts[EVENTS].tolist()
        cells = [
            (FAILED, colours.error) if bad else (HAPPENED if event else " ", colours.dim)
            for bad, event in zip(failed, happened, strict=True)
        ]
        self._put_bookmarks(cells, bins, colours)
        cells = self._lit(cells, bins, colours)
        lit = self._column(self.cursor_ns, bins)
        if lit is not None and cells[lit][0] in (" ", HAPPENED):
            cells[lit] = (CURSOR, cells[lit][1] + colours.accent)
        return cells

    def _put_bookmarks(self, cells: list[tuple[str, Style]], bins: Bins, colours: Colours) -> None:
        """Where something failed, that stays to be seen, and is underlined."""
        for column in self._marked(bins):
            text, style = cells[column]
            failed = text == FAILED
            cells[column] = (text, style + _BOTH) if failed else (BOOKMARK, colours.accent)

    def _marked(self, bins: Bins) -> set[int]:
        if bins.empty or not self._width:
            return set()
        return {bins.column_of(mark, self._width) for mark in self.marks}

    def _lit(
        self, cells: list[tuple[str, Style]], bins: Bins, colours: Colours
    ) -> list[tuple[str, Style]]:
        """Light the column of the cursor; in a playback, what is yet to come is without colour."""
        head = self._column(self.playhead_ns, bins)
        if head is not None:
            text, style = cells[head]
            cells[head] = (PLAYHEAD if text == " " else text, colours.accent)
            for column in range(head + 1, len(cells)):
                cells[column] = (cells[column][0], colours.dim)
        lit = self._column(self.cursor_ns, bins)
        if lit is not None:
            text, style = cells[lit]
            cells[lit] = (text, style + colours.cursor)
        return cells

    def _column(self, time_ns: int | None, bins: Bins) -> int | None:
        if time_ns is None or bins.empty or not self._width:
            return None
        return bins.column_of(time_ns, self._width)

    def _axis(self, bins: Bins, colours: Colours) -> list[tuple[str, Style]]:
        width = self._width
        style = colours.accent if self.has_focus else colours.dim
        if bins.empty:
            return [("when messages come, they are shown here along time"[:width], style)]
        line = [" "] * width
        free = 0
        for tick in ticks(bins.span_ns, width):
            column = bins.column_of(bins.first_ns + tick.since_ns, width)
            text = f"╵{tick.label}"
            if column >= free and column + len(text) <= width:
                line[column : column + len(text)] = text
                free = column + len(text) + 1
        return [("".join(line), style)]


def levels(counts: Array, top: int) -> Array:
    """Heights 0 to 8: 0 for none, 1 for one, 8 for `top`, and logarithms between them."""
    top = max(top, _LEAST_TOP)
    steps = np.log(np.maximum(counts, 1)) / np.log(top) * (len(LEVELS) - 2)
    heights: Array = np.where(counts > 0, 1 + steps.astype(np.int64), 0)
    return heights


def _any(rows: Array) -> list[bool]:
    """Of each column: is anything in it but 0?"""
    return [bool(found) for found in np.any(rows, axis=0)]


def _segments(cells: list[tuple[str, Style]]) -> Iterable[Segment]:
    """Neighbours of one style in one segment."""
    text, last = "", None
    for cell, style in cells:
        if style is not last and style != last:
            if last is not None:
                yield Segment(text, last)
            text, last = "", style
        text += cell
    if last is not None:
        yield Segment(text, last)
