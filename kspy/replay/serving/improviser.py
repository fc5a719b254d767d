"""Answers that are not in the recording: housekeeping, refusals, interrupts, aborts.

Rules: messaging specification, "Kernel status", "Execution errors", "Request-Reply" (aborted),
"Opening a comm" (an unknown target is closed at once).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from kspy.replay.serving.book import Book
from kspy.replay.serving.housekeeping import OWN, Housekeeping
from kspy.replay.serving.request import Request
from kspy.replay.serving.speaker import Speaker
from kspy.replay.serving.wording import error_reply, failure, not_recorded, reply_type
from kspy.wire.frames import Channel

_INTERRUPTED: Final = "KeyboardInterrupt"


class Improviser:
    """Speaks for the served kernel where the recording is silent. `name` is the recording's.

    count   the last execution count that was told
    """

    def __init__(
        self,
        book: Book,
        speaker: Speaker,
        emit: Callable[[Channel, Sequence[bytes]], None],
        say: Callable[[str], None],
        housekeeping: Housekeeping,
        name: str,
    ) -> None:
        self._book, self._speaker, self._emit, self._say = book, speaker, emit, say
        self._housekeeping = housekeeping
        self._name = name
        self.count = 0

    def knows_best(self, request: Request) -> bool:
        """Is it about the served kernel itself, which no other kernel can speak for?"""
        return request.msg_type in OWN

    def answer(self, request: Request) -> None:
        """Answer what was never recorded."""
        content = self._housekeeping.answer(request)
        if content is not None:
            self.reply(request, content)
        else:
            self.refuse(request, self.not_recorded(request))

    def not_recorded(self, request: Request) -> str:
        """Why there is no answer to it."""
        return not_recorded(self._book, request, self._name)

    def refuse(self, request: Request, why: str) -> None:
        """Say that there is no answer, in the way that such a request has it."""
        self._say(f"{why}")
        self.status("busy", request)
        if reply_type(request.msg_type):
            if request.msg_type == "execute_request" and not request.content.get("silent"):
                self.publish("error", failure(why), request)
            self._send(request, error_reply(request, why, self.count), status="error")
        elif request.msg_type == "comm_open":
            comm: dict[str, Any] = {"comm_id": request.content.get("comm_id"), "data": {}}
            self.publish("comm_close", comm, request)
            self._housekeeping.comms.see("comm_close", comm)
        self.status("idle", request)

    def interrupted(self, request: Request, *, busy: bool) -> None:
        """What the kernel says that runs `request`; `busy`: it has not even said that."""
        if busy:
            self.status("busy", request)
        error = {"ename": _INTERRUPTED, "evalue": "", "traceback": [_INTERRUPTED]}
        self.publish("error", error, request)
        content = {"status": "error", "execution_count": self.count, **error}
        self._send(request, {**content, "user_expressions": {}, "payload": []}, status="error")
        self.status("idle", request)

    def abort(self, request: Request) -> None:
        """A request that waited behind one that failed."""
        self.status("busy", request)
        self._send(request, {"status": "aborted"}, status="aborted")
        self.status("idle", request)

    def reply(self, request: Request, content: Mapping[str, Any]) -> None:
        self.status("busy", request)
        self._send(request, content)
        self.status("idle", request)

    def status(self, state: str, request: Request | None) -> None:
        self.publish("status", {"execution_state": state}, request)

    def publish(self, msg_type: str, content: Mapping[str, Any], request: Request | None) -> None:
        frames = self._speaker.compose(msg_type, content, request)
        self._emit("iopub", [*self._speaker.topic(msg_type), *frames])

    def compare_input(self, place: int, request: Request) -> None:
        """Say where an answer is not the recorded one. What it is may be a password."""
        recorded = self._book.load(place)
        if recorded and recorded.content.get("value") != request.content.get("value"):
            self._say(
                f"message {self._book.seq(place)} answered otherwise then: what follows is as it"
                " was recorded"
            )

    def _send(self, request: Request, content: Mapping[str, Any], **metadata: Any) -> None:
        frames = self._speaker.compose(reply_type(request.msg_type), content, request, **metadata)
        self._emit(request.channel, [*request.identities, *frames])
