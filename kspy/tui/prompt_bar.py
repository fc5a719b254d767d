"""The line that asks: for a search, a place to go to, a note. Escape takes it back."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input, Static

from kspy.tui.entry import Entry


class PromptInput(Entry):
    """Where the answer is written."""

    BINDINGS = [Binding("enter", "submit", "done")]


class PromptBar(Horizontal):
    """Hidden until `ask`; gives the text to who asked, and the focus back to where it was."""

    DEFAULT_CSS = """
    PromptBar { height: 1; display: none; background: $panel; }
    PromptBar.-asking, PromptBar.-noting { display: block; }
    PromptBar > Input { width: 1fr; display: none; }
    PromptBar.-asking > Input { display: block; }
    PromptBar > Static { width: auto; padding: 0 1; color: $dimmed; }
    PromptBar > #asked { color: $accent; }
    """

    BINDINGS = [Binding("escape", "leave", "back")]

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self._then: Callable[[str], None] | None = None

    def compose(self) -> ComposeResult:
        yield Static("", id="asked", markup=False)
        yield PromptInput()
        yield Static("", id="noted", markup=False)

    def ask(self, what: str, placeholder: str, then: Callable[[str], None], text: str = "") -> None:
        """Ask for a line of text; `then` is called with it on enter, never on escape."""
        self._then = then
        entry = self.query_one(Input)
        self.query_one("#asked", Static).update(what)
        self.query_one("#noted", Static).update("")
        entry.placeholder, entry.value = placeholder, text
        entry.cursor_position = len(text)
        self.add_class("-asking")
        entry.focus()

    def note(self, text: str) -> None:
        """Say something beside what was asked last, as `3 of 17`; "" takes all of it away."""
        self.query_one("#noted", Static).update(text)
        self.set_class(bool(text), "-noting")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        then, self._then = self._then, None
        self.action_leave()
        if then is not None:
            then(event.value)

    def action_leave(self) -> None:
        self._then = None
        self.remove_class("-asking")
        self.screen.query_one("#stream").focus()
