"""The served kernel without its sockets: requests and the time come in, messages go out.

Rules, as ipykernel has them: a channel, and a subshell, does one request after the other. A
request's answer begins when the one before has had its reply and idle, which is where the pauses
of the recording count from. What the kernel said of its own accord goes on beside that. An
interrupt concerns what the main shell runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, Protocol

from kspy.errors import KspyError
from kspy.replay.serving.book import Book
from kspy.replay.serving.comms import Comms
from kspy.replay.serving.housekeeping import STATEFUL, Housekeeping
from kspy.replay.serving.improviser import Improviser
from kspy.replay.serving.performance import FAST, Performance
from kspy.replay.serving.queues import Queue, Queues
from kspy.replay.serving.renaming import Renaming
from kspy.replay.serving.request import Request, delimiter_of
from kspy.replay.serving.script import Gate, Line, Script
from kspy.replay.serving.speaker import COUNTING, Recorded, Rename, Speaker
from kspy.replay.serving.timers import Timers
from kspy.wire.frames import Channel
from kspy.wire.packers import decode

Emit = Callable[[Channel, Sequence[bytes]], None]
Say = Callable[[str], None]

_AT_ONCE: Final = 500
"""Messages that are said before it is looked what else happened."""

_REFUSAL_SECONDS: Final = 0.02
"""After which a cell is refused: what a client sent with it is to be there to be aborted."""


class Understudy(Protocol):
    """A real kernel that takes the requests that nobody recorded.

    It calls `Stage.relieved` when it is done with one.
    """

    def ask(self, request: Request) -> None: ...

    def interrupt(self) -> None: ...

    def restart(self) -> None: ...


class Stage:
    """`ended` says why the kernel is to end, once it is; `restarts`: and to begin anew."""

    def __init__(
        self,
        book: Book,
        speaker: Speaker,
        emit: Emit,
        say: Say,
        *,
        name: str,
        speed: float = FAST,
        ports: Mapping[str, int] | None = None,
        understudy: Understudy | None = None,
        comms: Comms | None = None,
    ) -> None:
        self.ended = ""
        self.restarts = False
        self._book, self._speaker, self._emit, self._say = book, speaker, emit, say
        self._speed = speed
        self._understudy = understudy
        self.comms = Comms() if comms is None else comms
        self._improviser = Improviser(
            book, speaker, emit, say, Housekeeping(book, ports or {}, self.comms), name
        )
        self._renaming = Renaming()
        self._queues = Queues()
        self._timers = Timers()
        self._homes: dict[Performance, Queue | None] = {}
        self._asking: dict[bytes, Performance] = {}
        self._told: set[int] = set()

    def start(self, now: float) -> None:
        """Say what the kernel said before anybody asked."""
        self._improviser.status("starting", None)
        steps = tuple(Line(place, 0, asked=False) for place in self._book.scripts.before_all)
        prologue = Script(-1, "", steps, 0, replied=False, whole=False, hangs=False, revives=False)
        self._perform(Performance(prologue, None, now), None, now)

    def restart(self, now: float) -> None:
        """Forget all, and begin with the first of equal requests again."""
        self._forget()
        self.ended, self.restarts = "", False
        self._told.clear()
        self._book.restart()
        if self._understudy:
            self._understudy.restart()
        self.start(now)

    def _forget(self) -> None:
        """What a kernel loses that ends, though its sockets stay."""
        self._improviser.count = 0
        self._queues.clear()
        self._timers.clear()
        self._homes.clear()
        self._asking.clear()
        self.comms.clear()
        self._renaming = Renaming()

    # What happens

    def subscribed(self, topic: bytes) -> None:
        """A client subscribed to iopub (messaging specification, "Welcome message")."""
        try:
            content = {"subscription": topic.decode()}
        except UnicodeDecodeError:
            return
        self._emit("iopub", [topic, *self._speaker.compose("iopub_welcome", content, None)])

    def receive(self, channel: Channel, frames: Sequence[bytes], now: float) -> None:
        """A client sent something on shell, control or stdin."""
        at = delimiter_of(frames)
        if at is None or not self._speaker.knows(frames, at):
            why = "is no Jupyter message" if at is None else "has a wrong signature"
            self._say(f"{channel}: what came {why}; a kernel does not answer that")
            return
        request = Request(channel, frames, at)
        if channel == "stdin":
            self._take_input(request, now)
        elif request.msg_type == "shutdown_request":
            self._shut_down(request, now)
        else:
            if request.msg_type == "interrupt_request":
                self.interrupt(now)
            self._run(self._queues.add(request), now)

    def wait(self, now: float) -> float | None:
        """Seconds until `wake` is to be called; None: nothing is to be waited for."""
        due = self._timers.next
        return None if due is None else max(0.0, due - now)

    def wake(self, now: float) -> None:
        """Do what it is time for."""
        for what in self._timers.take(now):
            if self.ended:
                return
            if isinstance(what, Request):
                self.relieved(what, self._improviser.not_recorded(what), now)
            elif what in self._homes:
                self._perform(what, self._homes[what], now)

    def interrupt(self, now: float) -> None:
        """Interrupt what the main shell runs."""
        queue = self._queues.main
        running = queue.running
        if isinstance(running, Request):
            if self._understudy:
                self._understudy.interrupt()
        elif running is not None and running.script.msg_type == "execute_request":
            if running.interruptible:
                running.open("interrupt")
                self._perform(running, queue, now)
            else:
                self._break_off(running, queue, now)

    def fails(self, request: Request) -> None:
        """The understudy is about to answer a request with an error."""
        if (queue := self._queues.doing(request)) is not None:
            queue.fails(request)

    def relieved(self, request: Request, why: str, now: float) -> None:
        """A request is done with, or refused: `why` is not empty then."""
        queue = self._queues.doing(request)
        if why:
            self.fails(request)
            self._improviser.refuse(request, why)
        if queue is not None:
            queue.running = None
            self._run(queue, now)

    # Requests

    def _run(self, queue: Queue, now: float) -> None:
        """Begin with the next requests, as far as that goes without waiting."""
        while queue.running is None and queue.waiting and not self.ended:
            request, doomed = queue.next()
            if doomed:
                self._improviser.abort(request)
                continue
            script = self._find(request)
            if script is not None:
                retold = script.cue in self._told
                self._told.add(script.cue)
                queue.running = Performance(script, request, now, self._speed, retold)
                recorded = self._book.load(script.cue) if request.msg_type == "comm_open" else None
                queue.running.naming = self._renaming.begin(script.cue, recorded, request)
                self._play(queue.running, queue, now)
            elif self._understudy and not self._improviser.knows_best(request):
                queue.running = request
                self.comms.see(request.msg_type, request.content)
                self._understudy.ask(request)
            else:
                self.comms.see(request.msg_type, request.content)
                if request.msg_type == "execute_request":
                    queue.running = request
                    self._timers.set(request, now + _REFUSAL_SECONDS)
                else:
                    self._improviser.answer(request)
        self._queues.tidy(queue)

    def _find(self, request: Request) -> Script | None:
        message = self._renaming.as_recorded(request)
        script = self._book.find(message, again=request.msg_type not in STATEFUL)
        if script is None:
            return None
        if request.msg_type == "kernel_info_request" and not script.whole:
            return self._book.whole(request.msg_type)  # or frontends would wait for ever
        if request.msg_type.startswith("comm_"):
            self.comms.see(request.msg_type, request.content)
        return script

    def _take_input(self, request: Request, now: float) -> None:
        performance = self._asking.pop(request.client, None)
        if performance is None or performance not in self._homes:
            if self._understudy:
                self._understudy.ask(request)
            return
        gate = performance.awaited("input")
        if gate is not None:
            performance.answers[gate.place] = request.raw_header
            self._improviser.compare_input(gate.place, request)
        performance.open("input")
        self._perform(performance, self._homes[performance], now)

    def _shut_down(self, request: Request, now: float) -> None:
        """All at once, in the recorded words where that was asked and replied to then."""
        restart = bool(request.content.get("restart"))
        script = self._find(request)
        asked = None if script is None else self._book.load(script.cue)
        if script and script.replied and asked and asked.content.get("restart") == restart:
            performance = Performance(script, request, now)
            for step in script.steps:
                if isinstance(step, Line) and step.asked:
                    self._say_line(performance, step)
        else:
            content = {"status": "ok", "restart": restart}
            self._improviser.reply(request, content)
            self._improviser.publish("shutdown_reply", content, request)
        self.restarts = restart
        self.ended = "restarted by a client" if restart else "shut down by a client"

    def _break_off(self, running: Performance, queue: Queue, now: float) -> None:
        """An interrupt where the recording has none: do as ipykernel does."""
        self._drop(running)
        queue.running = None
        if running.request is not None:
            queue.fails(running.request)
            self._improviser.count = self._count(running)
            self._improviser.interrupted(running.request, busy=running.unheard)
            self._say(
                f"an interrupt that was not recorded: message {self._book.seq(running.script.cue)}"
                " was broken off"
            )
        self._run(queue, now)

    def _count(self, running: Performance) -> int:
        """The execution count of a cell; where it tells none the last that was told."""
        table = self._book.table
        for step in islice(running.script.steps, _AT_ONCE):
            if isinstance(step, Line) and step.asked and table.msg_type(step.place) in COUNTING:
                with suppress(KspyError):
                    count = self._speaker.recorded(step.place).count
                    return self._improviser.count if count is None else count
        return self._improviser.count

    # Performances

    def _perform(self, performance: Performance, queue: Queue | None, now: float) -> None:
        """Go on with a performance, and with its queue where it is over."""
        self._play(performance, queue, now)
        if queue is not None:
            self._run(queue, now)

    def _play(self, performance: Performance, queue: Queue | None, now: float) -> None:
        """Say what it is time for, up to a pause, a gate or the end."""
        self._homes[performance] = queue
        last = performance.position + _AT_ONCE
        while not self.ended:
            self._release(performance, queue)
            step = performance.step
            if step is None:
                if not performance.script.hangs:
                    self._drop(performance)
                return
            if isinstance(step, Gate) and step.waits_for != "death":
                if not performance.passes(step, now):
                    return
            elif (due := performance.due(step)) > now or performance.position >= last:
                self._timers.set(performance, max(due, now))
                return
            elif isinstance(step, Gate):
                if not performance.script.revives:
                    self.ended = "the recorded kernel died here"
                    return
                self._forget()
                self._homes[performance] = queue
            else:
                self._say_line(performance, step)
            performance.next()

    def _release(self, performance: Performance, queue: Queue | None) -> None:
        """Let the next request have its turn, where this one is over."""
        over = performance.over and not performance.script.hangs
        if over and queue is not None and queue.running is performance:
            queue.running = None

    def _drop(self, performance: Performance) -> None:
        self._homes.pop(performance, None)
        self._timers.drop(performance)

    def _say_line(self, performance: Performance, line: Line) -> None:
        if performance.retold and not line.asked:
            return
        request = performance.request
        try:
            recorded = self._speaker.recorded(line.place)
        except KspyError as error:
            self._say(str(error))
            return
        if recorded.count is not None:
            self._improviser.count = recorded.count
        channel, identities = recorded.channel, recorded.topic
        if channel != "iopub":
            if request is None:
                return
            channel = "stdin" if channel == "stdin" else request.channel
            identities = request.identities
        if not recorded.whole:
            told = recorded.frames if channel == "iopub" else [*identities, *recorded.frames[1:]]
            self._emit(channel, told)
            return
        if channel == "stdin" and request and not self._asks(performance, request):
            return
        header = self._speaker.header(recorded)
        if channel != "iopub":
            performance.said[line.place] = header
        rename = self._rename(performance, line, recorded)
        parent = self._parent(performance, recorded) if line.asked else None
        if parent is not None:
            parent = self._speaker.parent(recorded, parent)
        frames = self._speaker.frames(recorded, header, parent, rename)
        if recorded.msg_type.startswith("comm_"):
            content = decode(frames[5])
            self.comms.see(recorded.msg_type, content.value if content else {})
        self._emit(channel, [*identities, *frames])

    def _rename(self, performance: Performance, line: Line, recorded: Recorded) -> Rename | None:
        request, naming = performance.request, performance.naming
        if request is None or naming is None:
            return None
        if line.asked:
            self._renaming.about_to_say(recorded, naming, request)
        return self._renaming.of(recorded, naming, request)

    def _parent(self, performance: Performance, recorded: Recorded) -> bytes:
        """The new header of the message that this one answers."""
        asked = performance.request.raw_header if performance.request else b"{}"
        if recorded.parent is None or recorded.parent == performance.script.cue:
            return asked
        for headers in (performance.said, performance.answers):
            if recorded.parent in headers:
                return headers[recorded.parent]
        return asked

    def _asks(self, performance: Performance, request: Request) -> bool:
        """Ask the client for input, if it allows that."""
        if request.content.get("allow_stdin", True) is False:
            performance.skip("input")
            self._say(
                f"message {self._book.seq(performance.script.cue)} asked for input then, and this"
                " client allows none: what follows is as it was recorded"
            )
            return False
        self._asking[request.client] = performance
        return True
