"""What has come from the kernel for what was sent: have all come that a script waits for?

Pure: it is told what was sent and what came, and what time it was (any clock's seconds).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Final

from kspy.replay.client.extent import NO_TEXTS, Texts
from kspy.replay.client.items import FINISH, MAKERS, NOBODY, PIECES, REPLY, Wait
from kspy.wire.frames import Channel
from kspy.wire.message import Message

_ASKS: Final = "input_request"
_ENOUGH: Final = 3
"""Requests for which nothing more of a type came after their end; then it is expected for none."""
_FAIR: Final = 24
"""Waits in vain after which nothing that may not come is expected: a recording may be of a session
quite unlike this one, and name a new type of message each time."""


@dataclass(slots=True)
class Sent:
    """A request that was sent, and what came for it so far.

    count      messages published for it, pieces of streams not counted
    busy, last when it became busy, and when the last of those came
    questions  the `input_request`s that came for it
    made       those that came of `MAKERS`, by their types
    given_up   types of messages that were waited for too long: the next is not waited for again
    texts      how far its streams have come
    """

    channel: Channel
    count: int = 0
    busy: float | None = None
    last: float = 0.0
    replied: bool = False
    idle: bool = False
    numbers: dict[str, int] = field(default_factory=dict)
    questions: list[Message] = field(default_factory=list)
    made: dict[str, list[Message]] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    texts: Texts = NO_TEXTS


class Progress:
    """Of all that was sent, by the places of the requests in the recording.

    measured   requests whose streams' text is waited for
    """

    def __init__(self, measured: Container[int] = ()) -> None:
        self._measured = measured
        self._sent = {NOBODY: Sent("iopub")}
        self._places = {"": NOBODY}
        self._unfinished: dict[int, None] = {}
        self._given_up: Counter[str] = Counter()
        self._in_vain = 0

    def send(self, place: int, msg_id: str, channel: Channel, *, answered: bool) -> None:
        """A message is about to be sent; `answered`: one that a kernel answers.

        Of two with one id, the answers are the later one's.
        """
        self._sent[place] = Sent(channel)
        if msg_id:
            self._places[msg_id] = place
        if answered:
            self._unfinished[place] = None

    def __contains__(self, place: int) -> bool:
        return place in self._sent

    def __getitem__(self, place: int) -> Sent:
        return self._sent[place]

    def see(self, message: Message, now: float) -> int | None:
        """Take a message from the kernel. The request that it belongs to directly."""
        place = self._places.get(message.parent_id)
        if place is None:
            return None
        sent, msg_type = self._sent[place], message.msg_type
        sent.numbers[msg_type] = sent.numbers.get(msg_type, 0) + 1
        if msg_type in MAKERS:
            sent.made.setdefault(msg_type, []).append(message)
        if msg_type == PIECES and place in self._measured:
            sent.texts = sent.texts.after(message.content)
        if message.channel == "iopub":
            self._see_published(sent, message, msg_type, now)
            if sent.idle:
                self._unfinished.pop(place, None)
        elif msg_type == _ASKS:
            sent.questions.append(message)
        elif message.channel == sent.channel and msg_type.endswith("_reply"):
            sent.replied = True
        return place

    def _see_published(self, sent: Sent, message: Message, msg_type: str, now: float) -> None:
        if msg_type != PIECES:
            sent.count += 1
            sent.last = now
        if msg_type != "status":
            return
        state = message.content.get("execution_state")
        if state == "busy" and sent.busy is None:
            sent.busy = now
        elif state == "idle":
            sent.idle = True

    def has(self, wait: Wait) -> bool:
        """Has it come?"""
        sent = self._sent.get(wait.place)
        if sent is None:
            return True  # nobody sent it, so nothing comes
        if wait.what == REPLY:
            return sent.replied
        if wait.what == FINISH:
            return sent.idle
        if wait.what == PIECES:
            return sent.texts.reach(wait.texts)
        return sent.numbers.get(wait.what, 0) >= wait.number

    def never(self, wait: Wait) -> bool:
        """Is it not to be expected: has the kernel finished without it, or not sent one before?"""
        sent = self._sent[wait.place]
        if wait.what in sent.given_up or (self._in_vain >= _FAIR and not wait.certain):
            return True
        if not wait.within and self._given_up[wait.what] >= _ENOUGH:
            return True
        return wait.what not in (REPLY, FINISH) and wait.within and sent.idle

    def give_up(self, wait: Wait) -> None:
        """It has been waited for long enough, and so have those of its kind that follow it.

        What a thread in the background publishes, some kernels publish for whichever request ran
        last: then it may come for none of those that it came for.
        """
        self._in_vain += 1
        self._sent[wait.place].given_up.add(wait.what)
        if not wait.within:
            self._given_up[wait.what] += 1

    @property
    def unfinished(self) -> int | None:
        """Place of the first request that has had no idle yet."""
        return next(iter(self._unfinished), None)
