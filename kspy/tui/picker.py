"""One of a few, a line each: for dialogs. Up and down choose; enter is left to the dialog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from kspy.analysis.sanitize import cut, one_line, pad
from kspy.tui.palette import Colours

_CHOSEN, _OTHER = "●", "○"
_LABEL: Final = 28
_REST: Final = 12
"""With so many cells after the labels, what there is to say about them is in a column."""


class Picker(Widget, can_focus=True):
    """`options` are words, and after two spaces what there is to say about them."""

    DEFAULT_CSS = """
    Picker { height: auto; width: 100%; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Next", show=False),
        Binding("up,k", "move(-1)", "Before", show=False),
        Binding("space", "next", "Next", show=False),
    ]

    chosen: reactive[int] = reactive(0)

    class Changed(Message):
        """Another one was chosen."""

        def __init__(self, picker: Picker) -> None:
            super().__init__()
            self.picker = picker

    def __init__(self, options: Sequence[str], *, id: str) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._options = [one_line(option) for option in options]

    def render(self) -> Text:
        colours, width = Colours.of(self.app), self.size.width
        lines = []
        for number, option in enumerate(self._options):
            chosen = number == self.chosen and not self.disabled
            label, _, rest = option.partition("  ")
            line = Text(no_wrap=True, overflow="ellipsis")
            mark = f"{_CHOSEN if number == self.chosen else _OTHER} "
            line.append(mark, colours.accent if chosen and self.has_focus else colours.dim)
            look = colours.dim if self.disabled else colours.text
            room = width - len(mark)
            if room >= _LABEL + _REST:
                line.append(f"{pad(label, _LABEL)} ", look)
                line.append(cut(rest, room - _LABEL - 1), colours.dim)
            else:
                line.append(cut(label, room), look)
                line.append(cut(f"  {rest}", max(room - cell_len(label), 0)), colours.dim)
            line.pad_right(max(width - line.cell_len, 0))
            if chosen and self.has_focus:
                line.stylize(colours.cursor)
            lines.append(line)
        return Text("\n", no_wrap=True).join(lines)

    def action_move(self, by: int) -> None:
        self.chosen = min(max(self.chosen + by, 0), len(self._options) - 1)

    def action_next(self) -> None:
        self.chosen = (self.chosen + 1) % len(self._options)

    def watch_chosen(self) -> None:
        if self.is_mounted:
            self.post_message(self.Changed(self))

    def on_click(self, event: Click) -> None:
        if event.y < len(self._options):
            self.chosen = event.y
