"""The screen that `kspy view FOLDER` begins with: its recordings, to choose one from."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import ScreenResume
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from kspy.analysis.listing import Listing
from kspy.analysis.progress import Progress
from kspy.analysis.sanitize import one_line
from kspy.analysis.units import plural
from kspy.errors import KspyError
from kspy.tui.desk import Desk, Job
from kspy.tui.entry import Entry
from kspy.tui.folder_table import FolderTable


class NameInput(Entry):
    """Where a part of a name is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "screen.to_list", "keep", tooltip="Keep these, and go to the list."),
        Binding("escape", "screen.clear", "all", tooltip="All recordings."),
    ]


class FolderScreen(Screen[None]):
    """Lists the recordings in `folder`, read in the background; posts `Chosen`.

    Comes back up to date: each time the screen is shown again, the folder is looked through.
    """

    DEFAULT_CSS = """
    FolderScreen { background: $background; }
    FolderScreen #title { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    FolderScreen #names { height: 1; border: none; padding: 0 1; display: none; }
    FolderScreen #names { background: $panel; }
    FolderScreen #empty { padding: 1 2; height: 1fr; color: $text-muted; display: none; }
    FolderScreen.nothing #empty { display: block; }
    FolderScreen.nothing FolderTable { display: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter by name", key_display="/"),
        Binding("r", "rescan", "Look again"),
        Binding("escape", "clear", "All recordings", show=False),
        Binding("q", "app.quit", "Quit"),
    ]

    class Chosen(Message):
        """A recording was chosen, to be shown."""

        def __init__(self, path: Path) -> None:
            self.path = path
            super().__init__()

    def __init__(self, folder: Path, desk: Desk) -> None:
        """Raises `KspyError` if the folder cannot be read."""
        super().__init__()
        self._folder = folder
        self._desk = desk
        self._listing = Listing(folder)
        self._job: Job | None = None
        self._done = False

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield NameInput(placeholder="part of a name", id="names")
        yield FolderTable()
        yield Static(id="empty")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(FolderTable).focus()

    def on_screen_resume(self, event: ScreenResume) -> None:
        self.action_rescan()

    def on_screen_suspend(self) -> None:
        if self._job:
            self._job.cancel()  # a recording is looked at, which comes first

    def on_unmount(self) -> None:
        if self._job:
            self._job.cancel()

    # Reading

    def action_rescan(self) -> None:
        """Look through the folder again; what has not changed is not read again."""
        if self._job:
            self._job.cancel()
        try:
            self._listing = Listing(self._folder, self._listing)
        except KspyError as error:
            self.app.notify(str(error), severity="error")
            return
        self._done = False
        self._job = self._desk.run(
            self._listing.read(), on_progress=self._on_progress, on_done=self._on_done
        )
        self._show()

    def _on_progress(self, progress: Progress) -> None:
        self._show()

    def _on_done(self, result: None) -> None:
        self._done = True
        self._show()

    # Showing

    def _show(self) -> None:
        words = self.query_one(NameInput).value.casefold().split()
        files = self._listing.files
        shown = [f for f in files if all(word in f.name.casefold() for word in words)]
        self.query_one(FolderTable).show(shown)
        self.query_one("#title", Static).update(self._title(len(shown)))
        self.set_class(not shown, "nothing")
        if not shown:
            self.query_one("#empty", Static).update(self._why_empty())

    def _title(self, shown: int) -> Text:
        total = len(self._listing.files)
        count = plural(total, "recording") if shown == total else f"{shown:,} of {total:,}"
        parts = [one_line(str(self._folder)), count]
        if self._listing.left_out:
            parts.append(f"the newest; {self._listing.left_out:,} older ones are left out")
        if not self._done:
            unread = sum(file.state == "unread" for file in self._listing.files)
            unchecked = len(self._listing.unchecked)
            parts.append(
                f"reading, {unread:,} to go" if unread else f"checking, {unchecked:,} to go"
            )
        return Text("   ".join(parts), no_wrap=True, overflow="ellipsis")

    def _why_empty(self) -> Text:
        if self._listing.files:
            return Text("No recording has such a name.  escape shows all of them.")
        return Text(
            f"No recordings (*.kspy) in {one_line(str(self._folder))} or the folders in it.\n\n"
            "Make one:\n\n"
            "  kspy tap --kernel python3\n"
            "  kspy tap --existing kernel-1234.json\n\n"
            "r looks again."
        )

    # Choosing

    def on_folder_table_chosen(self, event: FolderTable.Chosen) -> None:
        if event.file.state == "refused":
            self.notify(f"{event.file.name}: {event.file.reason}", severity="warning", markup=False)
        else:
            self.post_message(self.Chosen(event.file.path))

    def action_filter(self) -> None:
        names = self.query_one(NameInput)
        names.display = True  # at once: what is typed on must not go to the table
        self.set_focus(names)

    def action_clear(self) -> None:
        names = self.query_one(NameInput)
        names.value = ""
        names.display = False
        self.query_one(FolderTable).focus()
        self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show()

    def action_to_list(self) -> None:
        """Keep the filter, and go to what it leaves."""
        names = self.query_one(NameInput)
        names.display = bool(names.value)
        self.query_one(FolderTable).focus()
