"""Plays a script: sends what it says, when what it waits for has come, and notes what happened.

Theory of operation: the script is gone through from its first item to its last. A `Wait` holds up
what follows until the new session has come as far; a `Send` is held up, too, until its recorded
time, unless it is to go fast. What comes from the kernel is taken by `take`, at any time; it wakes
who waits. The replay is over before its end where the kernel hangs, dies, or its user has enough.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from kspy.analysis.sameness.ids import Ids
from kspy.analysis.sanitize import cut, one_line
from kspy.analysis.summary import summarize
from kspy.analysis.table import Table
from kspy.analysis.timing import expects_answer
from kspy.errors import KspyError
from kspy.replay.client.items import (
    FINISH,
    MAKERS,
    NOBODY,
    REPLY,
    Death,
    Interrupt,
    Item,
    Restart,
    Running,
    Send,
    Wait,
)
from kspy.replay.client.lines import Lines
from kspy.replay.client.pacing import Pace, Pacing
from kspy.replay.client.progress import Progress
from kspy.replay.client.script import Script
from kspy.replay.client.settling import Settling
from kspy.replay.client.story import End, Story
from kspy.replay.client.translate import CannotSendError, Translator
from kspy.replay.client.waiting import Waiting
from kspy.speak.hearing import told_end, until_ended
from kspy.speak.link import Host, LinkLostError
from kspy.speak.log import Log
from kspy.speak.thread import LATE_REPLY_SECONDS
from kspy.wire.message import Message, text

_DEATH_SECONDS: Final = 2.0
"""How long a kernel that has finished all may take to die, where it died in the recording."""
_WHERE: Final = 60
_TOLD: Final = 5
"""Messages that were not come to that are told."""
_GONE: Final = "the kernel was gone"
_LOOK_SECONDS: Final = 0.1
"""Between two looks whether a kernel that was asked to end has ended."""


class _OverError(Exception):
    """The replay is not gone on with."""


class Player:
    """Plays one script to one kernel.

    on_step   is told how many of the script's items are done, and what is waited for
    """

    def __init__(
        self,
        table: Table,
        script: Script,
        host: Host,
        log: Log,
        pace: Pace,
        on_step: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.story = Story()
        self._table = table
        self._script = script
        self._host = host
        self._log = log
        self._pace = pace
        self._on_step = on_step
        self._waiting = Waiting()
        self._lines = Lines(host, log, self._waiting, self._take, self._lose)
        self._translator = Translator(Ids())
        self._progress = Progress(script.measured)
        self._pacing = Pacing(pace, self._waiting, self._progress, self._is_lost)
        self._settling = Settling(script, pace, self._pacing, self._waiting, self._progress)
        self._at = 0
        self._dead = ""
        self._as_before = False
        self._ending = False
        self._starts = 0
        self._starting = self._shut_by_stranger = False

    async def play(self) -> Story:
        """Play it all. Raises `KspyError` where the kernel cannot be reached."""
        await self._lines.open()
        if self._host.owned:
            self._log.event("kernel_started", self._host.started)
        self._log.began = True
        watching = asyncio.create_task(self._watch())
        try:
            await self._lines.ready(lambda: bool(self._dead), self._pace.timeout)
            self._check()
            for number, item in enumerate(self._script.items):
                self._at = number
                await self._do(item)
                self._on_step(number + 1)
            await self._settling.wait(lambda: bool(self._dead))
            self._check()
            self._tell_of_stranger()
        except _OverError:
            self._tell_of_rest()
        finally:
            watching.cancel()
            await asyncio.wait((watching,))
        return self.story

    def stop(self) -> None:
        """Its user has had enough."""
        self._waiting.stop()

    @property
    def began(self) -> bool:
        """Is there a connection to the kernel?"""
        return self._log.began

    @property
    def alive(self) -> bool:
        """Is the kernel there, to be shut down?"""
        return not self._dead

    async def close(self) -> None:
        await self._lines.close()

    # Items

    async def _do(self, item: Item) -> None:
        if isinstance(item, Wait):
            await self._wait(item)
        elif isinstance(item, Send):
            await self._send(item)
        elif isinstance(item, Interrupt):
            await self._interrupt(item)
        elif isinstance(item, Death):
            await self._await_death()
        else:
            await self._restart(item)

    async def _wait(self, wait: Wait) -> None:
        progress = self._progress
        if wait.place not in progress or progress.has(wait) or self._gone:
            return

        def come() -> bool:
            return progress.has(wait) or progress.never(wait) or bool(self._dead)

        certain = self._pace.timeout
        seconds = certain if wait.certain else self._pacing.patience(wait.time_ns)
        sent = progress[wait.place]
        if wait.what == REPLY and not await self._waiting.until(
            lambda: come() or sent.idle, seconds
        ):
            self._hang(wait)
        if wait.what == REPLY:  # it was sent before the idle, but on another channel
            await self._waiting.until(come, LATE_REPLY_SECONDS)
        elif not await self._waiting.until(come, seconds):
            if wait.certain:
                self._hang(wait)
            progress.give_up(wait)
        self._check(None if wait.place == NOBODY else wait.place)

    def _hang(self, wait: Wait) -> None:
        self._check(wait.place)
        what = {REPLY: "its reply", FINISH: "its idle"}.get(wait.what, f"{wait.what} {wait.number}")
        self._give_up("hung", f"{what} did not come within {self._pace.timeout:g} s", wait.place)

    def _give_up(self, end: End, why: str, place: int | None) -> None:
        self._tell_of_stranger()
        self.story.end, self.story.why = end, why
        if place is not None:
            self.story.seq, self.story.where = self._table.seq(place), self._words(place)
        raise _OverError

    def _tell_of_rest(self) -> None:
        items = self._script.items[self._at :]
        sends = (item.place for item in items if isinstance(item, Send))
        left = [place for place in sends if place not in self._progress]
        self.story.left = len(left)
        self.story.left_at = [self._words(place) for place in left[:_TOLD]]

    def _words(self, place: int) -> str:
        """`#12 execute_request df.head()`, of a recorded message."""
        try:
            message = self._table.load(place)
        except KspyError:
            return f"#{self._table.seq(place)}"
        words = (message.msg_type, summarize(message))
        kind, said = (cut(one_line(word), _WHERE) for word in words)
        return f"#{message.seq} {kind} {said}".rstrip()

    def _check(self, place: int | None = None) -> None:
        """Is it to be gone on with?"""
        if self._waiting.stopped:
            self._give_up("interrupted", "it was interrupted", place)
        if self._is_lost():
            unfinished = self._progress.unfinished
            self._give_up("died", self._dead, place if unfinished is None else unfinished)

    @property
    def _gone(self) -> bool:
        """Did the kernel die as it did then, so that it is to be gone on with?"""
        return bool(self._dead) and self._as_before

    def _is_lost(self) -> bool:
        return bool(self._dead) and not self._as_before

    def _death_now(self) -> Death | None:
        """How the kernel died, in the recording, before it finished more than it has now."""
        for item in self._script.items[self._at :]:
            if isinstance(item, Death):
                return item
            if isinstance(item, Wait) and item.what in (REPLY, FINISH):
                come = item.place in self._progress and self._progress.has(item)
                if not come:
                    return None
        return None

    async def _send(self, send: Send) -> None:
        try:
            message = self._table.load(send.place)
        except KspyError:
            self.story.unsent["the recording has lost them"] += 1
            return
        question = self._question(send)
        if message.msg_type == "shutdown_request" and not self._host.owned:
            self.story.unsent["a kernel that somebody else started is not shut down"] += 1
            self.story.withheld.append(send.place)
            return
        if send.answers is not None and question is None:
            await self._pause(send)
            self.story.unsent["the kernel did not ask"] += 1
            return
        await self._pause(send, send.running)
        if self._gone and not self._lines.has(send.client):
            self.story.unsent[_GONE] += 1
            return
        try:
            await self._dispatch(send, message, question)
        except CannotSendError as error:
            self.story.unsent[str(error)] += 1
        except LinkLostError as error:
            self._lose(str(error))
            self._check(send.place)
            self.story.unsent[_GONE] += 1

    def _question(self, send: Send) -> Message | None:
        """The new `input_request` that takes the place of the one that was answered."""
        if send.answers is None or send.answers[0] not in self._progress:
            return None
        request, number = send.answers
        questions = self._progress[request].questions
        return questions[number - 1] if number <= len(questions) else None

    async def _dispatch(self, send: Send, message: Message, question: Message | None) -> None:
        letter = self._translator.letter(message, question)
        session = self._translator.session(text(message.header.get("session")))
        self._log.know(session, send.client)
        wire = await self._lines.wire(send.client, letter, session)
        self._tell_of_stranger()
        self._log.add(wire, "to_kernel", send.client)
        self._progress.send(
            send.place, letter.msg_id, message.channel, answered=expects_answer(message)
        )
        self.story.sent.append(send.place)
        if message.msg_type == "shutdown_request":
            self._ending = True
        await self._lines.send(send.client, wire)

    async def _pause(
        self, item: Send | Interrupt | Restart, running: Running | None = None
    ) -> None:
        """Wait until it is time for it."""
        if running is None or self._gone:
            await self._pacing.until(item.time_ns)
        else:
            await self._pacing.until_running(item.time_ns, running)
        self._check(None if running is None else running.place)

    async def _interrupt(self, item: Interrupt) -> None:
        await self._pause(item, item.running)
        try:
            self._log.event("kernel_interrupted", {"by": await self._host.interrupt()})
        except KspyError as error:
            self.story.unsent[str(error)] += 1

    async def _await_death(self) -> None:
        last, progress = self._progress.unfinished, self._progress
        await self._waiting.until(
            lambda: bool(self._dead) or progress.unfinished is None, self._pace.timeout
        )
        await self._waiting.until(lambda: bool(self._dead), _DEATH_SECONDS)
        self._check(last)
        if not self._dead and progress.unfinished is not None:
            why = "the kernel neither died, as it did in the recording, nor finished"
            self._give_up("hung", why, progress.unfinished)

    async def _restart(self, item: Restart) -> None:
        await self._pause(item)
        if not (self._dead and self._host.restarts):
            self._starting = True
            try:
                if self._ending and not self._host.restarts:
                    await self._let_end()
                await self._lines.restart()
            except KspyError as error:
                self.story.unsent[str(error)] += 1
                return
            finally:
                self._starting = False
        self._starts += 1
        self._dead, self._as_before, self._ending = "", False, False
        self._shut_by_stranger = False
        await self._lines.ready(lambda: bool(self._dead), self._pace.timeout, again=True)
        if item.told:
            self._log.event("kernel_restarted", self._host.started)

    async def _let_end(self) -> None:
        """A kernel that was asked to shut down says so, and ends by itself, before it is gone."""
        limit = self._waiting.now() + _DEATH_SECONDS
        while self._waiting.now() < limit and not await self._host.ended():
            if await self._waiting.until(lambda: False, _LOOK_SECONDS):
                return
        await self._waiting.until(lambda: False, _LOOK_SECONDS)

    # What comes

    def _take(self, message: Message) -> None:
        place = self._progress.see(message, self._waiting.now())
        msg_type = message.msg_type
        if (why := told_end(message)) and not self._dead and not self._starting:
            death = self._death_now()
            if death is None or death.told:
                self._log.event("kernel_died")
            self._lose(why)
        elif place is not None and msg_type in MAKERS:
            self._learn(place, message)
        elif message.channel == "iopub" and not self._starting:
            self._see_stranger(place, message)
        self._waiting.happened()

    def _see_stranger(self, place: int | None, message: Message) -> None:
        """Somebody else may restart the kernel meanwhile."""
        if place is None and message.msg_type == "shutdown_reply":
            self._shut_by_stranger = message.content.get("restart") is True
        elif self._shut_by_stranger and message.content.get("execution_state") == "starting":
            self._tell_of_stranger()

    def _tell_of_stranger(self) -> None:
        """It explains much. That the kernel starts may not be heard, if it is heard again late."""
        if self._shut_by_stranger:
            self._shut_by_stranger = False
            self._log.event("kernel_restarted", {"by": "somebody else"})

    def _learn(self, place: int, message: Message) -> None:
        """Find the recorded message that this one takes the place of."""
        number = len(self._progress[place].made[message.msg_type]) - 1
        recorded = self._script.makers.get((place, message.msg_type), [])
        if number < len(recorded):
            with contextlib.suppress(KspyError):  # the recording may have lost it
                self._translator.learn(self._table.load(recorded[number]), message)

    def _lose(self, why: str) -> None:
        if not self._dead:
            self._as_before = self._ending or self._death_now() is not None
            self._dead = why
        self._waiting.happened()

    async def _watch(self) -> None:
        """Each of the kernel's lives ends once; while it is started again, it may well be gone."""
        seen: int | None = None

        def life() -> int | None:
            return None if self._starting or self._starts == seen else self._starts

        while True:
            why = await until_ended(self._host, self._log, life)
            seen = self._starts
            self._lose(why)
