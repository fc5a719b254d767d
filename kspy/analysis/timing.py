"""How a request fared: was it answered, how, and how long did each step take.

Rules: messaging specification, "Request-Reply" and "Kernel status". A request gets a reply on
its own channel, and a `status: idle` on iopub says that nothing more will come.

A `ThreadClock` is told the messages that follow a request one by one, so that it serves a whole
thread and a pass over a recording alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kspy.recording.outcome import ABORTED, ERROR, ERROR_TYPES, reply_outcome
from kspy.wire.message import Message

if TYPE_CHECKING:
    from kspy.recording.threads import Thread

State = Literal["waiting", "ok", "error", "aborted"]


@dataclass(frozen=True, slots=True)
class Timing:
    """Nanoseconds from the request to the first answer of each kind; None where none came.

    `state` is None for a thread that begins with what needs no answer, as output that no
    request asked for. "waiting": the reply, or for comm messages the idle, has not come.
    """

    state: State | None
    iopub_ns: int | None
    reply_ns: int | None
    idle_ns: int | None

    @property
    def total_ns(self) -> int | None:
        """Until the last of reply and idle."""
        return max((ns for ns in (self.reply_ns, self.idle_ns) if ns is not None), default=None)


class ThreadClock:
    """Watches what follows one request. Keeps numbers, not messages."""

    __slots__ = (
        "_begun_ns",
        "_channel",
        "_failed",
        "_idle_ns",
        "_iopub_ns",
        "_msg_id",
        "_needs",
        "_reply_ns",
        "_verdict",
    )

    def __init__(self, request: Message) -> None:
        self._begun_ns = request.time_ns
        self._channel = request.channel
        self._msg_id = request.msg_id
        self._needs = _what_it_needs(request)
        self._iopub_ns: int | None = None
        self._reply_ns: int | None = None
        self._idle_ns: int | None = None
        self._verdict: State = "ok"
        self._failed = False

    def see(self, message: Message) -> None:
        """Take note of `message`, whose `parent_header` leads, directly or not, to the request."""
        elapsed = message.time_ns - self._begun_ns
        if message.channel == "iopub":
            if self._iopub_ns is None:
                self._iopub_ns = elapsed
            if message.parent_id == self._msg_id:
                self._see_output(message, elapsed)
        elif self._reply_ns is None and self._is_reply(message):
            self._reply_ns = elapsed
            self._verdict = reply_state(message)

    def _see_output(self, message: Message, elapsed: int) -> None:
        msg_type = message.msg_type
        if msg_type in ERROR_TYPES:
            self._failed = True
        elif (
            msg_type == "status"
            and self._idle_ns is None
            and message.content.get("execution_state") == "idle"
        ):
            self._idle_ns = elapsed

    def _is_reply(self, message: Message) -> bool:
        return (
            message.channel == self._channel
            and message.direction == "to_client"
            and message.parent_id == self._msg_id
            and message.msg_type.endswith("_reply")
        )

    @property
    def done(self) -> bool:
        """Has all come that was to come?"""
        return self._idle_ns is not None and (self._needs != "reply" or self._reply_ns is not None)

    @property
    def timing(self) -> Timing:
        """As far as has been seen."""
        return Timing(self._state(), self._iopub_ns, self._reply_ns, self._idle_ns)

    def _state(self) -> State | None:
        if self._needs is None:
            return None
        if self._needs == "reply" and self._reply_ns is None:
            return "waiting"
        if self._needs == "idle" and self._idle_ns is None:
            return "waiting"
        return "error" if self._failed else self._verdict


def measure(thread: Thread) -> Timing:
    """The timing of a whole thread."""
    messages = iter(thread.messages)
    clock = ThreadClock(next(messages))
    for message in messages:
        clock.see(message)
    return clock.timing


def reply_state(reply: Message) -> State:
    """What a reply says about its request. What is neither error nor aborted is ok."""
    outcome = reply_outcome(reply.msg_type, reply.content)
    if outcome == ERROR:
        return "error"
    return "aborted" if outcome == ABORTED else "ok"


def is_error(message: Message) -> bool:
    """Does this very message say that something failed?"""
    msg_type = message.msg_type
    if msg_type.endswith("_reply"):
        return message.direction == "to_client" and reply_state(message) == "error"
    return msg_type in ERROR_TYPES


def expects_answer(message: Message) -> bool:
    """Is `message` one that a kernel answers, with a reply or at least with busy and idle?"""
    return _what_it_needs(message) is not None


def _what_it_needs(request: Message) -> Literal["reply", "idle"] | None:
    if request.direction != "to_kernel" or request.channel not in ("shell", "control"):
        return None
    if request.msg_type.endswith("_request"):
        return "reply"
    return "idle" if request.msg_type.startswith("comm_") else None
