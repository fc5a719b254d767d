"""The steps of two threads on the screen, a line a step, with a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.geometry import Size
from textual.message import Message as Note
from textual.strip import Strip

from kspy.analysis.conventions import ARROWS, NOISE
from kspy.analysis.sanitize import one_line, pad
from kspy.analysis.table import Table
from kspy.recording.outcome import ERROR
from kspy.tui.compare.columns import SIGN_WIDTH, Styled, column_width, fitting, side
from kspy.tui.compare.cursor_list import CursorList
from kspy.tui.compare.steps import DIFFERENT, Side, Step
from kspy.tui.palette import Colours

_CHANNEL: Final = 7
_TIMES: Final = (8, 10)
_TYPES: Final = (15, 19)
"""Cells of a time and of a type in narrow and in wide columns."""
_WIDE: Final = 56
_LONGEST_TYPE: Final = 100


class ThreadView(CursorList):
    """The first line names both threads."""

    class Opened(Note):
        """Enter on a step, or a second click."""

        def __init__(self, step: Step) -> None:
            super().__init__()
            self.step = step

    def __init__(self, tables: tuple[Table, Table]) -> None:
        super().__init__()
        self._tables = tables
        self._steps: Sequence[Step] = ()

    @property
    def line_count(self) -> int:
        return len(self._steps)

    def show_steps(self, steps: Sequence[Step]) -> None:
        """Show what was found."""
        self._steps = steps
        self.virtual_size = Size(0, len(steps) + 1)
        self.go(self.cursor)

    @property
    def step(self) -> Step | None:
        """The step under the cursor."""
        return self._steps[self.cursor] if self._steps else None

    def on_resize(self, event: Resize) -> None:
        self.virtual_size = Size(0, len(self._steps) + 1)
        self.show_cursor()

    # Moving

    def action_jump(self, by: int) -> None:
        """To the next step that differs (1), or the one before (-1); after the last the first."""
        count = len(self._steps)
        for n in range(1, count + 1):
            line = (self.cursor + by * n) % count
            if self._steps[line].verdict in DIFFERENT:
                self.go(line)
                return

    def action_open(self) -> None:
        if self.step is not None:
            self.post_message(self.Opened(self.step))

    # Drawing

    def render_line(self, y: int) -> Strip:
        if y == 0:
            return self.heading()
        looks = self.looks
        colours, base = looks.colours, looks.colours.background
        column = column_width(self.size.width)
        line = self.scroll_offset.y + y - 1
        if line >= len(self._steps):
            return Strip.blank(self.size.width, base)
        step = self._steps[line]
        selected = line == self.cursor
        back = base + colours.cursor if selected else base
        columns: list[list[Segment]] = []
        for member, table in zip((step.left, step.right), self._tables, strict=True):
            alone = step.verdict in ("-", "+") and member is not None and not selected
            look = base + looks.alone if alone else back
            pieces = self._member(member, table, step, column, colours) if member else []
            columns.append(side(pieces, column, look))
        return self.joined(columns[0], columns[1], looks.between(back))

    def _member(
        self, member: Side, table: Table, step: Step, column: int, colours: Colours
    ) -> list[Styled]:
        place = member.place
        channel, msg_type = table.channel(place), table.msg_type(place)
        wide = column >= _WIDE
        text = colours.text
        if table.outcome(place) == ERROR:
            text = colours.error
        elif msg_type in NOISE:
            text = colours.dim
        route = f"{ARROWS[table.direction(place)]} {channel:{_CHANNEL}}" if wide else ""
        route = route or ARROWS[table.direction(place)]
        kind = pad(one_line(msg_type[:_LONGEST_TYPE]), _TYPES[wide])
        elapsed = f"{member.elapsed_ns / 1e6:+{_TIMES[wide]}.1f}"
        used = SIGN_WIDTH + len(elapsed) + 1 + len(route) + 1 + _TYPES[wide] + 1
        pieces: list[Styled] = [
            (f"{step.verdict or ' '} ", colours.accent + Style(bold=True)),
            (f"{elapsed} ", colours.dim),
            (f"{route} ", colours.channel(channel)),
            (f"{kind} ", text),
            (pad(member.summary, max(column - used, 0)).rstrip(), text),
        ]
        return fitting(pieces, column)
