"""The main screen: the list, the inspector, the timeline, and the lines around them.

It holds what belongs together and passes on who changed what; what each key does is in the files
that it inherits from, a capability a file.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal
from textual.widgets import Footer

from kspy.analysis.progress import Progress
from kspy.analysis.waterfall import Waterfall, waterfall
from kspy.errors import KspyError
from kspy.tui.actions.differing import Differing
from kspy.tui.actions.marking import Marking
from kspy.tui.actions.playing import Playing
from kspy.tui.actions.searching import Searching
from kspy.tui.actions.showing import Showing
from kspy.tui.actions.taking import Taking
from kspy.tui.commands import KeyCommands
from kspy.tui.desk import Desk, Job
from kspy.tui.detail import Inspector
from kspy.tui.detail.timing_view import TimingView
from kspy.tui.empty_note import EmptyNote
from kspy.tui.filter_bar import FilterBar
from kspy.tui.keys import BINDINGS
from kspy.tui.playback_bar import PlaybackBar
from kspy.tui.prompt_bar import PromptBar
from kspy.tui.status import Reporter
from kspy.tui.status_bar import StatusBar
from kspy.tui.stream.stream_view import StreamView
from kspy.tui.timeline import Timeline
from kspy.tui.viewing import Viewing
from kspy.wire.message import Message

_TICK_SECONDS: Final = 0.05
_WAITING_TICKS: Final = 10


class MainScreen(Searching, Marking, Showing, Playing, Taking, Differing):
    """Shows one recording, finished or growing."""

    AUTO_FOCUS = "#stream"  # what is typed early must not become a filter
    COMMANDS = {KeyCommands}
    BINDINGS: ClassVar[list[BindingType]] = [*BINDINGS]

    def __init__(self, viewing: Viewing) -> None:
        super().__init__()
        self.viewing = viewing
        self.desk = Desk(self.kspy.failed)
        self.visited = []
        self.visiting = 0
        self.stream = StreamView(viewing, self._load_summaries)
        self.inspector = Inspector()
        self.timeline = Timeline(viewing.table)
        self.filter_bar = FilterBar(viewing.table)
        self.playback_bar = PlaybackBar()
        self.prompt = PromptBar()
        self.status_bar = StatusBar()
        self.empty_note = EmptyNote(viewing, self.kspy.connection_file)
        self.reporter = Reporter(viewing)
        self._reading: Job | None = None
        self._lines: object = None
        self._begun = False
        self._ticks = count()

    def compose(self) -> ComposeResult:
        yield self.status_bar
        yield self.filter_bar
        with Horizontal(id="panes"):
            with Container(id="list"):
                yield self.stream
                yield self.empty_note
            yield self.inspector
        yield self.playback_bar
        yield self.timeline
        yield self.prompt
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        settings = self.kspy.settings
        self.stream.form = settings.time_form
        self.set_class(not settings.inspector, "-no-inspector")
        self.set_class(not settings.timeline, "-no-timeline")
        if self.kspy.threads or settings.threads:
            self.viewing.mode = "threads"
        if self.kspy.filter_text:
            self.filter_bar.text = self.kspy.filter_text
        self.begin_bookmarks()
        self.stream.focus()
        self.set_interval(_TICK_SECONDS, self._tick)
        self._read()
        if self.kspy.diff is not None:
            self._begin_with_comparison(self.kspy.diff)

    def _begin_with_comparison(self, other: Path) -> None:
        try:
            self.compare_with(other, self.kspy.rules)
        except KspyError as error:
            self.notify(str(error), severity="error")
        else:
            self.action_sessions()

    def on_unmount(self) -> None:
        self.desk.close(self._close)

    def _close(self) -> None:
        self.viewing.close()
        self.close_sessions()

    # The recording grows

    def _tick(self) -> None:
        if self._reading is None and self.viewing.state == "growing":
            self._read()
        self.reporter.tick()
        if self.viewing.state == "growing" and not next(self._ticks) % _WAITING_TICKS:
            self.inspector.refresh_timing()
            if self.viewing.mode == "threads":
                self.stream.refresh()  # how long it has been waiting
        self._report()
        self.tick_playback()

    def _read(self) -> None:
        self._reading = self.desk.run(
            self.viewing.read(), self._read_on, self._reading_on, self._not_read
        )

    def _reading_on(self, progress: Progress) -> None:
        self.lines_changed()

    def _read_on(self, _: object) -> None:
        first, self._reading = not self._begun, None
        self._begun = True
        self.lines_changed()
        if self.viewing.state != "growing":
            self.inspector.refresh_timing()
        if first:
            self.stream.following = self.viewing.state == "growing"
            self.show_bookmarks()
            self.desk.run(self.viewing.check())

    def _not_read(self, error: Exception) -> None:
        self.reporter.notice = "cannot be read any more"
        self.notify(str(error), severity="error")

    def lines_changed(self) -> None:
        """What is shown may have changed: draw it."""
        viewing = self.viewing
        if viewing.lines is not self._lines:
            self._lines = viewing.lines
            self.reporter.drawn(self.stream)
            self.stream.update_lines()
            self.filter_bar.set_count(viewing.shown, len(viewing.everything), viewing.whole)
        self.empty_note.update_note()
        self.timeline.update_density()
        self._report()

    def rearrange(self, then: int | None = None) -> None:
        def done(_: object) -> None:
            self.lines_changed()
            self.inspector.refresh_timing()  # a playback may have gone on
            if then is not None:
                self.stream.go_to_item(then)

        self.desk.run(self.viewing.arrange(), done, urgent=True)

    def _report(self) -> None:
        self.status_bar.show(self.reporter.status(following=self.stream.following))

    def action_reload(self) -> None:
        """Open the file that is there now, in place of this one."""
        try:
            viewing = Viewing(self.viewing.path)
        except KspyError as error:
            self.say(f"{error}; what was read of the file before stays")
        else:
            self.app.switch_screen(MainScreen(viewing))

    # What is selected

    def _load_summaries(self, items: list[int]) -> None:
        def loaded(_: object) -> None:
            self.stream.refresh()

        self.desk.run(self.stream.summaries.load(items), loaded, urgent=True)

    def on_stream_view_selected(self, event: StreamView.Selected) -> None:
        self.inspect(event.item)

    def inspect(self, item: int | None) -> None:
        """Show an item in the inspector, and where it is on the timeline."""
        table = self.viewing.table
        if item is None:
            self.inspector.show(None)
            return
        self.timeline.cursor_ns = table.item_time_ns(item)
        try:
            found = table.item(item)
        except KspyError as error:
            self.inspector.show(None)
            self.notify(str(error), severity="warning")
            return
        thread = table.thread(item) if item >= 0 else -1
        self.inspector.language = self.reporter.language
        self.inspector.show(
            found,
            item if item >= 0 else None,
            lambda: self._waterfall(thread),
            lambda: self._request(thread),
        )

    def _waterfall(self, thread: int) -> Waterfall | None:
        viewing = self.viewing
        if thread < 0:
            return None
        return waterfall(viewing.table, thread, viewing.now_ns(), viewing.limit)

    def _request(self, thread: int) -> Message | None:
        """The request of a thread, where the file still has it."""
        try:
            return self.viewing.table.load(self.viewing.table.head(thread)) if thread >= 0 else None
        except KspyError:
            return None

    def on_timing_view_wanted(self, event: TimingView.Wanted) -> None:
        self.jump_to(event.place, "that message")

    def on_stream_view_opened(self) -> None:
        self.action_open()

    def on_timeline_chosen(self, event: Timeline.Chosen) -> None:
        if self.playback is None:
            self.go_to_time(event.time_ns)
        else:
            self.seek(event.time_ns)

    def on_filter_bar_changed(self, event: FilterBar.Changed) -> None:
        self.filter_with(event.filter, self.viewing.whole)

    def on_filter_bar_unwanted(self) -> None:
        self.cancel_filtering()

    def on_filter_bar_left(self) -> None:
        self.stream.focus()
