"""The fields of the filter language, each declared once.

What is said of a field here is all there is: the parser, the completion, the help page and
docs/filter.md are made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from kspy.analysis.filter import makers
from kspy.analysis.filter.condition import Condition
from kspy.analysis.filter.makers import Asked
from kspy.analysis.thread_table import STATES
from kspy.recording.event import EVENTS
from kspy.wire.frames import CHANNELS, DIRECTIONS

if TYPE_CHECKING:
    from kspy.analysis.table import Table

Kind = Literal["name", "id", "number", "message", "amount", "duration", "time", "text"]

EQUALITY: Final = (":", "=", "!=")
ORDER: Final = (">", ">=", "<", "<=")

OPERATORS: Final[Mapping[Kind, Sequence[str]]] = {
    "name": EQUALITY,
    "id": EQUALITY,
    "number": EQUALITY + ORDER,
    "message": EQUALITY,
    "amount": EQUALITY + ORDER,
    "duration": ORDER,
    "time": ORDER,
    "text": EQUALITY,
}

KINDS: Final[Mapping[Kind, str]] = {
    "name": "a name; `*` stands for any characters, `?` for one; `/regex/` too",
    "id": "the beginning of an id, or with `=` the whole; globs and `/regex/` too",
    "number": "a whole number",
    "message": "a message's number in the recording",
    "amount": "a number, with a unit where it is one of bytes: B KB MB GB",
    "duration": "a number with a unit: ns us ms s min h",
    "time": "a number with such a unit, or a time of day: `21:00:05`, `21:00`",
    "text": "text in any case, or `/regex/`",
}
"""What the values of each kind of field look like."""

FLAGS: Final[Mapping[str, str]] = {
    "bad_signature": "its signature is wrong",
    "undecodable": "a part is neither JSON nor msgpack",
    "malformed": "its frames are not those of a Jupyter message",
    "msgpack": "it is packed with msgpack",
    "redelivered": "a welcome that the tap had held back",
    "truncated": "the file lost a part of it",
    "oversized": "a part is too large to be decoded",
    "no_channel": "over WebSocket, without a channel that there is",
}

_CHANNELS: Final[Mapping[str, str]] = dict(
    zip(
        CHANNELS,
        (
            "requests and their replies",
            "what the kernel publishes: status, output, errors, comms",
            "the kernel asks for input",
            "requests that overtake others: interrupt, shutdown, debug",
            "heartbeats",
        ),
        strict=True,
    )
)
_DIRECTIONS: Final[Mapping[str, str]] = dict(
    zip(DIRECTIONS, ("what clients send", "what the kernel sends"), strict=True)
)
_STATES: Final[Mapping[str, str]] = {
    name: help_
    for name, help_ in zip(
        STATES,
        (
            "",
            "not answered (yet)",
            "answered, and nothing failed",
            "something failed",
            "given up, because one before it failed",
        ),
        strict=True,
    )
    if name is not None
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its `name`, the `help` in one sentence, an `example` that is a whole filter.

    values    for completion, each with its help; or a function that finds those of a recording
    make      makes the condition from what was asked; raises `FilterError`
    """

    name: str
    kind: Kind
    help: str
    example: str
    make: Callable[[Asked], Condition]
    values: Mapping[str, str] | Callable[[Table], Mapping[str, str]] = field(default_factory=dict)

    @property
    def operators(self) -> Sequence[str]:
        return OPERATORS[self.kind]

    @property
    def value(self) -> str:
        """A value that the field takes, out of the example: for messages about mistakes."""
        return self.example.lstrip("-").removeprefix(self.name).lstrip(":=!<>").split()[0]


@dataclass(frozen=True, slots=True)
class Keyword:
    """A bare word that means something: `meaning` is a filter that says the same."""

    name: str
    help: str
    meaning: str


FIELDS: Final[Mapping[str, Field]] = {
    declared.name: declared
    for declared in (
        Field(
            "type",
            "name",
            "The message's type, its `msg_type`.",
            "type:execute_*",
            makers.by_type,
            makers.types_of,
        ),
        Field(
            "channel",
            "name",
            "The channel it went over.",
            "channel:shell,control",
            partial(makers.by_code, names=CHANNELS, column=makers.channels),
            _CHANNELS,
        ),
        Field(
            "direction",
            "name",
            "Which way it went.",
            "direction:to_kernel",
            partial(makers.by_code, names=DIRECTIONS, column=makers.directions),
            _DIRECTIONS,
        ),
        Field(
            "client",
            "number",
            "The number of its client: that sent it, is addressed, or is answered.",
            "client:2",
            makers.by_client,
            makers.clients_of,
        ),
        Field(
            "is",
            "name",
            "What it is, in a word.",
            "-is:noise",
            makers.by_nature,
            {name: nature.help for name, nature in makers.NATURES.items()},
        ),
        Field(
            "state",
            "name",
            "How a request fared.",
            "state:error,aborted",
            partial(makers.by_code, names=STATES, column=makers.states, volatile=True),
            _STATES,
        ),
        Field(
            "latency",
            "duration",
            "Of a request and of its reply: the time from the one to the other.",
            "latency>500ms",
            makers.by_latency,
            {"10ms": "", "100ms": "", "1s": "", "10s": "", "1min": ""},
        ),
        Field(
            "time",
            "time",
            "When it passed: since the start of the recording, or the time of day here.",
            "time>10s time<21:00:05",
            makers.by_time,
            {"10s": "since the start", "5min": "since the start", "21:00:05": "time of day"},
        ),
        Field(
            "size",
            "amount",
            "Bytes on the wire, all frames together.",
            "size>1MB",
            makers.by_size,
            {"1KB": "", "100KB": "", "1MB": "", "10MB": ""},
        ),
        Field(
            "buffers",
            "amount",
            "How many binary buffers it has; with a unit, how large they are together.",
            "buffers>0",
            makers.by_buffers,
            {"0": "how many", "1KB": "together", "1MB": "together"},
        ),
        Field(
            "number",
            "number",
            "The message's number in the recording, from 0.",
            "number>=1200",
            makers.by_number,
        ),
        Field(
            "thread",
            "message",
            "The whole thread of the message with this number.",
            "thread:12",
            makers.by_thread,
        ),
        Field(
            "parent",
            "id",
            "The message it answers: by its id, or by its number in the recording.",
            "parent:12",
            makers.by_parent,
        ),
        Field(
            "id",
            "id",
            "Its own id, the header's `msg_id`.",
            "id:5d21c6f0",
            partial(makers.by_string, part="header", key="msg_id"),
        ),
        Field(
            "comm",
            "id",
            "The comm (a widget, say) that it is about: the content's `comm_id`.",
            "comm:5d21c6f0",
            partial(makers.by_string, part="content", key="comm_id"),
        ),
        Field(
            "session",
            "id",
            "The session of who sent it, from its header.",
            "session:5d21c6f0",
            partial(makers.by_string, part="header", key="session"),
        ),
        Field(
            "username",
            "name",
            "The user's name in its header.",
            "username:root",
            partial(makers.by_string, part="header", key="username"),
        ),
        Field(
            "flag",
            "name",
            "What is special about how it was sent or recorded.",
            "flag:bad_signature",
            partial(makers.by_flag, names=tuple(FLAGS)),
            FLAGS,
        ),
        Field(
            "event",
            "name",
            "Events of the recording, by name; they are no messages.",
            "event:client_*",
            makers.by_event,
            EVENTS,
        ),
        Field(
            "text",
            "text",
            "Text in the message's type or anywhere in its content, keys and values.",
            'text:"division by zero"',
            makers.by_text,
        ),
    )
}

KEYWORDS: Final[Mapping[str, Keyword]] = {
    keyword.name: keyword
    for keyword in (
        Keyword("error", "says that something failed", "is:error"),
        Keyword("waiting", "is a request that has no answer (yet)", "is:waiting"),
        Keyword("event", "is an event of the recording", "is:event"),
    )
}
