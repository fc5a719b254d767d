"""The dialog that copies: a value, its path, or the whole message in some form."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from kspy.analysis.sanitize import one_line
from kspy.analysis.units import size
from kspy.errors import KspyError
from kspy.export.copies import as_code, as_dict, as_hex, as_json, as_path, as_value
from kspy.export.target import whole_file
from kspy.tui.picker import Picker
from kspy.wire.message import DECODE_LIMIT, Message

Selected = tuple[Sequence[Any], Any]

LARGE: Final = 1_000_000
"""Bytes from which on many terminals do not take what is copied."""
_PREVIEWED: Final = 2_000_000
"""Bytes of a message that is written in all forms before somebody asks for one."""
_PATH: Final = 60
_NAMES: Final = 1000


@dataclass(frozen=True, slots=True)
class Copy:
    """Something to copy. `label` begins with the letter that is its key."""

    label: str
    what: str
    suffix: str
    make: Callable[[], str]
    note: str = ""


class Choices(Picker):
    """A picker that is told later what there is to say about its options."""

    def tell(self, number: int, label: str, said: str) -> None:
        self._options[number] = one_line(f"{label}  {said}")
        self.refresh()


class CopyMenu(ModalScreen[None]):
    """Asks what, copies it, says so. Nothing is copied before enter or a letter is pressed."""

    DEFAULT_CSS = """
    CopyMenu { align: center middle; }
    CopyMenu #dialog {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        background: $panel; padding: 1 2; scrollbar-size-vertical: 1;
    }
    CopyMenu Label { color: $foreground; text-style: bold; margin-bottom: 1; }
    CopyMenu .note { color: $dimmed; height: auto; margin-top: 1; }
    CopyMenu #problem { color: $doubtful; display: none; }
    CopyMenu.problem #problem { display: block; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "copy", "Copy"),
        Binding("w", "write", "Write to a file"),
        Binding("escape,q", "leave", "Leave"),
        *(Binding(letter, f"letter('{letter}')", show=False) for letter in "vpmdch"),
    ]

    def __init__(
        self, message: Message, request: Message | None, selected: Selected | None
    ) -> None:
        """`request` is that of the message's thread, `selected` a path and its value."""
        super().__init__()
        self._title = f"Copy from message {message.seq:,}"
        self._message = message
        self._copies: list[Copy] = []
        self._asked: Copy | None = None
        self._busy = False
        self._made: dict[str, str] = {}
        if message.size <= DECODE_LIMIT:
            self._copies = _copies(message, request, selected)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog", can_focus=False):
            yield Label(self._title, markup=False)
            if self._copies:
                yield Choices([f"{copy.label}  {copy.note}" for copy in self._copies], id="what")
            else:
                why = f"{size(self._message.size)} are too many to be copied: export it with x."
                yield Static(why, markup=False)
            yield Static(id="problem", classes="note", markup=False)
            hint = "enter or a first letter copy   w to a file   escape leave"
            yield Static(hint if self._copies else "escape leave", classes="note", markup=False)

    def on_mount(self) -> None:
        if self._copies:
            self.query_one(Choices).focus()
            if self._message.size <= _PREVIEWED:
                self.run_worker(self._preview())

    @property
    def _chosen(self) -> Copy | None:
        return self._copies[self.query_one(Choices).chosen] if self._copies else None

    async def _preview(self) -> None:
        """Say of each how large it is, or why there is none."""
        for number, copy in enumerate(self._copies):
            try:
                said = size(_bytes(await self._text(copy)))
            except KspyError:
                said = "not possible"  # and why is said when somebody asks for it
            if not self.is_mounted:
                return
            parts = filter(None, (said, copy.note))
            self.query_one(Choices).tell(number, copy.label, " · ".join(parts))

    async def _text(self, copy: Copy) -> str:
        """The text of a choice; made on another thread, as it may take seconds."""
        made = self._made.get(copy.label)
        if made is None:
            made = await asyncio.to_thread(copy.make)
            self._made[copy.label] = made
        return made

    # Keys

    def on_picker_changed(self) -> None:
        self._complain("")

    def action_letter(self, letter: str) -> None:
        for number, copy in enumerate(self._copies):
            if copy.label.startswith(letter):
                self.query_one(Choices).chosen = number
                self.action_copy()

    def action_copy(self) -> None:
        if self._chosen:
            self._begin(self._chosen, to_file=False)

    def action_write(self) -> None:
        if self._chosen:
            self._begin(self._chosen, to_file=True)

    def action_leave(self) -> None:
        self.dismiss(None)

    def _begin(self, copy: Copy, *, to_file: bool) -> None:
        if not self._busy:
            self._busy = True
            self.run_worker(self._take(copy, to_file))

    async def _take(self, copy: Copy, to_file: bool) -> None:
        try:
            if copy.label not in self._made and self._message.size > LARGE:
                self._complain("writing it…")
            text = await self._text(copy)
            count = _bytes(text)
            if to_file:
                path = await asyncio.to_thread(_write, f"message-{self._message.seq}", copy, text)
                self._done(f"{copy.what} to {path}, {size(count)}")
            elif count > LARGE and self._asked is not copy:
                self._complain(
                    f"{size(count)}: many terminals refuse so much, without a word. "
                    "w writes it to a file here; enter again copies it."
                )
                self._asked = copy
            else:
                self.app.copy_to_clipboard(text)
                self._done(f"copied: {copy.what}, {size(count)}")
        except KspyError as error:
            self._complain(str(error))
        finally:
            self._busy = False

    def _done(self, said: str) -> None:
        self.app.notify(said)
        if self.is_mounted:
            self.dismiss(None)

    def _complain(self, why: str) -> None:
        """Say something in a line of its own; nothing, where it is empty."""
        self._asked = None
        self.set_class(bool(why), "problem")
        self.query_one("#problem", Static).update(one_line(why))


def _copies(message: Message, request: Message | None, selected: Selected | None) -> list[Copy]:
    copies: list[Copy] = []
    if selected is not None:
        path, value = as_path(selected[0]), selected[1]
        shown = path if len(path) <= _PATH else f"…{path[-_PATH:]}"
        copies += [
            Copy("value", shown, ".txt", lambda: as_value(value), shown),
            Copy("path", "path", ".txt", lambda: path, shown),
        ]
    copies += [
        Copy("message as JSON", "message as JSON", ".json", lambda: as_json(message)),
        Copy("dict for Python", "message as a Python dict", ".py", lambda: as_dict(message)),
        _code(message, request),
        Copy("hex of its frames", "frames as hex", ".txt", lambda: as_hex(message.frames)),
    ]
    return copies


def _code(message: Message, request: Message | None) -> Copy:
    """Code that sends the message; of one that a kernel has sent, what it answers."""
    label, source = "code that sends it again", message
    if message.direction == "to_client" and request is not None:
        label, source = "code that sends its request", request

    def make() -> str:
        if source.size > DECODE_LIMIT:
            raise KspyError(f"{size(source.size)} are too many")
        return as_code(source)

    return Copy(label, label, ".py", make)


def _bytes(text: str) -> int:
    return len(text.encode())


def _write(name: str, copy: Copy, text: str) -> Path:
    """Write to a file that is not there yet, in the current folder."""
    path = Path(f"{name}{copy.suffix}")
    for number in range(2, _NAMES):
        if not path.exists():
            break
        path = Path(f"{name}-{number}{copy.suffix}")
    with whole_file(path) as target:
        target.write_text(text, encoding="utf-8", newline="")
    return path
