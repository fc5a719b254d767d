"""The help page: every key, every field of the filter language, every mark. Made from what
declares them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from kspy.analysis.filter import help_lines
from kspy.tui.keys import GROUPS
from kspy.tui.palette import Colours
from kspy.tui.stream.row import LEGEND
from kspy.wire.frames import CHANNELS


class HelpScreen(ModalScreen[None]):
    """`first` is the group of keys that matters where help was asked for."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > VerticalScroll {
        width: 92; max-width: 100%; height: 100%; max-height: 100%;
        background: $panel; padding: 1 2; scrollbar-size-vertical: 1;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "Back"),
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
    ]

    def __init__(self, first: str = "") -> None:
        super().__init__()
        self._first = first

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(Group(*self._parts()))

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def _parts(self) -> Iterator[RenderableType]:
        colours = Colours.of(self.app)
        names = sorted(GROUPS, key=lambda name: name != self._first)
        yield Text("Keys (escape: back)", "bold")
        for name in names:
            yield Text(f"\n{name}", colours.accent)
            yield _rows(((key.shown, key.help) for key in GROUPS[name]), 22)
        yield Text("\nFilter", colours.accent)
        yield _rows(help_lines(), 22)
        yield Text("\nMarks", colours.accent)
        yield _rows(LEGEND.items(), 22)
        yield Text("\nChannels", colours.accent)
        for channel in CHANNELS:
            yield Text(f"  {channel}", colours.channel(channel))


def _rows(rows: Iterable[tuple[str, str]], width: int) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=width)
    table.add_column(ratio=1)
    for left, right in rows:
        table.add_row(Text(f"  {left}", "bold"), Text(right))
    return table
