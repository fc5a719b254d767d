"""Two sessions on the screen, a line a thread, both sides; only the visible lines are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Region, Size
from textual.message import Message as Note
from textual.strip import Strip

from kspy.analysis.event_groups import EventGroups
from kspy.analysis.event_summary import summarize_event
from kspy.analysis.sanitize import one_line, pad
from kspy.analysis.table import Table
from kspy.analysis.units import duration, plural
from kspy.recording.outcome import ERROR
from kspy.tui.compare.columns import SIGN_WIDTH, Styled, column_width, fitting, side
from kspy.tui.compare.cursor_list import CursorList
from kspy.tui.compare.steps import SIGNS
from kspy.tui.compare.two_sessions import TwoSessions
from kspy.tui.palette import Colours
from kspy.tui.stream.summaries import Summaries

_WIDE: Final = 56
_NARROW: Final = 30
"""Cells of a column from which on there is room for times, and below which for what is said."""
_TYPES: Final = (11, 19)
"""Cells of a type in narrow and in wide columns; narrow ones leave `_request` out."""
_TOOK: Final = 8
_LONGEST_TYPE: Final = 100
_LOAD_SECONDS: Final = 0.01

Load = Callable[[Summaries, list[int]], None]


class SessionsView(CursorList):
    """The first line names both sessions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "hide_same", "hide same", tooltip="Show what differs alone, or everything."),
        Binding("o", "show", "in the list", tooltip="Show this request in the list of a."),
    ]

    class Opened(Note):
        """Enter on a row, or a second click."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    class Wanted(Note):
        """A row's request is to be shown in the list of the session that is looked at."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    def __init__(self, sessions: TwoSessions, load: Load) -> None:
        """`load` is given the items whose summaries the desk should make."""
        super().__init__()
        self.hiding = False
        self._sessions = sessions
        self._load = load
        self._tables = sessions.old, sessions.new
        self._summaries = tuple(Summaries(table, EventGroups(table)) for table in self._tables)
        self._numbers_width = 2
        self._loading = False
        self._lines = np.empty(0, np.int64)

    @property
    def line_count(self) -> int:
        return len(self._lines)

    def update_lines(self) -> None:
        """More is known now; the cursor stays on its row."""
        row = self.row
        self._numbers_width = 1 + max(len(str(_last_seq(table))) for table in self._tables)
        self._lines = self._sessions.lines(hiding=self.hiding)
        self.virtual_size = Size(0, len(self._lines) + 1)
        if row is not None:
            self._go_to_row(row)
        self.refresh()

    @property
    def row(self) -> int | None:
        """The row under the cursor; the next one where it is on a line in place of many."""
        if not len(self._lines):
            return None
        at = min(self.cursor, len(self._lines) - 1)
        line = int(self._lines[at])
        if line >= 0:
            return line
        return int(self._lines[at + 1]) if at + 1 < len(self._lines) else None

    def on_resize(self, event: Resize) -> None:
        self.update_lines()
        self.show_cursor()

    # Moving

    def go_to_first_difference(self) -> None:
        """Unless the cursor was moved already."""
        rows = self._sessions.differing
        if self.cursor == 0 and len(rows):
            self._go_to_row(int(rows[0]))

    def action_jump(self, by: int) -> None:
        """To the next row that differs (1), or the one before (-1); after the last the first."""
        row = self.row
        found = self._sessions.next_difference(len(self._sessions) if row is None else row, by)
        if found is None:
            so_far = "" if self._sessions.total else " so far"
            self.notify(f"no difference{so_far}")
        else:
            self._go_to_row(found)

    def action_hide_same(self) -> None:
        """Show what differs alone, or everything."""
        self.hiding = not self.hiding
        self.update_lines()

    def action_open(self) -> None:
        if self.row is not None:
            self.post_message(self.Opened(self.row))

    def action_show(self) -> None:
        if self.row is not None:
            self.post_message(self.Wanted(self.row))

    def _go_to_row(self, row: int) -> None:
        """To the line of a row, or of those that it is hidden among."""
        line = int(np.searchsorted(_firsts(self._lines), row, "right")) - 1
        self.go(line)

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        for summaries in self._summaries:
            summaries.begin_screen()
        strips = super().render_lines(crop)
        if any(summaries.wanted for summaries in self._summaries) and not self._loading:
            self._loading = True
            self.set_timer(_LOAD_SECONDS, self._load_wanted)
        return strips

    def _load_wanted(self) -> None:
        self._loading = False
        for summaries in self._summaries:
            wanted = sorted(summaries.wanted)
            summaries.wanted.clear()
            if wanted:
                self._load(summaries, wanted)

    def render_line(self, y: int) -> Strip:
        if y == 0:
            return self.heading()
        looks = self.looks
        colours, base = looks.colours, looks.colours.background
        width, column = self.size.width, column_width(self.size.width)
        line = self.scroll_offset.y + y - 1
        if line >= len(self._lines) or self._sessions.alignment is None:
            return Strip.blank(width, base)
        row = int(self._lines[line])
        back = base + colours.cursor if line == self.cursor else base
        if row < 0:
            text = pad(f"  ⋯ {plural(-row, 'thread')}, the same{self._so_far()}", width)
            return Strip([Segment(text, back + colours.dim)])
        pair = self._sessions.alignment[row]
        columns: list[list[Segment]] = []
        for number, item in enumerate((pair.old, pair.new)):
            alone = item is None or (pair.old is None) != (pair.new is None)
            look = back
            if alone and item is not None and line != self.cursor:
                look = base + looks.alone
            pieces = [] if item is None else self._side(row, item, number, column, colours)
            columns.append(side(fitting(pieces, column), column, look))
        return self.joined(columns[0], columns[1], looks.between(back))

    def _so_far(self) -> str:
        return "" if self._sessions.total else ", or not compared yet"

    def _side(
        self, row: int, item: int, number: int, column: int, colours: Colours
    ) -> list[Styled]:
        table = self._tables[number]
        verdict = self._sessions.verdict(row)
        sign = SIGNS[verdict] if verdict else ""
        start: list[Styled] = [(f"{sign or ' '} ", colours.accent + Style(bold=True))]
        text = colours.dim if sign in ("", " ") else colours.text
        if item < 0:
            event = summarize_event(table.event(-1 - item))
            return [*start, (pad(f"· {event}", column - SIGN_WIDTH).rstrip(), colours.doubtful)]
        wide = column >= _WIDE
        seq = f"{f'#{table.seq(item)}':<{self._numbers_width}} "
        kind = one_line(table.msg_type(item)[:_LONGEST_TYPE])
        kind = pad(kind if wide else kind.removesuffix("_request"), _TYPES[wide]) + " "
        took = self._took(table, item) if wide else ""
        said = self._summaries[number].get(item)
        if column < _NARROW and said and said.summary:
            kind = ""
        used = SIGN_WIDTH + len(seq) + len(kind) + len(took)
        summary = pad(said.summary if said else "…", max(column - used, 0)).rstrip()
        look = colours.error if self._failed(table, item) else text
        slow = row in self._sessions.paces
        return [
            *start,
            (seq, colours.dim),
            (took, colours.doubtful if slow else colours.dim),
            (kind, text),
            (summary, look),
        ]

    def _took(self, table: Table, item: int) -> str:
        thread = table.thread(item)
        total = table.timing(thread).total_ns if thread >= 0 else None
        return f"{'' if total is None else duration(total):>{_TOOK}} "

    def _failed(self, table: Table, item: int) -> bool:
        thread = table.thread(item)
        reply = table.reply(thread) if thread >= 0 else None
        return reply is not None and table.outcome(reply) == ERROR


def _last_seq(table: Table) -> int:
    return table.seq(len(table) - 1) if len(table) else 0


def _firsts(lines: Any) -> Any:
    """The first row of each line."""
    hidden = lines < 0
    sizes = np.where(hidden, -lines, 1)
    return np.cumsum(sizes) - sizes
