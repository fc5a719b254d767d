"""The least that a Textual app can do: show lines, and move a mark with j and k."""

from __future__ import annotations

from typing import Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import Static

SHOWN: Final = "line 1 "
_LINES: Final = 30


class BareApp(App[None]):
    BINDINGS = [
        Binding("j", "move(1)"),
        Binding("k", "move(-1)"),
        Binding("ctrl+q", "quit"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._at = 0

    def compose(self) -> ComposeResult:
        yield Static(self._lines())

    def action_move(self, by: int) -> None:
        self._at = (self._at + by) % _LINES
        self.query_one(Static).update(self._lines())

    def _lines(self) -> Text:
        shown = Text()
        for at in range(_LINES):
            shown.append(f"line {at} \n", "reverse" if at == self._at else "")
        return shown


if __name__ == "__main__":
    BareApp().run()
