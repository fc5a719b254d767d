"""What could stand at the cursor of the filter, in a small list over the screen beneath it."""

from __future__ import annotations

from typing import Final

from rich.text import Text
from textual import events
from textual.geometry import Offset, Size
from textual.message import Message
from textual.widget import Widget

from kspy.analysis.filter import Completion
from kspy.analysis.sanitize import one_line, pad
from kspy.tui.palette import Colours

_ROWS: Final = 8
_NAME_WIDTH: Final = 24
_WIDEST: Final = 90
_KEYS: Final = "tab completes, ↓ chooses"


class FilterChoices(Widget):
    """The completions that are offered, one of them perhaps chosen; and what is wrong."""

    DEFAULT_CSS = """
    FilterChoices {
        overlay: screen; constrain: inside inside; display: none;
        width: auto; height: auto; max-width: 100%; padding: 0 1; background: $panel;
    }
    """

    class Picked(Message):
        """One was clicked."""

    def __init__(self) -> None:
        super().__init__(id="filter-choices")
        self._offered: list[Completion] = []
        self._at: int | None = None
        self._mistake = ""
        self._room = _ROWS

    @property
    def chosen(self) -> Completion | None:
        return None if self._at is None else self._offered[self._at]

    @property
    def first(self) -> Completion | None:
        return self._offered[0] if self._offered else None

    def offer(self, offered: list[Completion]) -> None:
        self._offered, self._at = offered, None
        self._changed()

    def explain(self, mistake: str) -> None:
        """Say what is wrong with the filter, beneath the list; "" if nothing is."""
        self._mistake = one_line(mistake)
        self._changed()

    def choose(self, step: int) -> None:
        """Go down or up in the list; up from the first leaves it."""
        at = step - 1 if self._at is None else self._at + step
        self._at = None if at < 0 else min(at, len(self._offered) - 1)
        self.refresh()

    def place(self, column: int, line: int) -> None:
        """Stand beneath this place of the screen."""
        self.absolute_offset = Offset(max(column - 1, 0), line + 1)
        self._room = max(self.screen.size.height - line - 1, 2)

    def _changed(self) -> None:
        self.display = bool(self._offered or self._mistake)
        self.refresh(layout=True)

    # Drawing

    def _shown(self) -> range:
        """The completions that there is room for, the chosen one among them."""
        rows = min(_ROWS, self._room - 1)
        first = max(0, (self._at or 0) - rows + 1)
        return range(first, min(first + rows, len(self._offered)))

    def get_content_width(self, container: Size, viewport: Size) -> int:
        widest = max((line.cell_len for line in self._lines(_WIDEST)), default=1)
        return max(min(widest, viewport.width - 2), 1)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Text:
        width = self.content_size.width
        return Text("\n").join(self._lines(width, paint=True))

    def _lines(self, width: int, *, paint: bool = False) -> list[Text]:
        """A line a completion, and the last one: the mistake, or what to press."""
        colours = Colours.of(self.app)
        names = [one_line(self._offered[number].text) for number in self._shown()]
        name_width = min(max(map(len, names), default=0), _NAME_WIDTH) + 1
        lines = []
        for number, name in zip(self._shown(), names, strict=True):
            line = Text(name, colours.text, no_wrap=True, end="")
            if help_ := one_line(self._offered[number].help):
                line = Text(f"{pad(name, name_width)} ", colours.text, no_wrap=True, end="")
                line.append(help_, colours.dim)
            line.truncate(width, overflow="ellipsis")
            if paint and number == self._at:
                line.pad_right(max(width - line.cell_len, 0))
                line.stylize(colours.cursor)
            lines.append(line)
        last = self._mistake or (_KEYS if lines else "")
        if last:
            look = colours.doubtful if self._mistake else colours.dim
            wrapped = Text(last, look).wrap(self.app.console, max(width, 1))
            lines += wrapped[: max(self._room - len(lines), 1)]
        return lines

    def on_click(self, event: events.Click) -> None:
        event.stop()
        rows = self._shown()
        if 0 <= event.y < len(rows):
            self._at = rows[event.y]
            self.post_message(self.Picked())

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        event.prevent_default()  # the entry keeps the focus
