"""The screen of two messages side by side."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static

from kspy.analysis.conventions import ARROWS
from kspy.analysis.progress import Progress
from kspy.analysis.sameness.comparing import Comparer
from kspy.analysis.sameness.rules import Rules
from kspy.analysis.sanitize import one_line
from kspy.analysis.units import duration
from kspy.errors import KspyError
from kspy.tui.compare.message_view import Heading, MessageView
from kspy.tui.compare.rows import Comparison, compare
from kspy.tui.compare.steps import MARKS
from kspy.tui.desk import Job
from kspy.tui.palette import Colours
from kspy.wire.message import Message

if TYPE_CHECKING:
    from kspy.tui.app import KspyApp

_TYPE = 40


class CompareMessagesScreen(Screen[None]):
    """`left` is the old one, `right` the new one: `+` is what only the right one has.

    comparer    knows the ids of both sessions; default: one that knows none
    contents    of several messages that are one text, what they say together
    """

    DEFAULT_CSS = """
    CompareMessagesScreen { background: $background; }
    CompareMessagesScreen #title {
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
        left: Message,
        right: Message,
        comparer: Comparer | None = None,
        contents: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        self._comparer = comparer or Comparer(Rules.usual())
        self._contents = contents
        self._left = left
        self._right = right
        self._job: Job | None = None
        self._view = MessageView()

    def compose(self) -> ComposeResult:
        yield Static("Comparing…", id="title", markup=False)
        yield self._view
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self._view.focus()
        self._job = cast("KspyApp", self.app).desk.run(
            self._compare(), on_done=self._compared, on_error=self._failed
        )

    def on_unmount(self) -> None:
        if self._job:
            self._job.cancel()

    def _compare(self) -> Generator[Progress, None, Comparison]:
        yield Progress(0, 0)
        left, right = self._comparer.values(self._left, self._right, whole=True)
        if self._contents:
            old, new = self._contents
            left, right = {**left, "content": old}, {**right, "content": new}
        yield Progress(0, 0)
        return (yield from compare(self._comparer.steps(self._left.msg_type, left, right)))

    def _compared(self, comparison: Comparison) -> None:
        self._view.show(
            comparison,
            partial(_heading, self._left),
            partial(_heading, self._right),
        )
        self._say()

    def _failed(self, error: Exception) -> None:
        """What no rule foresaw must not end the viewer either."""
        text = str(error) if isinstance(error, KspyError) else f"{type(error).__name__}: {error}"
        said = Text(one_line(f"cannot be compared: {text}"), no_wrap=True, overflow="ellipsis")
        self.query_one("#title", Static).update(said)

    def on_message_view_jumped(self, event: MessageView.Jumped) -> None:
        self._say()

    def _say(self) -> None:
        found, at = self._view.comparison, self._view.current
        if found.differences:
            text = f"difference {at + 1:,} of {found.differences:,}"
        else:
            text = "no difference" if found.complete else "no difference found"
        if found.varying:
            text += f"   {found.varying:,} more by nature (≈): {', '.join(found.rules)}"
        later = self._right.time_ns - self._left.time_ns
        if later:
            text += f"   {duration(abs(later))} {'later' if later > 0 else 'earlier'}"
        if not found.complete:
            text += "   not all was compared"
        self.query_one("#title", Static).update(Text(text, no_wrap=True, overflow="ellipsis"))

    def action_leave(self) -> None:
        self.dismiss(None)


def _heading(message: Message, colours: Colours) -> Heading:
    """Number, direction, channel and type."""
    route = f"{ARROWS[message.direction]} {message.channel}"
    return [
        (f"  #{message.seq:,} ", colours.dim),
        (route, colours.channel(message.channel)),
        (f"  {one_line(message.msg_type[:_TYPE])}", colours.text),
    ]
