"""Moving through the list: by lines and screens, to a number or a time, back and forward."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from kspy.tui.actions.acting import Acting

_SPAN: Final = re.compile(r"(-?)\+?(\d{1,12}(?:\.\d{1,12})?)(ns|us|µs|ms|s|min|h)", re.ASCII)
_SECONDS: Final = re.compile(r"[+-]?\d{1,12}\.\d{1,12}|[+-]\d{1,12}", re.ASCII)
"""A time as the list shows it: in seconds, without saying so."""
_DIGITS: Final = 18
"""Of the greatest number that a message can have."""
_OF_DAY: Final = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d(?:\.\d{1,9})?))?", re.ASCII)
_NS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "min": 60 * 10**9,
    "h": 3600 * 10**9,
}
_SHOWN_NS: Final = 10**6
"""The list shows times to this, rounded, those of the day cut: one that is read there is found."""
_KEPT: Final = 500


class Moving(Acting):
    """Remembers where one has been: a jump adds a place, a step does not."""

    visited: list[int]
    visiting: int

    def action_move(self, by: int) -> None:
        self.stream.move(by)

    def action_page(self, screens: float) -> None:
        self.stream.move(round(screens * self.stream.rows))

    def action_top(self) -> None:
        self.leave_behind()
        self.stream.go_to_line(0)

    def action_end(self) -> None:
        self.leave_behind()
        self.stream.go_to_line(len(self.viewing.lines) - 1)
        if self.viewing.state == "growing":
            self.stream.following = True

    def action_follow(self) -> None:
        if self.viewing.state != "growing" and not self.stream.following:
            self.say("the recording does not grow any more: nothing to follow")
            return
        self.stream.following = not self.stream.following

    # Back and forward

    def leave_behind(self) -> None:
        """Remember this line before jumping elsewhere."""
        item = self.stream.item
        if item is None:
            return
        del self.visited[self.visiting :]
        if not self.visited or self.visited[-1] != item:
            self.visited.append(item)
        del self.visited[:-_KEPT]
        self.visiting = len(self.visited)

    def action_back(self, step: int) -> None:
        if step < 0 and self.visiting == len(self.visited):
            self.leave_behind()
            self.visiting = len(self.visited) - 1
        place = self.visiting + step
        if not 0 <= place < len(self.visited):
            self.say("no place further back" if step < 0 else "no place further on")
            return
        self.visiting = place
        if not self.reveal(self.visited[place]):
            self.say("that message is not shown: the filter leaves it out")

    def jump_to(self, item: int, what: str) -> None:
        """Go to an item and remember where one was; say so where it is not shown."""
        here = self.stream.item
        self.leave_behind()
        if here == item:
            self.say(f"this is {what}")
        elif not self.reveal(item):
            self.say(f"{what} is not shown: the filter leaves it out (w: whole threads, esc: all)")

    # To a number or a time

    def action_go_to(self) -> None:
        self.prompt.ask("go to", "message number, or 3.5, 2min, 21:00:05", self._go_to)

    def _go_to(self, text: str) -> str:
        text = text.strip()
        if text.isdecimal():
            return self._go_to_number(text)
        time_ns = self._time(text)
        if time_ns is not None:
            self.go_to_time(time_ns)
        elif text:
            return "neither a message number nor a time (3.5, 2min, 21:00:05)"
        return ""

    def _go_to_number(self, text: str) -> str:
        place = self.viewing.table.place_of(int(text)) if len(text) <= _DIGITS else None
        if place is None:
            return "there is no message with that number"
        self.jump_to(place, f"message {int(text):,}")
        return ""

    def go_to_time(self, time_ns: int) -> None:
        """To the last line that is not later."""
        if len(self.viewing.lines):
            self.leave_behind()
            self.stream.go_to_line(self.stream.line_at(time_ns))

    def _time(self, text: str) -> int | None:
        """The time that `text` means, Unix epoch, ns: since the start, or of the day."""
        if not len(self.viewing.everything):
            return None
        start = self.viewing.table.start_ns
        text = text.replace(" ", "")
        span = _SPAN.fullmatch(f"{text}s" if _SECONDS.fullmatch(text) else text)
        if span:
            passed = round(float(span[2]) * _NS[span[3]])
            return start + (-passed if span[1] else passed) + _SHOWN_NS // 2 - 1
        of_day = _OF_DAY.fullmatch(text)
        if of_day is None:
            return None
        day = datetime.fromtimestamp(start // 10**9).astimezone()
        midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
        seconds = float(of_day[3] or 0)
        passed = (int(of_day[1]) * 3600 + int(of_day[2]) * 60) * 10**9 + round(seconds * 10**9)
        found = int(midnight.timestamp()) * 10**9 + passed + _SHOWN_NS - 1
        return found if found >= start - 10**9 else found + 24 * 3600 * 10**9
