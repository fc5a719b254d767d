"""The viewer's app: opens what it was given, and holds what all screens share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from kspy.errors import KspyError
from kspy.tui.desk import Desk
from kspy.tui.folder_screen import FolderScreen
from kspy.tui.help_screen import HelpScreen, keys_here
from kspy.tui.main_screen import MainScreen
from kspy.tui.notices import Notices
from kspy.tui.palette import DEFAULT_THEME, THEME_NAMES, THEMES
from kspy.tui.settings import Settings
from kspy.tui.viewing import Viewing

if TYPE_CHECKING:
    from kspy.analysis.sameness.rules import Rules

_NOT_DONE: Final = 2


class KspyApp(Notices):
    """A recording, or a folder of them, to look at. Returns the command's exit code.

    connection_file    what clients connect with, shown while there is no message yet
    filter_text        the filter to begin with
    diff, rules        another recording to compare it with, and what varies by nature
    """

    TITLE = "kspy"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", show=False),
        Binding("f1", "app.help", "help", key_display="F1", priority=True),
        Binding("ctrl+t", "next_theme", "The next theme", show=False),
    ]
    ENABLE_COMMAND_PALETTE = True
    CSS_PATH = "kspy.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (40, "-narrow"), (110, "-normal")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (12, "-low"), (30, "-tall")]

    def __init__(
        self,
        path: Path,
        *,
        connection_file: Path | None = None,
        filter_text: str = "",
        threads: bool = False,
        theme: str | None = None,
        diff: Path | None = None,
        rules: Rules | None = None,
    ) -> None:
        super().__init__()
        self.path = path
        self.connection_file = connection_file
        self.filter_text = filter_text
        self.threads = threads
        self.diff = diff
        self.rules = rules
        self.settings: Settings = Settings()
        self.chosen_theme = theme
        self._desk: Desk | None = None
        self.failures: list[Exception] = []
        for known in THEMES:
            self.register_theme(known)
        self.theme = DEFAULT_THEME
        for name in set(self.available_themes) - set(THEME_NAMES):
            self.unregister_theme(name)  # they lack the colours of channels

    def on_mount(self) -> None:
        self.settings = Settings.load()
        wanted = self.chosen_theme or self.settings.theme or DEFAULT_THEME
        self.theme = wanted if wanted in self.available_themes else DEFAULT_THEME
        if self.settings.warning:
            self.notify(self.settings.warning, severity="warning")
        if not self.path.is_dir():
            self.view(self.path)
            return
        try:
            self._desk = Desk(self.failed)
            self.push_screen(FolderScreen(self.path, self._desk))
        except KspyError as error:
            self.exit(_NOT_DONE, message=f"kspy: {error}")

    @property
    def desk(self) -> Desk:
        """That of the recording that is looked at, or else of the folder."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, MainScreen):
                return screen.desk
        if self._desk is None:
            raise RuntimeError("nothing is looked at")
        return self._desk

    def failed(self, error: Exception) -> None:
        """What nobody foresaw ends no viewer: it is said, and the rest goes on."""
        self.failures.append(error)
        kind = "" if isinstance(error, KspyError) else f"internal error: {type(error).__name__}: "
        self.notify(f"{kind}{error}", severity="error")

    def view(self, path: Path) -> None:
        """Show a recording; where it cannot be read, say so: in the folder's list, or and end."""
        try:
            viewing = Viewing(path)
        except KspyError as error:
            if self.path.is_dir():
                self.notify(str(error), severity="error")
                return
            self.exit(_NOT_DONE, message=f"kspy: {error}")
            return
        self.push_screen(MainScreen(viewing))

    def on_folder_screen_chosen(self, event: FolderScreen.Chosen) -> None:
        self.view(event.path)

    def action_help(self) -> None:
        """The keys of where the user is, and on the main screen everything else."""
        if not isinstance(self.screen, HelpScreen):
            main = isinstance(self.screen, MainScreen)
            marks: Mapping[str, str] = getattr(self.screen, "MARKS", {})
            self.push_screen(HelpScreen(keys_here(self.screen), main=main, marks=marks))

    def action_next_theme(self) -> None:
        self.use_theme(THEME_NAMES[(THEME_NAMES.index(self.theme) + 1) % len(THEME_NAMES)])

    def use_theme(self, name: str) -> None:
        """Change to a theme, and keep that for the next time."""
        self.theme = self.settings.theme = name
        self.keep_settings()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers everywhere; what a screen's keys do comes from `KeyCommands`."""
        for name in THEME_NAMES:
            yield SystemCommand(f"Theme: {name}", "The colours", partial(self.use_theme, name))
        if not isinstance(screen, MainScreen):
            yield SystemCommand("Help", "The keys of where you are", self.action_help)
            yield SystemCommand("Quit", "End the viewer", self.exit)

    def keep_settings(self) -> None:
        """Keep the settings for the next time; where that fails, say so once."""
        try:
            self.settings.save()
        except KspyError as error:
            self.notify(str(error), severity="warning")

    def on_unmount(self) -> None:
        if self._desk is not None:
            self._desk.close()
