"""Bytes as hex and text: the frames of a message, or its buffers. Draws visible lines only."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kspy.analysis import units
from kspy.analysis.progress import Progress
from kspy.analysis.sanitize import cut
from kspy.errors import KspyError
from kspy.tui.desk import Job
from kspy.tui.palette import Colours
from kspy.wire.message import Message
from kspy.wire.websocket import ENCODING_NAMES

if TYPE_CHECKING:
    from kspy.tui.app import KspyApp

SHOWN: Final = 1 << 16
"""Bytes of a frame that are shown."""
_SOON: Final = 1 << 20
"""Bytes of a message whose frames are read while the screen waits."""


@dataclass(frozen=True, slots=True)
class Section:
    """A frame or a buffer: its number in the message, what it is, its size, a verdict on it."""

    number: int
    role: str
    size: int
    verdict: str = ""
    doubtful: bool = False
    is_buffer: bool = False

    @property
    def title(self) -> str:
        parts = [self.role, units.size(self.size), self.verdict]
        if self.size > SHOWN:
            parts.append(f"the first {units.size(SHOWN)} are shown")
        return " · ".join(part for part in parts if part)

    def head(self, message: Message) -> bytes:
        """Its first bytes, as many as are shown."""
        load = message.buffer_head if self.is_buffer else message.frame_head
        return load(self.number, SHOWN)


class HexView(ScrollView, can_focus=True):
    """Shows some frames of a message, beneath each other. `nothing`: what is said for none."""

    DEFAULT_CSS = """
    HexView { scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
        Binding("ctrl+d", "page_down", show=False),
        Binding("ctrl+u", "page_up", show=False),
    ]

    def __init__(self, nothing: str, *, id: str) -> None:  # noqa: A002 (Textual's own name)
        super().__init__(id=id)
        self._nothing = nothing
        self._message: Message | None = None
        self._sections: Sequence[Section] = ()
        self._loaded: dict[int, bytes] = {}
        self._firsts: list[int] = [0]
        self._per_line = 16
        self._job: Job | None = None

    def show(self, message: Message | None, sections: Sequence[Section]) -> None:
        if self._job:
            self._job.cancel()
            self._job = None
        self._message, self._sections, self._loaded = message, sections, {}
        if message is not None and message.size <= _SOON:
            for _ in self._load(message, self._loaded):
                pass
        elif message is not None:
            desk = cast("KspyApp", self.app).desk
            self._job = desk.run(self._load(message, self._loaded), self._more, self._more)
        self.scroll_to(y=0, animate=False, force=True)
        self._lay_out()

    def _load(self, message: Message, loaded: dict[int, bytes]) -> Generator[Progress, None, None]:
        for number, section in enumerate(self._sections):
            try:
                loaded[number] = section.head(message)
            except KspyError:
                loaded[number] = b""
            yield Progress(number + 1, len(self._sections))

    def _more(self, _: object) -> None:
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        self._per_line = 16 if width >= 77 else 8 if width >= 45 else 4
        lines = (2 + -(-min(section.size, SHOWN) // self._per_line) for section in self._sections)
        self._firsts = list(accumulate(lines, initial=0))
        self.virtual_size = Size(0, max(self._firsts[-1], 1))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        colours = Colours.of(self.app)
        back = colours.background
        line = y + self.scroll_offset.y
        if not self._sections:
            text = self._nothing if y == 0 else ""
            return Strip([Segment(cut(f" {text}", width), colours.dim + back)]).adjust_cell_length(
                width, back
            )
        number = bisect_right(self._firsts, line) - 1
        if number >= len(self._sections):
            return Strip.blank(width, back)
        segments = self._segments(number, line - self._firsts[number], width, colours)
        return Strip(
            [Segment(text, (style or Style()) + back) for text, style, _ in segments]
        ).adjust_cell_length(width, back)

    def _segments(self, number: int, line: int, width: int, colours: Colours) -> list[Segment]:
        section = self._sections[number]
        if line == 0:
            look = colours.doubtful if section.doubtful else colours.accent
            return [Segment(cut(f" {section.title}", width), look)]
        data = self._loaded.get(number)
        start = (line - 1) * self._per_line
        if data is None:
            return [Segment(" loading…" if line == 1 else "", colours.dim)]
        piece = data[start : start + self._per_line]
        if not piece:
            lost = line == 1 and section.size and not data
            return (
                [Segment(" these bytes cannot be read any more", colours.doubtful)] if lost else []
            )
        digits = " ".join(f"{byte:02x}" for byte in piece)
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in piece)
        return [
            Segment(f" {start:06x}  ", colours.dim),
            Segment(f"{digits:{3 * self._per_line}} ", colours.text),
            Segment(text, colours.dim),
        ]


ROLES: Final = ("delimiter", "signature", "header", "parent_header", "metadata", "content")


def frame_sections(message: Message) -> list[Section]:
    """All frames of a message, each with what it is; and the verdict on its signature."""
    sizes, parts = message.frame_sizes, message.parts
    if message.encoding != "zmq":
        said = ENCODING_NAMES[message.encoding]
        return [Section(n, said, size, "signature: none") for n, size in enumerate(sizes)]
    if parts is None:
        return [Section(n, f"frame {n}", size) for n, size in enumerate(sizes)]
    before = len(parts.identities)
    sections = []
    for number, size in enumerate(sizes):
        at = number - before
        if at < 0:
            role = "topic" if message.channel == "iopub" else "identity"
        else:
            role = ROLES[at] if at < len(ROLES) else f"buffer {at - len(ROLES)}"
        verdict, doubtful = _verdict(message, size) if role == "signature" else ("", False)
        sections.append(Section(number, role, size, verdict, doubtful))
    return sections


def buffer_sections(message: Message) -> list[Section]:
    """The buffers of a message."""
    sizes = enumerate(message.buffer_sizes)
    return [Section(n, f"buffer {n}", size, is_buffer=True) for n, size in sizes]


def _verdict(message: Message, size: int) -> tuple[str, bool]:
    if "bad_signature" in message.flags:
        return "WRONG: not made with this connection's key", True
    if not size:
        return "not signed", False
    return "right, as the tap checked it", False
