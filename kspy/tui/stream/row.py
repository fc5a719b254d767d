"""One line of the list: what is known of a message, in columns and colours.

Text only in, segments out; what a message says was made safe for a terminal by its summary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.segment import Segment
from rich.style import Style

from kspy.analysis import units
from kspy.analysis.conventions import ARROWS, HARMLESS, NOISE
from kspy.analysis.density import is_failure
from kspy.analysis.filter import Pattern
from kspy.analysis.sanitize import cut, one_line, pad
from kspy.analysis.table import Table
from kspy.analysis.timing import Timing
from kspy.recording.outcome import ERROR
from kspy.tui.highlighting import highlighted
from kspy.tui.palette import Colours
from kspy.tui.settings import TimeForm
from kspy.tui.stream.layout import MARKS, MILESTONE, Layout
from kspy.tui.stream.summaries import Said

SLOW_NS: Final = 1_000_000_000
"""From this latency on, a reply is marked as slow."""

ERROR_MARK, DOUBT_MARK, SLOW_MARK, EVENT_MARK, GAP_MARK, BOOKMARK = "✗", "!", "◔", "·", "≈", "◆"
LEGEND: Final = {
    ERROR_MARK: "says that something failed",
    DOUBT_MARK: "doubtful: wrong signature, not decodable, damaged",
    SLOW_MARK: "a reply that took a second or more",
    EVENT_MARK: "an event: what happened that is no message",
    GAP_MARK: "a gap: messages are missing here",
    BOOKMARK: "a bookmark",
}
"""The marks at the beginning of a line, and what they mean."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a line is made of.

    elapsed_ns   for the answers of a thread: since its request; None for other lines
    before_ns    time of the line before, None for the first
    fold         "▸", "▾", or "" for what cannot be folded
    timing       of the thread, on the line of its request
    waited_ns    how long the thread has been waiting, where it is
    """

    item: int
    said: Said | None
    start_ns: int
    before_ns: int | None = None
    elapsed_ns: int | None = None
    fold: str = ""
    timing: Timing | None = None
    waited_ns: int = 0
    slow: bool = False
    bookmarked: bool = False


class RowPainter:
    """Paints lines for one layout, one set of colours, one form of time."""

    def __init__(self, table: Table, layout: Layout, colours: Colours, form: TimeForm) -> None:
        self._table = table
        self._layout = layout
        self._colours = colours
        self._form = form

    def paint(self, line: Line, matches: Pattern | None = None) -> list[Segment]:
        """The segments of a line, not padded to the width. `matches` are highlighted."""
        segments = self._event(line) if line.item < 0 else self._message(line)
        return list(highlighted(segments, matches, self._colours.match)) if matches else segments

    def _message(self, line: Line) -> list[Segment]:
        table, layout, colours, place = self._table, self._layout, self._colours, line.item
        channel = table.channel(place)
        msg_type = table.msg_type(place)
        failed = table.outcome(place) == ERROR
        noise = msg_type in NOISE or channel == "hb"
        text = colours.error if failed else colours.dim if noise else colours.text
        route = f"{ARROWS[table.direction(place)]} {channel if layout.channel else ''}"
        segments = [
            *self._marks(line, failed),
            Segment(self._time(line, table.time_ns(place)) + " ", colours.dim),
            Segment(pad(route, 2 + layout.channel) + " ", colours.channel(channel)),
            Segment(
                pad(one_line(msg_type[:100]), layout.type) + " ",
                text if failed or noise else colours.text,
            ),
        ]
        if layout.client:
            client = table.client(place)
            label = f"{client}" if client else ""
            segments.append(Segment(f"{label:>{layout.client}} ", colours.dim))
        if layout.size:
            size = units.short_size(table.size(place))
            segments.append(Segment(f"{size:>{layout.size}} ", colours.dim))
        segments += self._summary(line, text)
        return segments

    def _summary(self, line: Line, style: Style) -> Iterator[Segment]:
        layout, colours = self._layout, self._colours
        said = line.said
        fared = self._fared(line) if layout.right else []
        summary = layout.summary + layout.right - sum(len(text) for text, *_ in fared)
        if said is None:
            yield Segment(pad("…", summary), colours.dim)
        else:
            doubts = "".join(f"[{flag}] " for flag in said.flags if flag not in HARMLESS)
            facts = "".join(f"[{flag}] " for flag in said.flags if flag in HARMLESS)
            room = summary
            for text, look in ((doubts, colours.doubtful), (facts, colours.dim)):
                shown = cut(text, room)
                room -= len(shown)
                yield Segment(shown, look)
            yield Segment(pad(said.summary, max(room, 0)), style)
        yield from fared

    def _fared(self, line: Line) -> list[Segment]:
        """How the request of a thread fared, and how long each step took; nothing for others."""
        layout, colours, timing = self._layout, self._colours, line.timing
        if timing is None or timing.state is None:
            return []
        looks = {"error": colours.error, "waiting": colours.doubtful, "aborted": colours.doubtful}
        look = looks.get(timing.state, colours.dim)
        waits = timing.state == "waiting"
        took = _so_far(line.waited_ns) if waits else _took(timing.total_ns)
        if layout.verdict:
            return [Segment(f" {f'{timing.state} {took}':>{layout.verdict}}", look)]
        state = Segment(f" {timing.state:{layout.state}}", look)
        if waits:
            return [state, Segment(f"{took:>{layout.milestones * (MILESTONE + 1)}}", look)]
        steps = (timing.iopub_ns, timing.reply_ns, timing.idle_ns)
        return [state, *(Segment(f" {_took(step):>{MILESTONE}}", colours.dim) for step in steps)]

    def _event(self, line: Line) -> list[Segment]:
        colours = self._colours
        event = self._table.event(-1 - line.item)
        gap = event.name == "gap"
        failed = is_failure(event) and not gap
        look = colours.error if failed else colours.doubtful if gap else colours.dim
        said = line.said.summary if line.said else event.name
        room = self._layout.width - self._layout.marks - self._layout.time - 1
        return [
            *self._marks(line, failed, event=GAP_MARK if gap else EVENT_MARK),
            Segment(self._time(line, event.time_ns) + " ", colours.dim),
            Segment(cut(said, room), look),
        ]

    def _marks(self, line: Line, failed: bool, event: str = "") -> Iterator[Segment]:
        """The sign for folding, where lines can be folded; what is wrong; the bookmark."""
        colours = self._colours
        doubtful = line.said is not None and not HARMLESS.issuperset(line.said.flags)
        mark, look = "", colours.dim
        if failed:
            mark, look = ERROR_MARK, colours.error
        elif doubtful:
            mark, look = DOUBT_MARK, colours.doubtful
        elif line.slow:
            mark, look = SLOW_MARK, colours.doubtful
        elif event:
            mark, look = event, colours.doubtful if event == GAP_MARK else colours.dim
        if self._layout.marks > MARKS:
            yield Segment(f"{line.fold:1}", colours.dim)
        yield Segment(f"{mark:1}", look)
        yield Segment(f"{BOOKMARK if line.bookmarked else '':1}", colours.accent)

    def _time(self, line: Line, time_ns: int) -> str:
        width = self._layout.time
        if line.elapsed_ns is not None:
            return f"{line.elapsed_ns / 1e6:+{width}.1f}"
        if self._form == "absolute":
            seconds, rest = divmod(time_ns, 1_000_000_000)
            when = datetime.fromtimestamp(seconds).astimezone()
            return f"{when:%H:%M:%S}.{rest // 1_000_000:03}"
        since = line.start_ns if self._form == "start" else line.before_ns
        passed = 0.0 if since is None else (time_ns - since) / 1e9
        sign = "" if self._form == "start" else "+"
        return f"{passed:{sign}{width}.{3 if self._form == 'start' else 4}f}"


def _so_far(nanoseconds: int) -> str:
    """How long something lasts that has not ended: `3.2 s…`, `1:02`, `1:02:03`."""
    seconds = nanoseconds // 1_000_000_000
    if seconds < 60:
        return f"{units.duration(nanoseconds)}…"
    hours, minutes = seconds // 3600, seconds // 60 % 60
    ahead = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{ahead}:{seconds % 60:02}"


def _took(nanoseconds: int | None) -> str:
    return "" if nanoseconds is None else units.duration(nanoseconds)


def heading(layout: Layout, form: TimeForm) -> str:
    """The names of the columns, each where its column is."""
    time = {"absolute": "time", "start": "elapsed", "before": "interval"}[form]
    parts = [" " * layout.marks, f"{cut(time, layout.time):>{layout.time}} "]
    parts += [pad("  channel"[: 2 + layout.channel], 2 + layout.channel) + " "]
    parts += [pad("type", layout.type) + " "]
    parts += [f"{'cl':>{layout.client}} "] if layout.client else []
    parts += [f"{'size':>{layout.size}} "] if layout.size else []
    parts += [pad("says", layout.summary)]
    if layout.verdict:
        parts += [f" {'took':>{layout.verdict}}"]
    elif layout.state:
        names = ("iopub", "reply", "idle")
        parts += [f" {'state':{layout.state}}", *(f" {name:>{MILESTONE}}" for name in names)]
    return "".join(parts)
