"""What the recorded kernel did when a request came: the messages that it said, and what it
waited for.

Theory of operation: a *cue* is a recorded message that a client sent on shell or control. To it
belong the kernel's messages whose parents lead to it and to no later cue. What the kernel said
with no request of the recording as a parent belongs to the cue that came last before it.

Times count from when the recorded kernel began with the cue: when it came, or when the kernel had
ended the one before on the same channel. What the kernel said only after the client had done
something, as answered an `input_request` or interrupted, is behind a *gate*.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from kspy.analysis.table import Array, Table
from kspy.errors import KspyError
from kspy.recording.outcome import IDLE, OK, STARTING
from kspy.wire.frames import CHANNELS
from kspy.wire.message import ENCODED, REDELIVERED, TO_CLIENT

Waited = Literal["input", "interrupt", "death"]

_HB: Final = CHANNELS.index("hb")
_STDIN: Final = CHANNELS.index("stdin")
_ASKING: Final = (CHANNELS.index("shell"), CHANNELS.index("control"))
_RESTARTS: Final = ("kernel_started", "kernel_restarted")
_ENDS: Final = ("kernel_died", "kernel_restarted")
_INTERRUPT: Final = "interrupt_request"
_SHUTTING_NS: Final = 1_000_000_000
_KEPT: Final = 1024
"""Scripts that are kept; of a long recording they are made again."""


@dataclass(frozen=True, slots=True)
class Line:
    """A message to say. `asked`: is it an answer, not what the kernel said of its own accord?"""

    place: int
    at_ns: int
    asked: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """Until this happens nothing more is said. `place`: of the message that it was, or after that.

    "death": the recorded kernel died here, so nothing more is said at all.
    """

    waits_for: Waited
    place: int
    at_ns: int


Step = Line | Gate


@dataclass(frozen=True, slots=True)
class Script:
    """What follows a cue, which is a place in the recording.

    over      after so many steps it is the next request's turn
    replied   was there a reply?
    whole     and idle, too?
    hangs     the recorded kernel never came back from it
    revives   after a "death": did another kernel take its place?
    """

    cue: int
    msg_type: str
    steps: Sequence[Step]
    over: int
    replied: bool
    whole: bool
    hangs: bool
    revives: bool


class Scripts:
    """The scripts of a recording, each made when it is asked for.

    cues   places of the messages that clients sent on shell and control, in order
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        rows = table.rows(0, len(table))
        channels = rows.channels
        is_cue = ~rows.to_client & np.isin(channels, _ASKING)
        self.cues: Array = np.flatnonzero(is_cue)
        self._cue_list: list[int] = self.cues.tolist()
        self._kinds: Array = rows.types[self.cues]
        self._same_channel = {
            channel: self.cues[channels[self.cues] == channel].tolist() for channel in _ASKING
        }
        owners = _owners(rows.parents, is_cue)
        self._by_owner = np.argsort(owners, kind="stable")
        self._sorted_owners = owners[self._by_owner]
        self._interrupts = self._find_interrupts()
        self._shutdowns = [table.time_ns(place) for place in self._cues_of("shutdown_request")]
        self._unasked: list[int] = np.flatnonzero((owners < 0) & self._may_be_said()).tolist()
        self.of = lru_cache(_KEPT)(self._make)

    @property
    def before_all(self) -> Sequence[int]:
        """What the kernel said before any request came."""
        return self._unasked_of(-1)

    def _cues_of(self, msg_type: str) -> list[int]:
        """The places of the cues of a type."""
        kinds = [kind for kind, name in enumerate(self._table.names) if name == msg_type]
        found: list[int] = self.cues[np.isin(self._kinds, kinds)].tolist()
        return found

    def _find_interrupts(self) -> list[tuple[int, int]]:
        """Each as the place before which it happened, and when: by message or by the tap."""
        table = self._table
        found = [(place + 1, table.time_ns(place)) for place in self._cues_of(_INTERRUPT)]
        found += [
            (table.event_place(number), event.time_ns)
            for number, event in enumerate(table.events)
            if event.name == "kernel_interrupted"
        ]
        return sorted(found)

    def _may_be_said(self) -> Array:
        """Of each message: is it one that a kernel says again though nobody asks?"""
        table = self._table
        rows = table.rows(0, len(table))
        said: Array = rows.to_client & (rows.channels != _HB) & ((rows.flags & REDELIVERED) == 0)
        greetings = np.array([name == "iopub_welcome" for name in table.names] or [False], bool)
        said &= ~greetings[rows.types]
        events = enumerate(table.events)
        again = next((n for n, event in events if event.name == "kernel_restarted"), None)
        first_life = len(table) if again is None else table.event_place(again)
        said[:first_life] &= rows.outcomes[:first_life] != STARTING
        for start, stop in self._endings():
            said[start:stop] = False
        return said

    def _endings(self) -> Iterator[tuple[int, int]]:
        """Where the kernel was being shut down by somebody else than the clients."""
        table = self._table
        start: int | None = None
        for number, event in enumerate(table.events):
            if event.name == "kernel_shut_down" and start is None:
                start = table.event_place(number)
            elif event.name in _RESTARTS and start is not None:
                yield start, table.event_place(number)
                start = None
        if start is not None:
            yield start, len(table)

    def _belonging(self, cue: int) -> list[int]:
        """The places of the messages that the cue is the nearest above, in order."""
        start, stop = np.searchsorted(self._sorted_owners, (cue, cue + 1))
        found: list[int] = self._by_owner[start:stop].tolist()
        return found

    def _answers(self, cue: int) -> list[int]:
        """The places of what the kernel said to it, in order."""
        routes, flags = self._table.columns.routes, self._table.columns.flags
        found = [
            place
            for place in self._belonging(cue)
            if routes[place] & TO_CLIENT and not flags[place] & REDELIVERED
        ]
        return self._without_copies(found) if found and flags[cue] & ENCODED else found

    def _without_copies(self, places: list[int]) -> list[int]:
        """Over WebSockets each client gets a copy of what is published; one is enough."""
        seen: set[str] = set()
        found = []
        for place in places:
            try:
                msg_id = self._table.load(place).msg_id
            except KspyError:
                msg_id = ""
            if not msg_id or msg_id not in seen:
                found.append(place)
            seen.add(msg_id)
        return found

    def _unasked_of(self, cue: int) -> list[int]:
        number = bisect_right(self._cue_list, cue)
        end = self._cue_list[number] if number < len(self._cue_list) else len(self._table)
        start = bisect_right(self._unasked, cue)
        return self._unasked[start : bisect_left(self._unasked, end)]

    def _make(self, cue: int) -> Script:
        table = self._table
        answers = self._answers(cue)
        lost = table.msg_type(cue).endswith("_request") and not self._is_over(cue, answers)
        death = self._death(cue, answers) if lost else None
        stuck = lost and self._is_stuck(cue, death)
        death = death if stuck else None
        gates = self._gates(cue, answers)
        if death is not None:
            gates.append(Gate("death", table.event_place(death), table.event(death).time_ns))
        steps, over = self._steps(cue, answers, gates)
        replied = self._replied(cue, answers)
        return Script(
            cue,
            table.msg_type(cue),
            steps,
            over,
            replied=replied,
            whole=replied and self._idled(cue, answers),
            hangs=stuck and death is None,
            revives=death is not None and self._revives(death),
        )

    def _steps(
        self, cue: int, answers: Sequence[int], gates: Sequence[Gate]
    ) -> tuple[Sequence[Step], int]:
        """Lines and gates in order, and after how many of them it is the next one's turn."""
        table = self._table
        began = self._began(cue, answers)
        said = dict.fromkeys(self._unasked_of(cue), False) | dict.fromkeys(answers, True)
        steps: list[Step] = []
        over, at_ns, passed = 0, 0, 0
        for place in [*sorted(said), len(table)]:
            while passed < len(gates) and gates[passed].place <= place:
                at_ns = max(at_ns, gates[passed].at_ns - began)
                steps.append(replace(gates[passed], at_ns=at_ns))
                over = len(steps)
                passed += 1
            if place < len(table):
                at_ns = max(at_ns, table.time_ns(place) - began)
                steps.append(Line(place, at_ns, said[place]))
                over = len(steps) if said[place] else over
        return tuple(steps), over

    def _is_stuck(self, cue: int, death: int | None) -> bool:
        """Did the kernel say nothing any more to those that came later, till it died if it did?"""
        table = self._table
        end = len(table) if death is None else table.event_place(death)
        others = self._same_channel[table.columns.routes[cue] & 7]
        for other in others[bisect_right(others, cue) :]:
            if other >= end:
                break
            if self._answers(other):
                return False
        return True

    def _began(self, cue: int, answers: Sequence[int]) -> int:
        """When the recorded kernel began with it, Unix time in ns."""
        table = self._table
        others = self._same_channel[table.columns.routes[cue] & 7]
        number = bisect_left(others, cue)
        began = table.time_ns(cue)
        if number:
            before = self._answers(others[number - 1])
            began = max(began, table.time_ns(before[-1])) if before else began
        return min(began, table.time_ns(answers[0])) if answers else began

    def _is_over(self, cue: int, answers: Sequence[int]) -> bool:
        return self._replied(cue, answers) or self._idled(cue, answers)

    def _replied(self, cue: int, answers: Sequence[int]) -> bool:
        return any(self._is_reply(cue, place) for place in answers)

    def _is_reply(self, cue: int, place: int) -> bool:
        table = self._table
        return table.channel(place) == table.channel(cue) and table.parent(place) == cue

    def _idled(self, cue: int, answers: Sequence[int]) -> bool:
        table = self._table
        return any(table.outcome(place) == IDLE and table.parent(place) == cue for place in answers)

    def _death(self, cue: int, answers: Sequence[int]) -> int | None:
        """Number of the event by which the kernel ended before it was done with the cue."""
        table = self._table
        last = answers[-1] if answers else cue
        return next(
            (
                number
                for number, event in enumerate(table.events)
                if event.name in _ENDS and table.event_place(number) > last
            ),
            None,
        )

    def _revives(self, death: int) -> bool:
        return any(event.name in _RESTARTS for event in self._table.events[death:])

    def _gates(self, cue: int, answers: Sequence[int]) -> list[Gate]:
        """What the client did meanwhile, before which place; when is still as recorded."""
        if not answers:
            return []
        table = self._table
        routes = table.columns.routes
        found = [
            Gate("input", place, table.time_ns(place))
            for place in self._belonging(cue)
            if routes[place] & 15 == _STDIN and place < answers[-1]
        ]
        if table.msg_type(cue) == "execute_request":
            others = self._same_channel[routes[cue] & 7]
            number = bisect_left(others, cue)
            before = self._answers(others[number - 1]) if number else []
            first = max(cue, before[-1] if before else cue)
            replies = (place for place in answers if self._is_reply(cue, place))
            last = next(replies, answers[-1])  # an interrupt after it changed nothing
            found += [
                Gate("interrupt", place, time_ns)
                for place, time_ns in self._interrupts
                if first < place <= last and self._mattered(time_ns, last)
            ]
        return sorted(found, key=lambda gate: gate.place)

    def _mattered(self, time_ns: int, last: int) -> bool:
        """Was the cell, which ends with its reply in the place `last`, still running?

        Who shuts a kernel down interrupts it first, as Jupyter's own manager does. What a cell that
        was done by then had said may be recorded after that, where the tap had no time before.
        """
        if self._table.outcome(last) != OK:
            return True
        if self._table.time_ns(last) < time_ns:
            return False
        number = bisect_left(self._shutdowns, time_ns)
        shut = number < len(self._shutdowns)
        return not (shut and self._shutdowns[number] <= time_ns + _SHUTTING_NS)


def _owners(parents: Array, is_cue: Array) -> Array:
    """Of each message: the nearest cue that its parents lead to, itself if it is one; else -1.

    By doubling the distance looked at, so that a chain of parents, however long, costs little.
    """
    places = np.arange(len(parents))
    above = np.where(is_cue | (parents < 0), places, parents)
    while not np.array_equal(further := above[above], above):
        above = further
    owners: Array = np.where(is_cue[above], above, -1)
    return owners
