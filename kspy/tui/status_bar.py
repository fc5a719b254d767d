"""The top line: which recording, which kernel, how it is, how much there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.text import Text
from textual.widget import Widget

from kspy.analysis import units
from kspy.analysis.sanitize import cut, one_line
from kspy.recording.reader import State
from kspy.tui.palette import Colours

STATES: Final[dict[str, str]] = {
    "growing": "recording",
    "whole": "finished",
    "cut": "cut short",
    "damaged": "damaged",
}
_DOUBTFUL: Final = frozenset(("cut", "damaged"))


@dataclass(frozen=True, slots=True)
class Status:
    """What the line says. Parts go from the end where the screen is narrow.

    kernel      what is known of it, what matters most first
    extract_of  the messages of which these were chosen, 0 where the recording is no extract
    imported    whence it was imported, "" where it was recorded by a tap
    rate        messages a second, None where nothing grows
    undrawn     messages that went by between two screens without being drawn
    reading     percent of the file read, None when all of it is
    notice      what is wrong with the file at the moment, "" for nothing
    """

    name: str
    kernel: tuple[str, ...]
    kernel_state: str
    messages: int
    state: State
    length_ns: int
    file_bytes: int
    extract_of: int = 0
    imported: str = ""
    rate: float | None = None
    undrawn: int = 0
    reading: int | None = None
    following: bool = False
    notice: str = ""


class StatusBar(Widget):
    """One line; shows the `Status` that it was given last."""

    DEFAULT_CSS = "StatusBar { height: 1; background: $panel; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__(id="status")
        self._status: Status | None = None

    def show(self, status: Status) -> None:
        if status != self._status:
            self._status = status
            self.refresh()

    def render(self) -> Text:
        status, width = self._status, self.size.width
        if status is None:
            return Text("")
        colours = Colours.of(self.app)
        right = [part for part in self._right(status, colours) if part.plain]
        left = Text(cut(one_line(status.name), 40), style="bold")
        while right and left.cell_len + sum(part.cell_len + 3 for part in right) > width:
            right.pop()
        room = width - left.cell_len - sum(part.cell_len + 3 for part in right) - 3
        left.append("   " + _fitting(status.kernel, room), colours.dim)
        line = Text("   ").join(right)
        left.append(" " * max(width - left.cell_len - line.cell_len, 1))
        left.append_text(line)
        left.no_wrap = True
        return left

    def _right(self, status: Status, colours: Colours) -> list[Text]:
        """The parts at the right, what matters most first."""
        state = STATES[status.state]
        look = colours.doubtful if status.state in _DOUBTFUL else colours.text
        if status.notice:
            state, look = status.notice, colours.doubtful
        dot = {"busy": colours.doubtful, "dead": colours.error}.get(
            status.kernel_state, colours.text
        )
        parts = [
            Text(f"● {status.kernel_state}", dot) if status.kernel_state else Text(""),
            Text(f"{units.plural(status.messages, 'message')}", colours.text),
            Text(state, look),
        ]
        if status.extract_of:
            parts.append(Text(f"extract of {status.extract_of:,}", colours.text))
        if status.imported:
            parts.append(Text(f"imported from {status.imported}", colours.text))
        if status.reading is not None:
            parts.append(Text(f"reading {status.reading} %", colours.doubtful))
        if status.rate is not None:
            parts.append(Text(f"{status.rate:,.0f}/s", colours.text))
            parts.append(Text("following" if status.following else "not following", colours.accent))
        if status.undrawn:
            parts.append(Text(f"{status.undrawn:,} not drawn", colours.doubtful))
        parts.append(Text(_length(status.length_ns), colours.dim))
        parts.append(Text(units.size(status.file_bytes), colours.dim))
        return parts


def _fitting(parts: tuple[str, ...], room: int) -> str:
    """As many of the parts as there is room for, none of them cut."""
    shown = ""
    for part in parts:
        longer = f"{shown} · {part}" if shown else part
        if cell_len(longer) > room:
            break
        shown = longer
    return shown


def _length(nanoseconds: int) -> str:
    """`3.4 s`; from a minute on `00:01:12`."""
    seconds = max(nanoseconds, 0) // 1_000_000_000
    if seconds < 60:
        return units.duration(max(nanoseconds, 0))
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
