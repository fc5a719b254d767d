"""What the recorded clients did, and what they had waited for: the script of a replay.

Theory of operation: a client that sends after something came may have sent because of it. Who
cannot know must keep that order. So the script is one list, in recorded order, of what is to be
sent and of what has to have come before what is sent next: the reply and the idle of each request,
the questions on stdin, and what was published that no end of a request is waited for with. Of what
two clients sent at once the kernel took one first: it is to have begun with that before the other
is sent. Nothing here waits or does I/O; `kspy.replay.client.player` plays it.

Rules: messaging specification, "Request-Reply", "Kernel status", "Messages on the stdin channel".
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from kspy.analysis.table import Table
from kspy.errors import KspyError
from kspy.recording.event import Event
from kspy.recording.outcome import BUSY, IDLE, NOTHING
from kspy.replay.client.extent import NO_TEXTS, Texts
from kspy.replay.client.items import (
    FINISH,
    MAKERS,
    NOBODY,
    PIECES,
    REPLY,
    Death,
    Interrupt,
    Item,
    Restart,
    Running,
    Send,
    Wait,
)
from kspy.replay.client.unbegun import Unbegun
from kspy.wire.frames import CHANNELS
from kspy.wire.message import ENCODED, TO_CLIENT

_BLOCK: Final = 1 << 16
_HB, _IOPUB, _SHELL, _STDIN = map(CHANNELS.index, ("hb", "iopub", "shell", "stdin"))
_ENDED_STATES: Final = ("restarting", "dead")
_OF_NO_CLIENT: Final = ("status", "iopub_welcome")
_GRACE_NS: Final = 2_000_000_000
"""A client that listened on when nothing came any more is followed in that for so long at most."""


@dataclass
class Script:
    """`items` in recorded order.

    makers    of a request, and a type of `MAKERS`, the places of such messages
    last      what came after the last item, and is to come before the end
    measured  requests that are waited for by the text of their streams
    unended   of requests that the kernel worked on to the end: how long that was, ns
    end_ns    when its clients stopped listening, or a little after the last message
    signals   how many a frontend sent other than to interrupt: they are not played
    """

    items: list[Item] = field(default_factory=list)
    makers: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    last: list[Wait] = field(default_factory=list)
    measured: set[int] = field(default_factory=set)
    unended: dict[int, int] = field(default_factory=dict)
    end_ns: int = 0
    signals: int = 0

    @property
    def sends(self) -> int:
        return sum(isinstance(item, Send) for item in self.items)


def write_script(table: Table, threads: Container[int] | None = None) -> Script:
    """The script of all that the clients of a recording sent, or of some threads by number."""
    writer = _ScriptWriter(table, threads)
    for start in range(0, len(table), _BLOCK):
        writer.messages(start, min(start + _BLOCK, len(table)))
    writer.events_to(len(table) + 1)
    return writer.finish()


@dataclass(slots=True)
class _Request:
    """What had come for a request so far; `streams`: places of those not in `texts` yet."""

    channel: int
    client: int
    time_ns: int
    count: int = 0
    busy_ns: int | None = None
    began: int = 0
    last_ns: int = 0
    idle_ns: int | None = None
    replied: bool = False
    numbers: dict[str, int] = field(default_factory=dict)
    streams: list[int] = field(default_factory=list)
    texts: Texts = NO_TEXTS


class _ScriptWriter:
    """Takes messages and events in order."""

    def __init__(self, table: Table, threads: Container[int] | None) -> None:
        self.script = Script()
        self._table = table
        self._threads = threads
        self._requests = {NOBODY: _Request(_IOPUB, 0, 0, idle_ns=0)}
        self._hearer: int | None = None
        self._running: dict[int, None] = {}
        self._begun_last: list[int] = []
        self._unbegun = Unbegun()
        self._pending: dict[tuple[int, str], tuple[int, bool]] = {}
        self._at_once: list[tuple[int, int, int]] = []
        self._begun = 0
        self._questions: dict[int, tuple[int, int]] = {}
        self._ended = False
        self._event = 0
        self._down = False
        self._death: int | None = None
        self._last_ns = self._until_ns = 0

    def messages(self, start: int, stop: int) -> None:
        rows, names = self._table.rows(start, stop), self._table.names
        columns = zip(
            range(start, stop), rows.times.tolist(), rows.routes.tolist(), rows.clients.tolist(),
            rows.types.tolist(), rows.outcomes.tolist(), rows.parents.tolist(),
            rows.threads.tolist(), ((rows.flags & ENCODED) != 0).tolist(), strict=True,
        )  # fmt: skip
        next_event = self._next_event_place()
        for place, time_ns, route, client, kind, outcome, parent, thread, socket in columns:
            if next_event <= place:
                next_event = self.events_to(place + 1)
            if route & 7 == _HB:
                continue
            if not self._ended and (self._threads is None or thread in self._threads):
                self._last_ns = time_ns
            if not route & TO_CLIENT:
                if self._is_chosen(thread, names[kind]):
                    self._send(place, time_ns, route & 7, client, names[kind], parent)
            elif route & 7 == _IOPUB and outcome == NOTHING and names[kind] == "status":
                self._state(place, time_ns)
            elif parent < 0:
                self._unasked(place, time_ns, route & 7, names[kind], client if socket else 0)
            elif parent in self._requests:
                if outcome == BUSY:
                    self._begin(parent)
                if socket and route & 7 == _IOPUB and client != self._requests[parent].client:
                    continue  # a server sends each of its WebSockets a copy
                self._answer(place, time_ns, route & 7, names[kind], outcome, parent)

    def _is_chosen(self, thread: int, msg_type: str) -> bool:
        """Is it of the part that is played? What interrupts a request goes with it."""
        if self._threads is None or thread in self._threads:
            return True
        return msg_type == "interrupt_request" and bool(self._running)

    # Messages

    def _send(
        self, place: int, time_ns: int, channel: int, client: int, msg_type: str, parent: int
    ) -> None:
        self._wait_for_pending()
        running = self._interrupted(time_ns) if msg_type == "interrupt_request" else None
        answers = self._questions.get(parent) if msg_type == "input_reply" else None
        self._requests[place] = _Request(channel, client, time_ns)
        if channel == _SHELL:
            if (other := self._unbegun.last_of_another(client)) is not None:
                self._at_once.append((len(self.script.items), other, place))
            self._unbegun.add(place, client)
        self.script.items.append(Send(place, time_ns, client, running, answers))

    def _unasked(self, place: int, time_ns: int, channel: int, msg_type: str, client: int) -> None:
        """The kernel published it for no request, or for one from before the recording.

        A server sends each of its WebSockets a copy.
        """
        if channel != _IOPUB or msg_type in _OF_NO_CLIENT or self._ended:
            return
        self._hearer = client if self._hearer is None else self._hearer
        if self._threads is None and client == self._hearer and self._is_unasked(place):
            self._answer(place, time_ns, _IOPUB, msg_type, NOTHING, NOBODY)

    def _answer(
        self, place: int, time_ns: int, channel: int, msg_type: str, outcome: int, parent: int
    ) -> None:
        request = self._requests[parent]
        number = request.numbers[msg_type] = request.numbers.get(msg_type, 0) + 1
        if msg_type in MAKERS:
            self.script.makers.setdefault((parent, msg_type), []).append(place)
        if channel == _IOPUB:
            self._published(place, time_ns, msg_type, outcome, parent)
        elif channel == _STDIN:
            if msg_type == "input_request":
                self._questions[place] = parent, number
                self.script.items.append(Wait(parent, time_ns, msg_type, number))
        elif channel == request.channel and msg_type.endswith("_reply") and not request.replied:
            request.replied = True
            self.script.items.append(Wait(parent, time_ns, REPLY))

    def _begin(self, place: int) -> None:
        """The kernel begins with a request, by whichever copy of its word comes first."""
        if not self._requests[place].began:
            self._begun += 1
            self._requests[place].began = self._begun
            self._unbegun.remove(place)

    def _published(
        self, place: int, time_ns: int, msg_type: str, outcome: int, parent: int
    ) -> None:
        request = self._requests[parent]
        if msg_type == PIECES:
            request.streams.append(place)
        else:
            request.count += 1
            request.last_ns = time_ns
        if msg_type != "status":
            self._pending[parent, msg_type] = time_ns, request.idle_ns is None
            return
        if request.idle_ns is not None:
            return
        if outcome == BUSY:
            if request.busy_ns is None:
                request.busy_ns = time_ns
                self._running[parent] = None
                self._begun_last.append(parent)
        elif outcome == IDLE:
            request.idle_ns = time_ns
            self._running.pop(parent, None)
            self.script.items.append(Wait(parent, time_ns, FINISH))

    def _wait_for_pending(self) -> None:
        self.script.items += self._waits()

    def _waits(self) -> Iterator[Wait]:
        """For what came since the last message was sent, unless its request's end did.

        Of each type, only for the last: with that, those before it have come.
        """
        for (place, msg_type), (time_ns, within) in self._pending.items():
            request = self._requests[place]
            if within and request.idle_ns is not None:
                continue
            certain = within and msg_type == "comm_open"
            wait = Wait(place, time_ns, msg_type, certain=certain, within=within)
            if msg_type == PIECES:
                yield wait._replace(texts=self._texts(place))
            else:
                yield wait._replace(number=request.numbers[msg_type])
        self._pending.clear()

    def _is_unasked(self, place: int) -> bool:
        """Has it no parent, rather than one that is not in the recording?"""
        try:
            return not self._table.load(place).parent_id
        except KspyError:
            return False

    def _texts(self, place: int) -> Texts:
        """How far a request's streams have come."""
        request = self._requests[place]
        for piece in request.streams:
            with suppress(KspyError):  # the recording may have lost it
                request.texts = request.texts.after(self._table.load(piece).content)
        request.streams.clear()
        self.script.measured.add(place)
        return request.texts

    def _interrupted(self, time_ns: int) -> Running | None:
        """The request that was begun last of those that run."""
        last = self._begun_last
        while last and last[-1] not in self._running:
            last.pop()
        if not last:
            return None
        place = last[-1]
        request = self._requests[place]
        busy_ns = request.busy_ns or time_ns
        return Running(
            place, request.count, max(time_ns - busy_ns, 0), max(time_ns - request.last_ns, 0)
        )

    def _state(self, place: int, time_ns: int) -> None:
        """A server tells each client that the kernel died, and that it starts it again."""
        if self._just_restarted():
            return
        try:
            state = self._table.load(place).content.get("execution_state")
        except KspyError:
            return
        if state in _ENDED_STATES:
            self._die(time_ns, told=False)
        if state == "restarting":
            self._restart(time_ns, told=False)

    # Events

    def _next_event_place(self) -> int:
        places: Sequence[int] = self._table.event_places
        return places[self._event] if self._event < len(places) else len(self._table) + 1

    def events_to(self, stop: int) -> int:
        """Take the events that came before the message at `stop`; where the next one is."""
        while (place := self._next_event_place()) < stop and self._event < self._table.event_count:
            self._take(self._table.event(self._event))
            self._event += 1
        return place

    def _take(self, event: Event) -> None:
        name, time_ns = event.name, event.time_ns
        if not self._ended:  # what a tap hears when it ends the kernel, no client listened to
            self._until_ns = time_ns
        signal = event.data.get("signal")
        if name == "kernel_interrupted" or (name == "kernel_signalled" and signal == "SIGINT"):
            running = self._interrupted(time_ns)
            if self._threads is None or running is not None:
                self._wait_for_pending()
                self.script.items.append(Interrupt(time_ns, running))
        elif name == "kernel_signalled":
            self.script.signals += 1
        elif name == "kernel_shut_down":
            self._ended = True
        elif name == "kernel_died" and not self._ended:
            if self._down or self._just_restarted():
                self._tell_of_death()
            else:
                self._die(time_ns, told=True)
        elif name == "kernel_restarted":
            self._restart(time_ns, told=True)

    def _just_restarted(self) -> bool:
        """Is what tells of a death only another word of one that is known?"""
        last = self.script.items[-1] if self.script.items else None
        return isinstance(last, Restart) and not last.told

    def _tell_of_death(self) -> None:
        """An event is another word of a death that the server told."""
        if self._death is not None:
            time_ns = self.script.items[self._death].time_ns
            self.script.items[self._death] = Death(time_ns, told=True)

    def _die(self, time_ns: int, *, told: bool) -> None:
        if not self._down:
            self._wait_for_pending()
            self._death = len(self.script.items)
            self.script.items.append(Death(time_ns, told))
        self._down = True
        self._running.clear()

    def _restart(self, time_ns: int, *, told: bool) -> None:
        self._ended = self._down = False
        self._running.clear()
        self._unbegun = Unbegun()
        self._wait_for_pending()
        self.script.items.append(Restart(time_ns, told))

    def finish(self) -> Script:
        table = self._table
        last = [table.time_ns(len(table) - 1)] if len(table) else []
        last += [table.event(table.event_count - 1).time_ns] if table.event_count else []
        if not self._ended:
            self._until_ns = max(last, default=0)
        if not self._down:
            for place in self._running:
                self.script.unended[place] = max(last) - self._requests[place].time_ns
        self.script.end_ns = min(self._until_ns, self._last_ns + _GRACE_NS)
        self.script.last += self._waits()
        self._keep_apart()
        return self.script

    def _keep_apart(self) -> None:
        """Wait for the beginning of what another client sent, where the kernel began with that."""
        items: list[Item] = []
        done = 0
        for index, first, second in self._at_once:
            a, b = self._requests[first], self._requests[second]
            if 0 < a.began < b.began:
                items += self.script.items[done:index]
                items.append(Wait(first, b.time_ns, "status", certain=False))
                done = index
        self.script.items[:] = [*items, *self.script.items[done:]]
