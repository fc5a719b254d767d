"""What is in a recording, on one page: the answer to "what have I got here?".

Theory of operation: one pass over the recording, with memory that depends neither on its length
nor on what strangers put into it: requests that wait for an answer, names of types and clients
are counted up to a limit, and what is beyond is counted together.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kspy.analysis.fields import (
    extracted_of,
    imported_from,
    mapping,
    number,
    sequence,
    shown,
    string,
)
from kspy.analysis.sanitize import one_line
from kspy.analysis.summary import summarize
from kspy.analysis.timing import State, ThreadClock, expects_answer
from kspy.recording.event import Event
from kspy.wire.message import Message

if TYPE_CHECKING:
    from kspy.recording.reader import Recording

SLOWEST: Final = 5
NAMES: Final = 1000
"""How many types, events, flags and clients are told apart."""
OPEN_REQUESTS: Final = 10_000
"""How many requests may wait for their answers; with more, the oldest count as unanswered."""
OTHERS: Final = "(others)"
LONGEST_NAME: Final = 60
LONGEST_SUMMARY: Final = 200


@dataclass(frozen=True, slots=True)
class KernelInfo:
    """What the recording's metadata and the kernel's own `kernel_info_reply` say; "" if nothing."""

    name: str = ""
    implementation: str = ""
    implementation_version: str = ""
    protocol_version: str = ""
    language: str = ""
    language_version: str = ""


@dataclass(frozen=True, slots=True)
class ThreadLine:
    """A request worth naming. `duration_ns` is None if no answer came."""

    seq: int
    msg_type: str
    summary: str
    state: State
    duration_ns: int | None


@dataclass(slots=True)
class Overview:
    """Counts are by name; `bytes` are those on the wire, `file_bytes` those of the file.

    `imported_from` and `missing` say of an imported recording whence it is, and what that did not
    keep. `gateway` is the server that the tap stood before. `extract_of` is of how many messages
    those in an extract were chosen; 0 where it is none.
    """

    kernel: KernelInfo = field(default_factory=KernelInfo)
    versions: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    platform: str = ""
    extract_of: int = 0
    gateway: str = ""
    imported_from: str = ""
    missing: list[str] = field(default_factory=list)
    start_ns: int | None = None
    end_ns: int | None = None
    messages: int = 0
    bytes: int = 0
    file_bytes: int = 0
    channels: dict[str, int] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    clients: dict[str, int] = field(default_factory=dict)
    flags: dict[str, int] = field(default_factory=dict)
    encodings: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    errors: int = 0
    slowest: list[ThreadLine] = field(default_factory=list)
    unanswered: list[ThreadLine] = field(default_factory=list)
    gaps: int = 0
    lost: int = 0
    state: str = "whole"

    @property
    def duration_ns(self) -> int:
        if self.start_ns is None or self.end_ns is None:
            return 0
        return self.end_ns - self.start_ns


def overview(recording: Recording) -> Overview:
    """Read all of `recording`, and say what is in it.

    `requests` counts threads by how they ended; `slowest` and `unanswered` name up to five.
    """
    survey = _Survey(recording)
    for story in recording.stories():
        survey.see(story)
    return survey.finish()


class _Request(NamedTuple):
    """What is kept of a request: its message may be large, and there may be many."""

    seq: int
    msg_type: str
    summary: str
    clock: ThreadClock


class _Survey:
    """The pass: an `Overview` in the making, and the requests that are still open."""

    def __init__(self, recording: Recording) -> None:
        metadata = recording.metadata
        self._recording = recording
        self._found = Overview(
            kernel=KernelInfo(name=one_line(string(metadata, "kernel_name"))),
            versions=mapping(metadata, "versions"),
            created=one_line(string(metadata, "created")),
            platform=one_line(string(metadata, "platform")),
            extract_of=extracted_of(metadata),
            gateway=one_line(string(metadata, "gateway"))[:LONGEST_SUMMARY],
            imported_from=_imported_from(metadata),
            missing=[
                one_line(shown(what))[:LONGEST_SUMMARY]
                for what in sequence(mapping(metadata, "imported"), "missing")[:NAMES]
            ],
        )
        self._open: OrderedDict[str, _Request] = OrderedDict()

    def see(self, story: Message | Event) -> None:
        found = self._found
        if found.start_ns is None:
            found.start_ns = story.time_ns
        found.end_ns = story.time_ns
        if isinstance(story, Message):
            self._see_message(story)
            return
        _count(found.events, story.name)
        if story.name == "gap":
            found.gaps += 1
            found.lost += number(story.data, "lost") or 0

    def _see_message(self, message: Message) -> None:
        found = self._found
        found.messages += 1
        found.bytes += message.size
        _count(found.channels, message.channel)
        msg_type = message.msg_type
        _count(found.types, msg_type or ("(heartbeat)" if message.channel == "hb" else "(none)"))
        if message.client is not None:
            _count(found.clients, str(message.client))
        if message.channel != "hb":
            _count(found.encodings, message.encoding)
        for flag in message.flags:
            _count(found.flags, flag)
        if msg_type in ("error", "pyerr"):
            found.errors += 1
        elif msg_type == "kernel_info_reply" and not found.kernel.implementation:
            found.kernel = _kernel_info(found.kernel.name, message.content)
        self._follow(message)

    def _follow(self, message: Message) -> None:
        if message.channel == "hb":
            return
        if expects_answer(message):
            self._open_request(message)
            return
        request = self._open.get(message.parent_id)
        if request is None:
            return
        request.clock.see(message)
        if request.clock.done:
            self._close(self._open.pop(message.parent_id))

    def _open_request(self, message: Message) -> None:
        msg_type = one_line(message.msg_type[:LONGEST_NAME])
        summary = summarize(message)[:LONGEST_SUMMARY]
        request = _Request(message.seq, msg_type, summary, ThreadClock(message))
        msg_id = message.msg_id
        if not msg_id:  # nothing can ever answer it
            self._close(request)
            return
        if msg_id in self._open:  # an id used twice: the answers are the later one's
            self._close(self._open.pop(msg_id))
        self._open[msg_id] = request
        if len(self._open) > OPEN_REQUESTS:
            self._close(self._open.popitem(last=False)[1])

    def _close(self, request: _Request) -> None:
        timing = request.clock.timing
        if timing.state is None:
            return
        found = self._found
        _count(found.requests, timing.state)
        line = ThreadLine(
            request.seq, request.msg_type, request.summary, timing.state, timing.total_ns
        )
        if timing.state == "waiting":
            found.unanswered = [*found.unanswered, line][:SLOWEST]
        elif timing.total_ns is not None:
            found.slowest = heapq.nlargest(SLOWEST, [*found.slowest, line], key=_duration)

    def finish(self) -> Overview:
        found = self._found
        for request in self._open.values():
            self._close(request)
        found.state = self._recording.state
        found.file_bytes = self._recording.size
        return found


def _imported_from(metadata: Mapping[str, Any]) -> str:
    creator = string(mapping(metadata, "imported"), "creator")
    source = imported_from(metadata)
    return one_line(f"{source} of {creator}" if creator else source)[:LONGEST_SUMMARY]


def _duration(line: ThreadLine) -> int:
    return line.duration_ns or 0


def _count(counts: dict[str, int], name: str) -> None:
    """Count `name`, but never more than `NAMES` of them."""
    name = one_line(name[:LONGEST_NAME])
    if name not in counts and len(counts) >= NAMES:
        name = OTHERS
    counts[name] = counts.get(name, 0) + 1


def _kernel_info(name: str, content: Mapping[str, Any]) -> KernelInfo:
    language = mapping(content, "language_info")
    fields = (
        string(content, "implementation"),
        string(content, "implementation_version"),
        string(content, "protocol_version"),
        string(language, "name"),
        string(language, "version"),
    )
    return KernelInfo(name, *(one_line(text[:LONGEST_NAME]) for text in fields))
