"""What differs between two sessions, as lines for people: thread by thread, then a summary.

… 11 threads, the same
#12 execute_request  df.head()  differs
    ← iopub   execute_result      #15  content.data["text/plain"]
        - 42
        + 43
different: 1 of 12 threads (1 differs)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len

from kspy.analysis.alignment import first_difference
from kspy.analysis.conventions import ARROWS
from kspy.analysis.sameness.rules import COUNTS
from kspy.analysis.sameness.sessions import VERDICTS, Total
from kspy.analysis.sanitize import cut, one_line, pad
from kspy.analysis.units import duration, plural
from kspy.analysis.window import safe_pair
from kspy.export.compared.entry import (
    ComparedThread,
    DifferingMessage,
    DifferingValue,
    value_texts,
)
from kspy.export.lines import CHANNEL_WIDTH, TYPE_WIDTH
from kspy.export.style import PIPE_SUMMARY, Style

_MESSAGES: Final = 20
_VALUES: Final = 10
"""Messages of a thread and values of a message that are told."""
_INDENT: Final = "    "
_LONGEST_TYPE: Final = 100
_NARROWEST: Final = 20
_MANY: Final = {"differs": "differ"}
_COUNT: Final = "content.execution_count"


class ComparedLines:
    """Makes the lines. `everything`: threads that are the same have a line each, too."""

    def __init__(self, style: Style, *, everything: bool = False) -> None:
        self._style = style
        self._everything = everything
        self._folded = 0
        self._counts_alone = 0

    def thread(self, entry: ComparedThread) -> Iterator[str]:
        """The lines of a thread; threads that are the same wait for the next that is not."""
        if entry.verdict == "same" and not (self._everything or entry.pace.told):
            self._folded += 1
            return
        yield from self._fold()
        yield self._head(entry)
        self._counts_alone += _differs_in_counts_alone(entry)
        for message in entry.messages[:_MESSAGES]:
            yield from self._message(message)
        more = len(entry.messages) - _MESSAGES
        if more > 0:
            yield self._style.dim(f"{_INDENT}… {plural(more + entry.more, 'more message')}")

    def end(self, total: Total) -> Iterator[str]:
        """What comes after the last thread."""
        yield from self._fold()
        for note in total.notes:
            yield self._style.doubtful(self._style.fit(f"note: {note}", 0))
        if self._everything and total.left_out:
            said = ", ".join(f"{name} {count:,}" for name, count in total.left_out.items() if count)
            yield self._style.dim(f"messages left out, by rule: {said}" if said else "")
        if self._counts_alone:
            said = f"{plural(self._counts_alone, 'thread')} in execution counts alone"
            yield self._style.dim(f"of these, {said}: --ignore {COUNTS} leaves them out")
        yield summary_line(total)

    def _fold(self) -> Iterator[str]:
        if self._folded:
            yield self._style.dim(f"… {plural(self._folded, 'thread')}, the same")
        self._folded = 0

    def _head(self, entry: ComparedThread) -> str:
        style = self._style
        number = _numbers(entry)
        kind = one_line((entry.msg_type or (entry.event and "event"))[:_LONGEST_TYPE])
        verdict = _verdict(entry)
        used = cell_len(number) + cell_len(kind) + cell_len(verdict) + 5
        width = PIPE_SUMMARY if style.width is None else max(style.width - used, _NARROWEST)
        what = cut(entry.what, width)
        painted = style.dim(verdict) if entry.verdict == "same" else style.doubtful(verdict)
        start = f"{number} {kind}".rstrip()
        return f"{start}  {what}  {painted}" if what else f"{start}  {painted}"

    def _message(self, message: DifferingMessage) -> Iterator[str]:
        style = self._style
        route = f"{ARROWS[message.direction]} {message.channel:{CHANNEL_WIDTH}}"
        kind = pad(one_line(message.msg_type[:_LONGEST_TYPE]), TYPE_WIDTH)
        start = f"{_INDENT}{style.channel(route, message.channel)} {kind} {_places(message)}"
        used = len(_INDENT) + len(route) + TYPE_WIDTH + len(_places(message)) + 4
        if not message.differences:
            said: str = message.verdict
            if said == "not compared":
                said += ": too large, or damaged"
            what = style.fit(message.what, used + len(said) + 2)
            yield f"{start}  {style.doubtful(said)}  {what}".rstrip()
            return
        yield start
        for value in message.differences[:_VALUES]:
            yield from self._value(value)
        more = len(message.differences) - _VALUES
        if more > 0:
            yield style.dim(f"{_INDENT * 2}… {plural(more + message.more, 'more difference')}")

    def _value(self, value: DifferingValue) -> Iterator[str]:
        style = self._style
        if value.kind == "uncompared":
            where = one_line(value.path) or "the message"
            yield f"{_INDENT * 2}{style.doubtful(f'{where}: not compared, too much of it')}"
            return
        yield f"{_INDENT * 2}{style.fit(one_line(value.path), len(_INDENT) * 2)}"
        used = len(_INDENT) * 3 + 2
        width = PIPE_SUMMARY if style.width is None else max(style.width - used, _NARROWEST)
        old, new = _near(*value_texts(value.old, value.new), width)
        if value.kind != "added":
            yield f"{_INDENT * 3}- {cut(old, width)}"
        if value.kind != "removed":
            yield f"{_INDENT * 3}+ {cut(new, width)}"


def _differs_in_counts_alone(entry: ComparedThread) -> bool:
    paths = {value.path for message in entry.messages for value in message.differences}
    return paths == {_COUNT} and all(message.differences for message in entry.messages)


def summary_line(total: Total) -> str:
    """`the same: 12 threads`, or `different: 2 of 12 threads (1 differs, 1 only in b)`."""
    count = sum(total.counts.values())
    if total.same:
        return f"the same: {plural(count, 'thread')}"
    counted = ((name, total.counts.get(name, 0)) for name in VERDICTS[1:])
    said = [f"{n:,} {_MANY.get(name, name) if n > 1 else name}" for name, n in counted if n]
    word = "different" if set(_found(total)) - {"not compared"} else "not all compared"
    return f"{word}: {total.differing:,} of {plural(count, 'thread')} ({', '.join(said)})"


def _found(total: Total) -> Iterator[str]:
    return (name for name, count in total.counts.items() if count and name != "same")


def _numbers(entry: ComparedThread) -> str:
    if entry.old is None:
        return f"b #{entry.new}"
    return f"#{entry.old}" if entry.new in (None, entry.old) else f"#{entry.old} (b #{entry.new})"


def _places(message: DifferingMessage) -> str:
    old, new = (_span(side) for side in (message.old, message.new))
    if not old:
        return f"b {new}"
    return old if new in ("", old) else f"{old}, b {new}"


def _span(numbers: tuple[int, ...]) -> str:
    if not numbers:
        return ""
    return f"#{numbers[0]}" if len(numbers) == 1 else f"#{numbers[0]}…{numbers[-1]}"


def _verdict(entry: ComparedThread) -> str:
    words: list[str] = [entry.verdict]
    if entry.moved and entry.verdict != "order changed":
        words.append("order changed")
    pace = entry.pace
    if pace.told or entry.verdict in ("slower", "faster"):
        times = f"{duration(pace.new_ns or 0)}, was {duration(pace.old_ns or 0)}"
        said = f"{pace.factor:.1f}x {pace.direction}: {times}"
        words[:1] = [] if entry.verdict == pace.direction else words[:1]
        words.append(said)
    return ", ".join(words)


def _near(old: str, new: str, width: int) -> tuple[str, str]:
    """Both from a little before they differ, safe for a terminal."""
    at = first_difference(old, new)
    start = at - width // 3 if max(len(old), len(new)) > width and at > width // 2 else 0
    mark = "…" if start else ""
    old, new = safe_pair(old[start : start + 2 * width], new[start : start + 2 * width])
    return mark + old, mark + new
