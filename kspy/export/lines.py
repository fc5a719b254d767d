"""A message or an event as one line of text, in columns that keep their place.

time since start  direction  channel  client  type  summary
"""

from __future__ import annotations

from typing import Final

from kspy.analysis.conventions import ARROWS, HARMLESS, NOISE
from kspy.analysis.event_summary import summarize_event
from kspy.analysis.sanitize import one_line, pad
from kspy.analysis.summary import summarize
from kspy.analysis.timing import is_error
from kspy.export.style import Style
from kspy.recording.event import Event
from kspy.wire.message import Message

EVENT_MARK: Final = "·"
TIME_WIDTH: Final = 10
CHANNEL_WIDTH: Final = 7
TYPE_WIDTH: Final = 19  # kernel_info_request, update_display_data
CLIENT_WIDTH: Final = 3


class Lines:
    """Makes the lines of one recording.

    several_clients   is it known that there are several? Where it is not, the client's number
                      appears as soon as a second client does
    start_ns          since when times count; None: since the first line
    """

    def __init__(
        self, style: Style, *, several_clients: bool = False, start_ns: int | None = None
    ) -> None:
        self._style = style
        self._several = several_clients
        self._first_client: int | None = None
        self._start_ns = start_ns

    def since_start(self, time_ns: int) -> str:
        """Seconds since the first line, with the decimal points below each other."""
        if self._start_ns is None:
            self._start_ns = time_ns
        return f"{(time_ns - self._start_ns) / 1e9:{TIME_WIDTH}.3f}"

    def message(self, message: Message, time: str | None = None, note: str = "") -> str:
        """The line of `message`. `time` replaces the time since start, `note` precedes the
        summary; both come in their final width, `note` may be coloured by `noted`."""
        style = self._style
        time = self.since_start(message.time_ns) if time is None else time
        route = f"{ARROWS[message.direction]} {message.channel:{CHANNEL_WIDTH}}"
        client = f"{self._client(message):{CLIENT_WIDTH}}"
        msg_type, flags = message.msg_type, message.flags
        kind = pad(one_line(msg_type[:100]), TYPE_WIDTH)
        marks = "".join(f"[{flag}] " for flag in flags)
        used = sum(map(len, (time, route, client, marks, note))) + TYPE_WIDTH + 3
        summary = style.fit(summarize(message), used)
        if is_error(message):
            summary = style.error(summary)
        elif msg_type in NOISE or message.channel == "hb":
            kind, summary = style.dim(kind), style.dim(summary)
        marks = style.dim(marks) if HARMLESS.issuperset(flags) else style.doubtful(marks)
        return (
            f"{style.dim(time)} {style.channel(route, message.channel)}{client} {kind} "
            f"{self.noted(note)}{marks}{summary}"
        ).rstrip()

    def noted(self, note: str) -> str:
        """Colour a note by the state that it begins with."""
        if note.startswith("error"):
            return self._style.error(note)
        return self._style.doubtful(note) if note.startswith("waiting") else self._style.dim(note)

    def event(self, event: Event) -> str:
        time = self.since_start(event.time_ns)
        line = f"{time} {EVENT_MARK} {self._style.fit(summarize_event(event), TIME_WIDTH + 3)}"
        return self._style.doubtful(line) if event.name == "gap" else self._style.dim(line)

    def _client(self, message: Message) -> str:
        client = message.client
        if client is None:
            return ""
        if self._first_client is None:
            self._first_client = client
        self._several = self._several or client != self._first_client
        return f"{client}" if self._several else ""
