"""A session in parts that can be compared with another's: requests, and what nobody asked for.

What varies by nature in how a session is put together is left out here, by the rules that say so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Hashable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kspy.analysis.kernel_life import KernelLife
from kspy.analysis.sameness.rules import (
    CHANNEL_ORDER,
    COPIES,
    DEBUGGER,
    DEBUGGING,
    ENDING,
    GREETINGS,
    HEARTBEATS,
    READINESS,
    STARTING,
    Rules,
)
from kspy.analysis.sameness.said import Said, Side
from kspy.analysis.table import Table
from kspy.recording.event import Event
from kspy.recording.outcome import BUSY, IDLE
from kspy.recording.outcome import STARTING as IS_STARTING
from kspy.wire.frames import CHANNELS
from kspy.wire.message import ENCODED

_HB: Final = CHANNELS.index("hb")
_IOPUB: Final = CHANNELS.index("iopub")
_SUBSHELL: Final = "create_subshell_reply"
_READY: Final = "kernel_info_request"
_SHUTDOWN: Final = "shutdown_request"
_RESTARTED: Final = "kernel_restarted"
_DIED: Final = "kernel_died"


class Parts:
    """Of all that a table has now.

    requests   places of what clients asked, in order
    unasked    places of what the kernel said that no request asked for, in order
    ends       numbers of the events that tell that a kernel died or was restarted
    left_out   how many messages were left out, by the names of rules
    """

    def __init__(self, table: Table, rules: Rules, threads: Collection[int] | None = None) -> None:
        """`threads`: of requests only these, by their numbers, and nothing unasked."""
        self.table = table
        self.left_out: Counter[str] = Counter()
        self._rules = rules
        self._length = len(table)
        self._event_count = table.event_count
        numbers = table.thread_numbers[: self._length]
        self._order: NDArray[Any] = np.argsort(numbers, kind="stable").astype(np.int32)
        if rules.has(COPIES):
            copies = self._copies()
            self.left_out[COPIES] += int(copies.sum())
            self._order = self._order[~copies[self._order]]
        count = int(numbers.max(initial=-1)) + 1
        if rules.has(ENDING):
            last = self._last_words(table.heads[:count])
            self.left_out[ENDING] += len(last)
            self._order = self._order[~np.isin(self._order, last)]
        self._starts = np.searchsorted(numbers[self._order], np.arange(count + 1))
        self._subshells = _SUBSHELL in table.names
        self._restarts = [
            table.event_place(n)
            for n in range(self._event_count)
            if table.event(n).name == _RESTARTED
        ]
        wanted = None if threads is None else frozenset(threads)
        heads = table.heads[:count]
        asked = ~np.isin(heads, self._said_by_kernel(heads))
        self.requests = self._without_waiting(
            [
                place
                for thread, place in enumerate(heads.tolist())
                if asked[thread] and (wanted is None or thread in wanted)
            ]
        )
        self.unasked = [] if wanted is not None else list(self._unasked(heads[~asked].tolist()))
        self.ends = list(self._ends(wanted))

    def side(self, place: int) -> Side:
        """The thread of the request, or of the unasked message, in `place`."""
        thread = self.table.thread(place)
        if thread < 0:
            return Side(self.table, [place])
        start, stop = self._starts[thread], self._starts[thread + 1]
        return Side(self.table, self._order[start:stop].tolist())

    def order_of(self, place: int, clients: dict[int, int]) -> Hashable:
        """Among which requests the order of one counts, as far as `clients` are told apart."""
        client = clients.get(self.table.client(place), 0)
        if not self._rules.has(CHANNEL_ORDER):
            return client
        return client, self.table.channel(place)

    def subshell(self, place: int) -> Hashable:
        """The subshell that a request is for; what they do goes on at the same time."""
        if not self._subshells:
            return None
        message = Said(self.table, (place,)).message
        return None if message is None else repr(message.header.get("subshell_id"))

    def thread_of(self, item: int) -> int:
        """Number of the thread that an item begins; of an event, the one that was running."""
        if item >= 0:
            return self.table.thread(item)
        place = self.table.event_place(-1 - item)
        return int(np.searchsorted(self.table.heads, place)) - 1

    def end_kind(self, number: int) -> Hashable:
        """How the kernel ended, by the event with this number: the same for what is the same."""
        event = self.table.event(number)
        return event.name, repr(event.data.get("signal")), repr(event.data.get("exit_status"))

    def gaps(self) -> Iterator[Event]:
        """Where messages are missing."""
        for number in range(self._event_count):
            if self.table.event(number).name == "gap":
                yield self.table.event(number)

    def _said_by_kernel(self, heads: NDArray[Any]) -> NDArray[Any]:
        rows = self.table.rows(0, self._length)
        said: NDArray[Any] = heads[rows.to_client[heads]]
        return said

    def _without_waiting(self, requests: list[int]) -> list[int]:
        """Of the times a client asked whether the kernel is there, one; see the rule."""
        if not self._rules.has(READINESS):
            return requests
        table = self.table
        runs: dict[tuple[int, int], list[int]] = {}
        begun: set[tuple[int, int]] = set()
        for place in requests:
            waiting = table.client(place), bisect_right(self._restarts, place)
            if table.msg_type(place) != _READY:
                begun.add(waiting)
            elif waiting not in begun:
                runs.setdefault(waiting, []).append(place)
        dropped: set[int] = set()
        for run in runs.values():
            kept = max(run, key=self._worth)
            dropped.update(place for place in run if place != kept)
        self.left_out[READINESS] += len(dropped)
        return [place for place in requests if place not in dropped]

    def _worth(self, place: int) -> tuple[bool, bool, int]:
        """Which of several askings is the one that was meant: the last one that was answered,
        on shell, for kspy itself asks on control as well."""
        answered = self.table.reply(self.table.thread(place)) is not None
        return answered, self.table.channel(place) == "shell", place

    def _unasked(self, heads: list[int]) -> Iterator[int]:
        if self._rules.has(HEARTBEATS):
            self.left_out[HEARTBEATS] += int(self._starts[0]) if len(self._starts) else self._length
        else:
            heads = sorted([*heads, *self._heartbeats()])
        seen: set[str] = set()
        for place in heads:
            rule = self._housekeeping(place) or self._copied(place, seen)
            if rule and self._rules.has(rule):
                self.left_out[rule] += 1
            else:
                yield place

    def _copies(self) -> NDArray[Any]:
        """What was published for a request, as it came to other clients than who asked."""
        rows = self.table.rows(0, self._length)
        copies: NDArray[Any] = np.zeros(self._length, bool)
        sockets = (rows.flags & ENCODED) != 0
        places = np.flatnonzero(sockets & rows.to_client & (rows.channels == _IOPUB))
        threads = rows.threads[places]
        heads = self.table.heads[threads]
        own = rows.clients[places] == rows.clients[heads]
        told = np.isin(threads, threads[own])  # who asked may have left before the answer
        copies[places[~own & told & ~rows.to_client[heads]]] = True
        return copies

    def _last_words(self, heads: NDArray[Any]) -> list[int]:
        """That a kernel is idle after it has replied that it shuts down: it may be gone before."""
        if _SHUTDOWN not in self.table.names:
            return []
        shutdown = self.table.names.index(_SHUTDOWN)
        threads = np.flatnonzero(self.table.rows(0, self._length).types[heads] == shutdown)
        idles = (self.table.idle(thread) for thread in threads.tolist())
        return [place for place in idles if place is not None and place < self._length]

    def _heartbeats(self) -> list[int]:
        found: list[int] = np.flatnonzero(self.table.thread_numbers[: self._length] < 0).tolist()
        return found

    def _copied(self, place: int, seen: set[str]) -> str:
        """Its rule, if it is what a server has sent to another client before."""
        if self.table.channel(place) != "iopub" or not self.table.columns.flags[place] & ENCODED:
            return ""
        message = Said(self.table, (place,)).message
        if message is None or not message.msg_id:
            return ""
        if message.msg_id in seen:
            return COPIES
        seen.add(message.msg_id)
        return ""

    def _housekeeping(self, place: int) -> str:
        """The rule by which a message that nobody asked for varies by nature, if it is in force."""
        msg_type = self.table.msg_type(place)
        if msg_type == "iopub_welcome":
            return GREETINGS
        if msg_type == "shutdown_reply":
            return ENDING
        said = Said(self.table, (place,))
        if msg_type == "stream":
            return DEBUGGER if said.is_idle_talk(self._rules) else ""
        if msg_type == "debug_event":
            return DEBUGGING if said.is_idle_talk(self._rules) else ""
        if msg_type != "status":
            return ""
        outcome, message = self.table.outcome(place), said.message
        if outcome == IS_STARTING:
            return STARTING
        if outcome not in (BUSY, IDLE):
            return ""  # that it restarts, or is dead, is no small matter
        return STARTING if message is not None and not message.parent_id else ENDING

    def _ends(self, threads: frozenset[int] | None) -> Iterator[int]:
        """A kernel that ended because it was told to did not die."""
        life = KernelLife()
        table = self.table
        for number in range(self._event_count):
            event = table.event(number)
            life.add(event.name)
            died = event.name == _DIED and life.ended(number + 1) == "dead"
            if not (died and event.data.get("exit_status") != 0) and event.name != _RESTARTED:
                continue
            if threads is None or self.thread_of(-1 - number) in threads:
                yield number
