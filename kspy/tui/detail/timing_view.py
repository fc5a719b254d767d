"""The thread of the selected message as a waterfall: what came when after the request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message as Note
from textual.widgets import Static

from kspy.analysis import units
from kspy.analysis.conventions import ARROWS
from kspy.analysis.sanitize import one_line, pad
from kspy.analysis.waterfall import Mark, Waterfall
from kspy.tui.palette import Colours

_LABEL = 24
_TIME = 11
_LEAST_BAR = 8


class TimingView(VerticalScroll):
    """Shows a `Waterfall`, with the selected message marked."""

    DEFAULT_CSS = "TimingView { padding: 0 1; scrollbar-size-vertical: 1; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
    ]

    class Wanted(Note):
        """A message of the thread was clicked: go there."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self) -> None:
        super().__init__(id="timing")
        self._shown: tuple[Waterfall | None, int | None] = (None, None)
        self._text = Static()
        self._label = _LABEL

    def compose(self) -> Iterator[Static]:
        yield self._text

    def show(self, times: Waterfall | None, place: int | None) -> None:
        self._shown = times, place
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        times, place = self._shown
        if times is None:
            event = "An event has no thread: it answers nothing."
            self._text.update(Text(event if place is None else "It is in no thread.", "dim"))
            return
        colours = Colours.of(self.app)
        lines = [self._verdict(times, colours), Text()]
        length = max(times.length_ns, 1)
        self._label = min(max(len(mark.label) for mark in times.marks), _LABEL)
        bar = max(self.scrollable_content_region.width - _TIME - self._label - 6, _LEAST_BAR)
        before = 0
        for number, mark in enumerate(times.marks):
            if times.skipped and number == times.skipped_after:
                lines.append(Text(f"{'⋮':>{_TIME}}  {times.skipped:,} more messages", colours.dim))
            at = mark.offset_ns * (bar - 1) // length
            at = min(max(at, 0), bar - 1)
            lines.append(self._line(mark, before, at, mark.place == place, colours))
            before = at
        if times.timing.state == "waiting":
            text = f"{'':{_TIME + 2}}…still waiting after {units.duration(times.waited_ns)}"
            lines.append(Text(text, colours.doubtful))
        self._text.update(Text("\n").join(lines))

    def _verdict(self, times: Waterfall, colours: Colours) -> Text:
        timing = times.timing
        if timing.state is None:
            return Text("needs no answer", colours.dim)
        looks = {"error": colours.error, "ok": colours.text}
        text = Text(timing.state, looks.get(timing.state, colours.doubtful))
        steps = (
            ("first iopub", timing.iopub_ns),
            ("reply", timing.reply_ns),
            ("idle", timing.idle_ns),
        )
        for name, step in steps:
            if step is not None:
                text.append(f"   {name} ", colours.dim)
                text.append(units.duration(step), colours.text)
        return text

    def _line(self, mark: Mark, before: int, at: int, selected: bool, colours: Colours) -> Text:
        line = Text("▸ " if selected else "  ", colours.accent, no_wrap=True)
        line.append(f"{mark.offset_ns / 1e6:+{_TIME - 2}.1f} ", colours.dim)
        line.append(f"{ARROWS[mark.direction]} ", colours.channel(mark.channel))
        look = colours.error if mark.failed else colours.text
        line.append(pad(one_line(mark.label[:100]), self._label) + " ", look)
        low, high = min(before, at), max(before, at)
        line.append(" " * low)
        line.append("─" * (high - low), colours.dim)
        line.append(
            "╸" if at else "┃", colours.error if mark.failed else colours.channel(mark.channel)
        )
        return line

    def on_click(self, event: object) -> None:
        times = self._shown[0]
        offset = getattr(event, "y", 0) + self.scroll_offset.y - 2
        if times is None:
            return
        if times.skipped and offset > times.skipped_after:
            offset -= 1
        if 0 <= offset < len(times.marks):
            self.post_message(self.Wanted(times.marks[offset].place))
