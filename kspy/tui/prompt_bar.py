"""The line that asks: for a search, a place to go to, a note. Escape takes it back.

What cannot be used is said beside it, and stays there to be mended.
"""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input, Static

from kspy.analysis.sanitize import one_line
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
        self._then: Callable[[str], str] | None = None
        self._what = ""

    def compose(self) -> ComposeResult:
        yield Static("", id="asked", markup=False)
        yield PromptInput()
        yield Static("", id="noted", markup=False)

    def ask(self, what: str, placeholder: str, then: Callable[[str], str], text: str = "") -> None:
        """Ask for a line of text; `then` is called with it on enter, never on escape.

        It returns what is wrong with the text, "" where nothing is.
        """
        self._then, self._what = then, what
        entry = self.query_one(Input)
        self.query_one("#asked", Static).update(what)
        self.query_one("#noted", Static).update("")
        entry.placeholder, entry.value = placeholder, text
        entry.cursor_position = len(text)
        self.add_class("-asking")
        entry.focus()

    def note(self, text: str) -> None:
        """Say something beside what was asked last, as `3 of 17`; "" takes all of it away."""
        self.query_one("#noted", Static).update(one_line(text))
        self.set_class(bool(text), "-noting")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        then = self._then
        self.action_leave()
        problem = then(event.value) if then is not None else ""
        if then is not None and problem:
            self.ask(self._what, event.input.placeholder, then, event.value)
            self.note(problem)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.note("")

    def action_leave(self) -> None:
        self._then = None
        self.remove_class("-asking")
        self.screen.query_one("#stream").focus()
