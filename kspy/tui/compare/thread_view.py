"""The steps of two threads on the screen, a line a step, with a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Size
from textual.message import Message as Note
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kspy.analysis.conventions import ARROWS, NOISE
from kspy.analysis.sanitize import one_line, pad
from kspy.analysis.table import Table
from kspy.recording.outcome import ERROR
from kspy.tui.compare.columns import SIGN_WIDTH, Looks, Styled, column_width, fitting, side
from kspy.tui.compare.moving import JUMPS, MOVES
from kspy.tui.compare.steps import DIFFERENT, Side, Step
from kspy.tui.palette import Colours

_CHANNEL: Final = 7
_TIMES: Final = (8, 10)
_TYPES: Final = (15, 19)
"""Cells of a time and of a type in narrow and in wide columns."""
_WIDE: Final = 56
_LONGEST_TYPE: Final = 100


class ThreadView(ScrollView, can_focus=True):
    """The first line names both threads and does not scroll."""

    DEFAULT_CSS = """
    ThreadView {
        height: 1fr; background: $background; scrollbar-size-vertical: 1; overflow-x: hidden;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "compare these"),
        *JUMPS,
        *MOVES,
    ]

    class Opened(Note):
        """Enter on a step, or a second click."""

        def __init__(self, step: Step) -> None:
            super().__init__()
            self.step = step

    def __init__(self, tables: tuple[Table, Table]) -> None:
        super().__init__()
        self.cursor = 0
        self._tables = tables
        self._steps: Sequence[Step] = ()
        self._headings: tuple[str, str] = ("", "")
        self._looks: Looks | None = None

    def show_headings(self, left: str, right: str) -> None:
        """What both sides are, as safe text."""
        self._headings = left, right
        self.refresh()

    def show_steps(self, steps: Sequence[Step]) -> None:
        """Show what was found."""
        self._steps = steps
        self.virtual_size = Size(0, len(steps) + 1)
        self._go(self.cursor)

    @property
    def step(self) -> Step | None:
        """The step under the cursor."""
        return self._steps[self.cursor] if self._steps else None

    def on_resize(self, event: Resize) -> None:
        self.virtual_size = Size(0, len(self._steps) + 1)
        self._show_cursor()

    # Moving

    def action_move(self, by: int) -> None:
        self._go(self.cursor + by)

    def action_page(self, pages: float) -> None:
        self._go(self.cursor + round(pages * max(self.size.height - 2, 1)))

    def action_end(self, last: bool) -> None:
        self._go(len(self._steps) - 1 if last else 0)

    def action_jump(self, by: int) -> None:
        """To the next step that differs (1), or the one before (-1); after the last the first."""
        count = len(self._steps)
        for n in range(1, count + 1):
            line = (self.cursor + by * n) % count
            if self._steps[line].verdict in DIFFERENT:
                self._go(line)
                return

    def action_open(self) -> None:
        if self.step is not None:
            self.post_message(self.Opened(self.step))

    def on_click(self, event: Click) -> None:
        line = self.scroll_offset.y + event.y - 1
        if event.y < 1 or line >= len(self._steps):
            return
        if line == self.cursor:
            self.action_open()
        self._go(line)

    def _go(self, line: int) -> None:
        self.cursor = min(max(line, 0), max(len(self._steps) - 1, 0))
        self._show_cursor()
        self.refresh()

    def _show_cursor(self) -> None:
        top, rows = self.scroll_offset.y, max(self.size.height - 1, 1)
        wanted = min(max(top, self.cursor - rows + 1), self.cursor)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, force=True)

    # Drawing

    def render_line(self, y: int) -> Strip:
        looks = self._look()
        colours = looks.colours
        width = self.size.width
        column = column_width(width)
        base = colours.background
        if y == 0:
            left, right = (
                side([(pad(f"  {text}", column), colours.text)], column, base)
                for text in self._headings
            )
            return Strip([*left, looks.between(base), *right]).adjust_cell_length(width, base)
        line = self.scroll_offset.y + y - 1
        if line >= len(self._steps):
            return Strip.blank(width, base)
        step = self._steps[line]
        selected = line == self.cursor
        back = base + colours.cursor if selected else base
        columns: list[list[Segment]] = []
        for member, table in zip((step.left, step.right), self._tables, strict=True):
            alone = step.verdict in ("-", "+") and member is not None and not selected
            look = base + looks.alone if alone else back
            pieces = self._member(member, table, step, column, colours) if member else []
            columns.append(side(pieces, column, look))
        strip = Strip([*columns[0], looks.between(back), *columns[1]])
        return strip.adjust_cell_length(width, base)

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

    def _look(self) -> Looks:
        if self._looks is None:
            self._looks = Looks.of(Colours.of(self.app))
        return self._looks

    def notify_style_update(self) -> None:
        self._looks = None
        super().notify_style_update()
