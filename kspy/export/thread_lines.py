"""A recording as threads: each request, how it fared, and beneath it what answered it.

Threads stand in the order of their requests. What is in no thread, heartbeats and events, stands
between them where it happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kspy.analysis.event_summary import merge_connections
from kspy.analysis.timing import Timing, measure
from kspy.analysis.units import duration
from kspy.export.lines import TIME_WIDTH, Lines
from kspy.export.style import Style
from kspy.recording.event import Event
from kspy.recording.reader import Recording
from kspy.recording.threads import Thread

INDENT: Final = 2
STATE_WIDTH: Final = 8
DURATION_WIDTH: Final = 7  # up to a minute; rarer ones push the summary aside
NOTE_WIDTH: Final = STATE_WIDTH + DURATION_WIDTH + 2


def thread_lines(recording: Recording, style: Style) -> Iterator[str]:
    """The lines of all threads. The first comes when all messages are known."""
    roots = ((thread.request.seq, thread) for thread in recording.threads())
    lines = Lines(style, several_clients=len(set(recording.columns.clients) - {0}) > 1)
    end_ns = end_of(recording)
    root = next(roots, None)
    for story in merge_connections(recording.stories()):
        if isinstance(story, Event):
            yield lines.event(story)
            continue
        # Not "==": where the file is damaged, a request may be known that is no story any more.
        while root is not None and root[0] <= story.seq:
            yield from one_thread(root[1], lines, end_ns)
            root = next(roots, None)
        if story.channel == "hb":
            yield lines.message(story, note=" " * NOTE_WIDTH)


def end_of(recording: Recording) -> int:
    """When the last thing happened: until then, what waits has waited."""
    columns = recording.columns
    last_event = columns.events[-1].time_ns if columns.events else 0
    return max(columns.times[-1] if columns.times else 0, last_event)


def one_thread(thread: Thread, lines: Lines, end_ns: int) -> Iterator[str]:
    """The lines of a thread in a recording that ends at `end_ns`."""
    request = thread.request
    note = _note(measure(thread), end_ns - request.time_ns)
    yield lines.message(request, note=note)
    for message in thread.messages[1:]:
        elapsed = (message.time_ns - request.time_ns) / 1e6
        yield lines.message(message, time=f"{elapsed:+{TIME_WIDTH + INDENT}.1f}")


def _note(timing: Timing, until_end_ns: int) -> str:
    """`ok   6.2 ms`, `waiting   3.0 s`: until the last answer, or the end of the recording."""
    if timing.state is None:
        return " " * NOTE_WIDTH
    took = until_end_ns if timing.state == "waiting" else timing.total_ns
    return f"{timing.state:{STATE_WIDTH}}{duration(took or 0):>{DURATION_WIDTH}}  "
