"""The line in which a filter is written: coloured, completed, and applied while one types.

    / type:execute_* error                                              37 of 1,204  threads

A mistake is underlined and explained beneath: over the list while one types, so that it does not
jump, and in lines of its own after that. Until it is mended, what was found last stays.
"""

from __future__ import annotations

from typing import ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from kspy.analysis.filter import Filter, FilterError, Role, Span, completions, parse, spans
from kspy.analysis.progress import Progress
from kspy.analysis.sanitize import one_line
from kspy.analysis.table import Table
from kspy.tui.entry import Entry, VisibleText
from kspy.tui.filter_choices import FilterChoices
from kspy.tui.palette import Colours

_PAUSE_SECONDS: Final = 0.08
"""Without a key for so long, the filter is applied."""
_REMEMBERED: Final = 100
_NARROW: Final = 40
_SIGNS: Final = (":", "=", "<", ">", ",", "!", "-")
"""What is followed by something, whatever it is."""


class FilterBar(Vertical):
    """A filter, as text; `table` offers the values that occur in it."""

    DEFAULT_CSS = """
    FilterBar { height: auto; background: $panel; padding: 0 1; }
    FilterBar > Horizontal { height: 1; }
    FilterBar #filter-sign { width: 2; color: $dimmed; }
    FilterBar:focus-within #filter-sign { color: $accent; }
    FilterBar FilterInput { width: 1fr; background: $panel; background-tint: transparent; }
    FilterBar #filter-note { width: auto; margin-left: 2; color: $dimmed; }
    FilterBar #filter-mistake { height: auto; max-height: 4; color: $doubtful; display: none; }
    """

    class Changed(Message):
        """There is another filter: None where the text is empty, and everything matches."""

        def __init__(self, filter_: Filter | None) -> None:
            super().__init__()
            self.filter = filter_

    class Left(Message):
        """Who writes the filter is done with it."""

    class Unwanted(Message):
        """The search that runs is no longer wanted."""

    def __init__(self, table: Table | None = None) -> None:
        super().__init__(id="filter")
        self._table = table
        self._entry = FilterInput()
        self._choices = FilterChoices()
        self._note = Static("", id="filter-note", markup=False)
        self._explanation = Static("", id="filter-mistake", markup=False)
        self._timer: Timer | None = None
        self._applied: str | None = ""
        self._mistake: FilterError | None = None
        self._count = ""
        self._progress: Progress | None = None
        self._history: list[str] = []
        self._past: int | None = None
        self._draft = ""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("/", id="filter-sign", markup=False)
            yield self._entry
            yield self._note
        yield self._explanation
        yield self._choices

    # For the screen

    @property
    def text(self) -> str:
        """What is written there; setting it applies it at once."""
        return self._entry.value

    @text.setter
    def text(self, text: str) -> None:
        self._put(text)
        self.apply()

    @property
    def mistake(self) -> FilterError | None:
        """What is wrong with the text, once there was a pause."""
        return self._mistake

    def focus_input(self) -> None:
        self._entry.focus()

    def clear(self) -> None:
        """No filter; it can still be had from the history."""
        self._remember()
        self.text = ""

    def set_count(self, matched: int, total: int, threads: bool = False) -> None:
        """How many items match, of how many; `threads`: with the whole threads they are in."""
        self._count = f"{matched:,} of {total:,}{'  threads' if threads else ''}"
        self._show_note()

    def set_progress(self, progress: Progress | None) -> None:
        """How far the search is; None when it has ended."""
        self._progress = progress
        self._show_note()

    def give_up(self) -> None:
        """The search was ended before it was done: what is written is not what is shown."""
        self._applied = None
        self.set_progress(None)

    # Applying

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value == self._entry.value:
            self._offer()
            self._apply_soon()

    def _apply_soon(self) -> None:
        if self._timer:
            self._timer.stop()
        self._timer = self.set_timer(_PAUSE_SECONDS, self.apply)

    def apply(self) -> None:
        """Post the filter, if it is another and there is no mistake in it."""
        if self._timer:
            self._timer.stop()
        text = self.text.strip()
        try:
            wanted = parse(self.text)
        except FilterError as error:
            self._tell(error)
            return
        self._tell(None)
        if text != self._applied:
            self._applied = text
            self.post_message(self.Changed(None if wanted.empty else wanted))

    def _tell(self, mistake: FilterError | None) -> None:
        self._mistake = mistake
        self._entry.mark(mistake)
        self._explain()
        self._show_note()

    def _explain(self) -> None:
        """Say what is wrong: where the choices are while one types, else in the bar."""
        why, writing = one_line(str(self._mistake or "")), self._entry.has_focus
        self._choices.explain(why if writing else "")
        self._explanation.update(why)
        self._explanation.display = bool(why) and not writing

    def _show_note(self) -> None:
        if self._progress is not None:
            done, total = self._progress
            note = f"{100 * done // max(total, 1)} %"
        else:
            note = self._count
        if self.size.width < _NARROW and self._entry.has_focus:
            note = ""
        self._note.update(note)

    # Completing

    def _offer(self) -> None:
        """Show what can stand at the cursor; nothing while there is nothing begun."""
        entry = self._entry
        offered = []
        if entry.has_focus and self._past is None and entry.value[: entry.cursor_position].strip():
            offered = completions(entry.value, entry.cursor_position, self._table)
            if offered and not self._begun(offered[0].start):
                offered = []
        start = offered[0].start if offered else 0
        before = cell_len(entry.value[:start]) - entry.scroll_offset.x
        self._choices.place(entry.region.x + before, entry.region.y)
        could = self.can_complete()
        self._choices.offer(offered)
        if could != self.can_complete():
            self.refresh_bindings()

    def _begun(self, start: int) -> bool:
        """Is what could stand from `start` on wanted: begun, or all that can follow?

        Where a bracket or a regular expression is to be mended, a list of all fields is in the way.
        """
        before = self._entry.value[: self._entry.cursor_position]
        if start < len(before) or before.rstrip().endswith(_SIGNS):
            return True
        return before[-1:].isspace() and _mistake_in(before) is None

    def complete(self) -> None:
        """Write the completion that is chosen, or the first."""
        chosen = self._choices.chosen or self._choices.first
        if chosen is None:
            return
        text = self.text
        cursor = chosen.start + len(chosen.text)
        self._put(text[: chosen.start] + chosen.text + text[chosen.stop :], cursor)

    def on_filter_choices_picked(self, event: FilterChoices.Picked) -> None:
        event.stop()
        self.complete()

    def _put(self, text: str, cursor: int | None = None) -> None:
        self._entry.value = text
        self._entry.cursor_position = len(text) if cursor is None else cursor

    # Keys of the entry

    def can_complete(self) -> bool:
        return self._choices.first is not None

    def submit(self) -> None:
        """Enter: take the completion that is chosen; without one, the filter as it is."""
        if self._choices.chosen is not None:
            self.complete()
            return
        self.apply()
        self.leave()

    def escape(self) -> None:
        """End the search that runs; without one, go."""
        if self._progress is not None:
            self.post_message(self.Unwanted())
        else:
            self.leave()

    def leave(self) -> None:
        self._remember()
        self._choices.offer([])
        self.post_message(self.Left())

    def move(self, step: int) -> None:
        """Up and down: among the completions once one is chosen, else in the history."""
        choices = self._choices
        if choices.chosen is not None or (step > 0 and self._past is None and choices.first):
            choices.choose(step)
        else:
            self._recall(step)

    def _remember(self) -> None:
        text = self.text.strip()
        if text and self._mistake is None:
            self._history = [past for past in self._history if past != text][-_REMEMBERED:]
            self._history.append(text)
        self._past = None

    def _recall(self, step: int) -> None:
        """Go back in the history, or forward up to what was being written."""
        if self._past is None:
            if step > 0 or not self._history:
                return
            self._draft = self.text
            self._past = len(self._history)
        self._past = max(self._past + step, 0)
        if self._past >= len(self._history):
            self._past = None
            self._put(self._draft)
        else:
            self._put(self._history[self._past])
        self._choices.offer([])

    def on_descendant_focus(self) -> None:
        self._tell(self._mistake)

    def on_descendant_blur(self) -> None:
        self._choices.offer([])
        self._tell(self._mistake)

    def on_resize(self) -> None:
        self._show_note()


class FilterInput(Entry):
    """The entry: it colours a filter, and gives some keys to the bar."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "keep", tooltip="Keep the filter, and go to the list."),
        Binding("tab", "complete", "complete", tooltip="Write the completion."),
        Binding("down", "move(1)", "The next completion.", show=False),
        Binding("up", "move(-1)", "The completion before; the filter before.", show=False),
        Binding("escape", "escape", "back", tooltip="Back; first, end a search that runs."),
    ]

    def __init__(self) -> None:
        self._colours = FilterHighlighter()
        super().__init__(
            placeholder="filter, as in type:execute_* error latency>500ms",
            highlighter=self._colours,
            select_on_focus=False,
        )

    @property
    def bar(self) -> FilterBar:
        return self.query_ancestor(FilterBar)

    def on_mount(self) -> None:
        self._take_colours()
        self.app.theme_changed_signal.subscribe(self, lambda _: self._take_colours())

    def _take_colours(self) -> None:
        self._colours.use(Colours.of(self.app))
        self.refresh()

    def mark(self, mistake: FilterError | None) -> None:
        """Underline a mistake."""
        self._colours.mistake = None if mistake is None else (mistake.start, mistake.stop)
        self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "complete":
            return self.bar.can_complete()  # else tab goes on to what comes next
        return super().check_action(action, parameters)

    def action_complete(self) -> None:
        self.bar.complete()

    def action_move(self, step: int) -> None:
        self.bar.move(step)

    def action_escape(self) -> None:
        self.bar.escape()

    async def action_submit(self) -> None:
        self.bar.submit()


def _mistake_in(text: str) -> FilterError | None:
    try:
        parse(text)
    except FilterError as error:
        return error
    return None


class FilterHighlighter(VisibleText):
    """Colours the parts of a filter, and underlines the mistake in it."""

    def __init__(self) -> None:
        self.mistake: tuple[int, int] | None = None
        self._looks: dict[Role, Style] = {}
        self._wrong = Style(underline=True)
        self._last: tuple[str, list[Span]] = ("", [])

    def use(self, colours: Colours) -> None:
        bold = Style(bold=True)
        self._looks = {
            "field": colours.accent,
            "operator": colours.dim,
            "bracket": colours.dim,
            "keyword": colours.accent + bold,
            "value": colours.text,
            "text": colours.text + bold,
        }
        self._wrong = colours.doubtful + Style(underline=True)

    def highlight(self, text: Text) -> None:
        plain = text.plain
        if self._last[0] != plain:
            self._last = (plain, spans(plain))
        for start, stop, role in self._last[1]:
            if role in self._looks:
                text.stylize(self._looks[role], start, stop)
        if self.mistake is not None:
            start, stop = self.mistake
            text.stylize(self._wrong, start, max(stop, start + 1))
        super().highlight(text)
