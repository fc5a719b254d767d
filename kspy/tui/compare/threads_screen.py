"""The screen of two threads side by side: their members paired, with times since the requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static

from kspy.analysis.progress import Progress
from kspy.analysis.sameness.comparing import Comparer
from kspy.analysis.sameness.rules import Rules
from kspy.analysis.sameness.said import Said
from kspy.analysis.sanitize import one_line
from kspy.analysis.table import Table
from kspy.analysis.units import duration
from kspy.errors import KspyError
from kspy.tui.compare.messages_screen import CompareMessagesScreen
from kspy.tui.compare.steps import MARKS, MOST_STEPS, Members, Side, Step, steps
from kspy.tui.compare.thread_view import ThreadView
from kspy.tui.desk import Job

if TYPE_CHECKING:
    from kspy.tui.app import KspyApp


class CompareThreadsScreen(Screen[None]):
    """Threads by their numbers in `table`; the right one may be of another table.

    What is only on the right has a `+`, as if the right one had come later.
    """

    DEFAULT_CSS = """
    CompareThreadsScreen { background: $background; }
    CompareThreadsScreen #title {
        height: 1; padding: 0 1; background: $panel; color: $foreground;
    }
    """

    MARKS = MARKS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back"),
        Binding("q", "leave", "Back", show=False),
    ]

    def __init__(
        self,
        table: Table,
        left_thread: int,
        right_thread: int,
        right_table: Table | None = None,
        comparer: Comparer | None = None,
    ) -> None:
        """`comparer`: knows the ids of both sessions; default: one that knows none."""
        super().__init__()
        self._left = Members(table, left_thread)
        self._right = Members(right_table or table, right_thread)
        self._comparer = comparer or Comparer(Rules.usual())
        self._steps: Sequence[Step] = ()
        self._view = ThreadView((self._left.table, self._right.table))
        self._job: Job | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="title", markup=False)
        yield self._view
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self._view.show_headings(_heading(self._left), _heading(self._right))
        self._view.focus()
        self._job = cast("KspyApp", self.app).desk.run(
            steps(self._left, self._right, self._comparer),
            on_done=self._done,
            on_progress=self._progress,
            on_error=self._failed,
        )
        self._say("comparing…")

    def on_unmount(self) -> None:
        if self._job:
            self._job.cancel()

    def _progress(self, progress: Progress) -> None:
        self._say(f"comparing… {progress.done:,} of {progress.total:,}")

    def _failed(self, error: Exception) -> None:
        """What no rule foresaw must not end the viewer either."""
        self._say(one_line(f"stopped: {type(error).__name__}: {error}"))

    def _done(self, found: list[Step]) -> None:
        self._steps = found
        self._view.show_steps(found)
        self._say()

    def _say(self, doing: str = "") -> None:
        verdicts = [step.verdict for step in self._steps]
        said = {
            "differ": verdicts.count("~"),
            "only on the left": verdicts.count("-"),
            "only on the right": verdicts.count("+"),
            "in another order": verdicts.count("⇅"),
            "not compared": verdicts.count("?"),
        }
        parts = [f"{count:,} {what}" for what, count in said.items() if count]
        same = verdicts.count(" ")
        text = doing or ", ".join([*parts, f"{same:,} the same"])
        if self._left.left_out or self._right.left_out:
            text += f"   only the first {MOST_STEPS:,} of each"
        self.query_one("#title", Static).update(Text(text, no_wrap=True, overflow="ellipsis"))

    def on_thread_view_opened(self, event: ThreadView.Opened) -> None:
        left, right = event.step.left, event.step.right
        if left is None or right is None:
            side = "right" if left is None else "left"
            self.notify(f"only on the {side}: nothing to compare it with")
            return
        try:
            old = self._left.table.load(left.place)
            new = self._right.table.load(right.place)
        except KspyError as error:
            self.notify(str(error), severity="error")
            return
        contents = None
        if len(left.places) > 1 or len(right.places) > 1:
            contents = _content(self._left, left), _content(self._right, right)
        self.app.push_screen(CompareMessagesScreen(old, new, self._comparer, contents))

    def action_leave(self) -> None:
        self.dismiss(None)


def _content(members: Members, side: Side) -> Mapping[str, Any]:
    """What all messages of a side say together."""
    return Said(members.table, side.places).content


def _heading(members: Members) -> str:
    """The request's number, how the thread fared, and how long it took."""
    table, thread = members.table, members.thread
    head = table.head(thread)
    timing = table.timing(thread)
    parts = [f"#{table.seq(head):,} {one_line(table.msg_type(head)[:100])}"]
    if timing.state is not None:
        took = "" if timing.total_ns is None else f" {duration(timing.total_ns)}"
        parts.append(f"{timing.state}{took}")
    return "  ".join(parts)
