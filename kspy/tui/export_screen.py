"""The dialog that exports: what, in which form, to which file."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, ProgressBar, Static

from kspy.analysis.progress import Progress
from kspy.analysis.sanitize import one_line
from kspy.analysis.table import Table
from kspy.analysis.units import plural, size
from kspy.errors import KspyError
from kspy.export.chosen import Exported
from kspy.export.extract import extract
from kspy.export.target import check_target
from kspy.export.texts import write_json_lines, write_text, write_whole
from kspy.tui.desk import Job
from kspy.tui.entry import Entry
from kspy.tui.picker import Picker

if TYPE_CHECKING:
    from kspy.tui.app import KspyApp

Write = Callable[..., Generator[Progress, None, Exported]]

_WARNING: Final = "It holds the code that was run and its output: look before you share it."
_PICTURE: Final = "A picture of the screen behind this dialog, as it is now."
_NAMES: Final = 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """What can be exported: a few words, and the items of the table that they mean."""

    label: str
    items: Any

    @property
    def title(self) -> str:
        items = np.asarray(self.items)
        messages = int(np.count_nonzero(items >= 0))
        counts = [plural(messages, "message")] if messages or not len(items) else []
        if len(items) > messages:
            counts.append(plural(len(items) - messages, "event"))
        return f"{self.label}  {', '.join(counts)}"


@dataclass(frozen=True, slots=True)
class Form:
    """A form to export to; `write` is None for the picture of the screen."""

    label: str
    suffix: str
    write: Write | None


FORMS: Final = (
    Form("recording  a smaller .kspy, for a bug report", ".kspy", extract),
    Form("JSON lines  as kspy show --json", ".jsonl", write_json_lines),
    Form("text  as kspy show", ".txt", write_text),
    Form("picture  this screen as SVG", ".svg", None),
)


class ExportScreen(ModalScreen[Path | None]):
    """Asks, exports, tells. Its result is the file that was written; None if there is none."""

    DEFAULT_CSS = """
    ExportScreen { align: center middle; }
    ExportScreen #dialog {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        background: $panel; padding: 1 2; scrollbar-size-vertical: 1;
    }
    ExportScreen Label { color: $foreground; text-style: bold; margin-top: 1; }
    ExportScreen #title { margin-top: 0; }
    ExportScreen .note { color: $dimmed; height: auto; }
    ExportScreen #hint { margin-top: 1; }
    ExportScreen Input { border: none; height: 1; padding: 0 1; background: $background; }
    ExportScreen #problem { color: $doubtful; height: auto; display: none; }
    ExportScreen #working { height: 1; display: none; }
    ExportScreen.problem #problem { display: block; }
    ExportScreen.working #working { display: block; }
    ExportScreen.working #warning { display: none; }
    ExportScreen ProgressBar, ExportScreen ProgressBar Bar { width: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "export", "Export"),
        Binding("escape", "leave", "Cancel"),
    ]

    def __init__(self, table: Table, choices: Sequence[Choice], default_path: Path) -> None:
        """`choices` must not be empty; the first is chosen. `default_path` may exist already."""
        super().__init__()
        self._table = table
        self._choices = choices
        self._path = default_path
        self._offered = default_path
        self._job: Job | None = None
        self._asked: Path | None = None

    def compose(self) -> ComposeResult:
        self._offered = _free(self._path)
        with VerticalScroll(id="dialog", can_focus=False):
            yield Label("Export", id="title")
            yield Picker([choice.title for choice in self._choices], id="what")
            yield Label("as")
            yield Picker([form.label for form in FORMS], id="form")
            yield Label("to")
            yield Entry(value=str(self._offered), id="file", select_on_focus=False)
            yield Static(id="problem", classes="note", markup=False)
            yield Static(_WARNING, id="warning", classes="note", markup=False)
            with Vertical(id="working"):
                yield ProgressBar(show_eta=False)
            yield Static(id="hint", classes="note", markup=False)

    def on_mount(self) -> None:
        self.query_one("#what", Picker).focus()
        self._show_hint()

    def on_unmount(self) -> None:
        if self._job:
            self._job.cancel()

    @property
    def form(self) -> Form:
        return FORMS[self.query_one("#form", Picker).chosen]

    # Asking

    def on_picker_changed(self, event: Picker.Changed) -> None:
        form = self.form
        self.query_one("#what", Picker).disabled = form.write is None
        self.query_one("#warning", Static).update(_WARNING if form.write else _PICTURE)
        self._offer(form.suffix)
        self._complain("")

    def _offer(self, suffix: str) -> None:
        """Another form, another name: from the one that was asked for, without its number."""
        file = self.query_one(Input)
        path = Path(file.value)
        if path.suffix != suffix and path.suffix in {known.suffix for known in FORMS}:
            if path != self._offered:
                self._path = path
            self._offered = _free(self._path.with_suffix(suffix))
            file.value = str(self._offered)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._complain("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_export()

    def _complain(self, why: str) -> None:
        """Say what is wrong, in one line; nothing is, with an empty one."""
        self._asked = None
        self.set_class(bool(why), "problem")
        self.query_one("#problem", Static).update(Text(one_line(why)))

    def _show_hint(self) -> None:
        hint = (
            "escape stops" if self._job else "enter export   tab next   ↑ ↓ choose   escape leave"
        )
        self.query_one("#hint", Static).update(hint)

    # Doing it

    def action_export(self) -> None:
        if self._job:
            return
        name = self.query_one(Input).value.strip()
        if not name:
            self._complain("Name a file to export to.")
            return
        try:
            path = Path(name).expanduser()
            overwrite = path == self._asked
            check_target(path, self._table.recording, overwrite=True)
            there = path.exists()
        except KspyError as error:
            self._complain(str(error))
            return
        except RuntimeError:
            self._complain(f"{name}: there is no such user")
            return
        if there and not overwrite:
            self._complain(f"{path.name} exists already; enter again writes over it.")
            self._asked = path
            return
        self._begin(path, overwrite=overwrite)

    def _begin(self, path: Path, *, overwrite: bool) -> None:
        self._complain("")
        write = self.form.write
        if write is None:
            self._take_picture(path, overwrite=overwrite)
            return
        items = self._choices[self.query_one("#what", Picker).chosen].items
        self._job = cast("KspyApp", self.app).desk.run(
            write(self._table, items, path, overwrite=overwrite),
            on_done=self._done,
            on_progress=self._progress,
            on_error=self._failed,
        )
        self._set_working(True)

    def _set_working(self, working: bool) -> None:
        self.set_class(working, "working")
        for picker in self.query(Picker):
            picker.disabled = working or (picker.id == "what" and self.form.write is None)
        self.query_one(Input).disabled = working
        if working:
            self.query_one(ProgressBar).update(total=None, progress=0)
        self._show_hint()

    def _progress(self, progress: Progress) -> None:
        self.query_one(ProgressBar).update(total=progress.total or None, progress=progress.done)

    def _done(self, exported: Exported) -> None:
        self._job = None
        what = plural(exported.messages, "message")
        if exported.events:
            what += f" and {plural(exported.events, 'event')}"
        self._tell(what, Path(exported.path), exported.size)
        if exported.lost:
            lost = plural(exported.lost, "message")
            self.app.notify(
                f"{lost} could not be read, and are missing", severity="warning", markup=False
            )
        self.dismiss(Path(exported.path))

    def _tell(self, what: str, path: Path, count: int) -> None:
        self.app.notify(f"{what} to {path}, {size(count)}", timeout=8)

    def _failed(self, error: Exception) -> None:
        self._job = None
        self._set_working(False)
        known = isinstance(error, KspyError | OSError)
        self._complain(str(error) if known else f"{type(error).__name__}: {error}")
        self.query_one(Input).focus()

    def action_leave(self) -> None:
        """Stop the export; where there is none, leave."""
        if self._job is None:
            self.dismiss(None)
            return
        self._job.cancel()
        self._job = None
        self._set_working(False)
        self._complain("Stopped.")
        self.query_one(Input).focus()

    def _take_picture(self, path: Path, *, overwrite: bool) -> None:
        """Write the screen beneath, once it is alone on the terminal."""
        app = self.app

        def take() -> None:
            try:
                count = write_whole(app.export_screenshot(), path, overwrite=overwrite)
            except KspyError as error:
                app.notify(str(error), severity="error")
            else:
                self._tell("the screen", path, count)

        self.dismiss(path)
        app.call_later(app.call_after_refresh, take)


def _free(path: Path) -> Path:
    """`path`, or the first like it that does not exist: `session-2.kspy`."""
    found = path
    for number in range(2, _NAMES):
        try:
            if not found.exists():
                break
        except OSError:
            break
        found = path.with_stem(f"{path.stem}-{number}")
    return found
