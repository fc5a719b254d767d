"""The screen of two sessions side by side: which requests they share, and what answered each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static

from kspy.analysis.sanitize import one_line
from kspy.errors import KspyError
from kspy.tui.commands import KeyCommands
from kspy.tui.compare.sessions_view import SessionsView
from kspy.tui.compare.steps import MARKS
from kspy.tui.compare.threads_screen import CompareThreadsScreen
from kspy.tui.compare.two_sessions import TwoSessions
from kspy.tui.keys import Key
from kspy.tui.stream.summaries import Summaries

if TYPE_CHECKING:
    from kspy.tui.app import KspyApp

_TICK_SECONDS: Final = 0.1
_TOLD_NOTES: Final = 3
_SAID: Final = {
    "differs": "differ",
    "only in a": "only in a",
    "only in b": "only in b",
    "order changed": "reordered",
    "not compared": "not compared",
}


class SessionsCommands(KeyCommands):
    """What the palette offers here."""

    KEYS = (
        Key("n", "jump(1)", "To the next difference."),
        Key("N", "jump(-1)", "To the difference before."),
        Key("enter", "open", "Compare these two threads, message by message."),
        Key("z", "hide_same", "Hide what is the same, or show everything."),
        Key("o", "show", "Show this request in the list of a."),
    )

    def _keys(self) -> Iterator[Key]:
        yield from self.KEYS

    def _run(self, key: Key) -> Callable[[], object]:
        view = cast("SessionsScreen", self.screen).view
        return partial(view.run_action, key.action)


class SessionsScreen(Screen[int | None]):
    """Shows what is known while comparing goes on. Its result is a place in a to go to, or None."""

    COMMANDS = {SessionsCommands}

    DEFAULT_CSS = """
    SessionsScreen { background: $background; }
    SessionsScreen > .line { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    SessionsScreen > #notes { color: $doubtful; display: none; }
    SessionsScreen > #notes.-shown { display: block; }
    """

    MARKS = MARKS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "list"),
        Binding("q", "leave", "Back", show=False),
    ]

    def __init__(self, sessions: TwoSessions, name: str) -> None:
        """`name`: what the old session is called."""
        super().__init__()
        self._sessions = sessions
        self._called = one_line(name), one_line(sessions.path.name)
        self.view = SessionsView(sessions, self._load)
        self._drawn: object = None

    def compose(self) -> ComposeResult:
        yield Static(id="title", classes="line", markup=False)
        yield Static(id="notes", classes="line", markup=False)
        yield self.view
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        left, right = self._called
        self.view.show_headings(f"a: {left}", f"b: {right}")
        self.view.focus()
        self.set_interval(_TICK_SECONDS, self._tick)
        self._tick()

    def _tick(self) -> None:
        sessions = self._sessions
        state = len(sessions), sessions.counts.total(), sessions.total, sessions.error
        if state != self._drawn:
            self._drawn = state
            self.view.update_lines()
            if sessions.total is not None:
                self.view.go_to_first_difference()
        self._say()

    def _say(self) -> None:
        sessions = self._sessions
        title = self.query_one("#title", Static)
        if sessions.error is not None:
            kind = "" if isinstance(sessions.error, KspyError) else "internal error: "
            title.update(_line(f"stopped: {kind}{sessions.error}"))
            return
        found = [
            f"{sessions.counts[verdict]:,} {words}"  # type: ignore[index]
            for verdict, words in _SAID.items()
            if sessions.counts[verdict]  # type: ignore[index]
        ]
        text = ", ".join([*found, f"{sessions.counts['same']:,} the same"])
        if sessions.total is None:
            done, total = sessions.progress
            share = f" {100 * done // total} %" if total else ""
            text = f"{sessions.doing}…{share}   {text}"
        if sessions.paces:
            text += f"   {len(sessions.paces):,} slower, faster"
        title.update(_line(text))
        notes = sessions.total.notes[:_TOLD_NOTES] if sessions.total else ()
        self.query_one("#notes").set_class(bool(notes), "-shown")
        self.query_one("#notes", Static).update(_line("   ".join(notes)))

    def _load(self, summaries: Summaries, items: list[int]) -> None:
        def loaded(_: object) -> None:
            self.view.refresh()

        cast("KspyApp", self.app).desk.run(summaries.load(items), loaded, urgent=True)

    def on_sessions_view_opened(self, event: SessionsView.Opened) -> None:
        sessions = self._sessions
        if sessions.alignment is None:
            return
        old, new, _ = sessions.alignment[event.row]
        if old is None or new is None:
            side = "b" if old is None else "a"
            self.notify(f"only in {side}: nothing to compare it with")
            return
        left, right = sessions.old.thread(old), sessions.new.thread(new)
        if left < 0 or right < 0:
            self.notify("a heartbeat is in no thread")
            return
        self.app.push_screen(
            CompareThreadsScreen(sessions.old, left, right, sessions.new, sessions.comparer)
        )

    def on_sessions_view_wanted(self, event: SessionsView.Wanted) -> None:
        old = self._sessions.alignment[event.row].old if self._sessions.alignment else None
        if old is None:
            self.notify("only in b: it is not in the list of a")
        else:
            self.dismiss(old)

    def action_leave(self) -> None:
        self.dismiss(None)


def _line(text: str) -> Text:
    return Text(one_line(text), no_wrap=True, overflow="ellipsis")
