"""All bookmarks of a recording, to go to one, change its note, or take it away."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from kspy.analysis.sanitize import one_line
from kspy.analysis.units import plural
from kspy.errors import KspyError
from kspy.recording.bookmarks import LONGEST_NOTE, Bookmark, Bookmarks
from kspy.tui.entry import Entry
from kspy.tui.palette import Colours

_SHOWN: Final = 200
"""Characters of a note in the list."""


def editable(note: str) -> str:
    """A note as it is put into an entry: one from elsewhere may have what a terminal acts upon."""
    return one_line(note[:LONGEST_NOTE])


def edited(note: str, entry: str) -> str:
    """What a note is after an entry was left: the same where the entry was."""
    return note if entry == editable(note) else entry.strip()


class MarkList(OptionList):
    """As any list of options; the footer says what enter does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "Go there")]


class BookmarksScreen(ModalScreen[int | None]):
    """Dismissed with the number of the message to go to, or None."""

    DEFAULT_CSS = """
    BookmarksScreen { align: center middle; background: $background 60%; }
    BookmarksScreen > Vertical {
        width: 80%; max-width: 100; height: auto; max-height: 80%; background: $panel;
    }
    BookmarksScreen #title { padding: 0 1; color: $foreground; text-style: bold; }
    BookmarksScreen OptionList {
        height: auto; max-height: 100%; text-wrap: nowrap; text-overflow: ellipsis;
    }
    BookmarksScreen OptionList, BookmarksScreen OptionList:focus {
        border: none; background: $panel; padding: 0 1;
    }
    BookmarksScreen OptionList > .option-list--option { padding: 0; }
    BookmarksScreen OptionList > .option-list--option-highlighted,
    BookmarksScreen OptionList:focus > .option-list--option-highlighted {
        background: $line-cursor; color: $foreground;
    }
    BookmarksScreen #none { padding: 1; color: $dimmed; display: none; }
    BookmarksScreen Input { height: 1; border: none; padding: 0 1; display: none; }
    BookmarksScreen.empty #none { display: block; }
    BookmarksScreen.empty OptionList { display: none; }
    BookmarksScreen.noting Input { display: block; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "Change the note"),
        Binding("d", "remove", "Take away"),
        Binding("j", "cursor(1)", "Down", show=False),
        Binding("k", "cursor(-1)", "Up", show=False),
        Binding("escape", "leave", "Back"),
        Binding("q,apostrophe", "leave", "Back", show=False),
    ]

    def __init__(self, bookmarks: Bookmarks, start_ns: int | None = None) -> None:
        """`start_ns`: when the recording begins, for times since then; None: times of the day."""
        super().__init__()
        self._bookmarks = bookmarks
        self._start_ns = start_ns

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(id="title", markup=False)
            yield MarkList()
            yield Static("No bookmarks yet. m sets one on the selected message.", id="none")
            yield Entry(
                placeholder="a note, or nothing",
                max_length=LONGEST_NOTE,
                select_on_focus=False,
            )
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        try:
            self._bookmarks.reload()
        except KspyError as error:
            self._complain(error)
        self._fill()

    @property
    def _list(self) -> OptionList:
        return self.query_one(OptionList)

    @property
    def _chosen(self) -> Bookmark | None:
        place = self._list.highlighted
        return None if place is None else self._bookmarks.list()[place]

    def _fill(self, place: int = 0) -> None:
        marks = self._bookmarks.list()
        self.query_one("#title", Static).update(plural(len(marks), "bookmark"))
        self.set_class(not marks, "empty")
        self._list.clear_options()
        self._list.add_options([Option(line) for line in self._lines(marks)])
        if marks:
            self._list.highlighted = min(place, len(marks) - 1)
            self._list.focus()
        else:
            self.set_focus(None)

    def _lines(self, marks: list[Bookmark]) -> list[Text]:
        colours = Colours.of(self.app)
        numbers = [f"{mark.seq:,}" for mark in marks]
        times = [self._when(mark) for mark in marks]
        number_width, time_width = (max(map(len, column), default=0) for column in (numbers, times))
        return [
            Text.assemble(
                (f"{number:>{number_width}}  {when:>{time_width}}  ", colours.dim),
                (one_line(mark.note[:_SHOWN]), colours.text) if mark.note else ("", colours.dim),
            )
            for mark, number, when in zip(marks, numbers, times, strict=True)
        ]

    def _when(self, mark: Bookmark) -> str:
        if self._start_ns is not None:
            return f"{(mark.time_ns - self._start_ns) / 1e9:+,.3f} s"
        try:
            moment = datetime.fromtimestamp(mark.time_ns // 10**9).astimezone()
        except (ValueError, OverflowError, OSError):
            return "?"  # a time that no calendar has
        return f"{moment:%H:%M:%S}.{mark.time_ns % 10**9 // 10**6:03}"

    # What the keys do

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.action_go()

    def action_go(self) -> None:
        if self._chosen:
            self.dismiss(self._chosen.seq)

    def action_cursor(self, rows: int) -> None:
        if rows > 0:
            self._list.action_cursor_down()
        else:
            self._list.action_cursor_up()

    def action_remove(self) -> None:
        mark, place = self._chosen, self._list.highlighted or 0
        if mark is None:
            return
        try:
            self._bookmarks.remove(mark.seq)
        except KspyError as error:
            self._complain(error)
        self._fill(place)

    def action_edit(self) -> None:
        mark = self._chosen
        if mark is None:
            return
        entry = self.query_one(Input)
        entry.value = editable(mark.note)
        entry.cursor_position = len(entry.value)
        self.add_class("noting")
        entry.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        mark, place = self._chosen, self._list.highlighted or 0
        self.remove_class("noting")
        if mark is None:
            return
        try:
            self._bookmarks.add(mark.seq, mark.time_ns, edited(mark.note, event.value))
        except KspyError as error:
            self._complain(error)
        self._fill(place)

    def action_leave(self) -> None:
        if self.has_class("noting"):
            self.remove_class("noting")
            self._list.focus()
        else:
            self.dismiss(None)

    def _complain(self, error: KspyError) -> None:
        self.app.notify(str(error), severity="error")
