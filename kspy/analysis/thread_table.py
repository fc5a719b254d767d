"""Which thread each message belongs to, and how each thread's request fared, as columns.

The same rules as `kspy.recording.threads` (who belongs where) and `kspy.analysis.timing` (what
is the reply, what the end), worked out for a batch of messages at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kspy.analysis.growing import Growing
from kspy.analysis.timing import State, Timing
from kspy.recording.outcome import ABORTED, ERROR, ERROR_TYPES, IDLE
from kspy.wire.frames import CHANNELS

if TYPE_CHECKING:
    from kspy.analysis.table import PlainRows

Array = NDArray[Any]

STATES: Final[tuple[State | None, ...]] = (None, "waiting", "ok", "error", "aborted")
"""How a request fared, by its code; None for a thread that begins with what needs no answer."""

NO_STATE, WAITING, OK, FAILED, ABANDONED = range(len(STATES))

_NONE: Final = -1
_HB: Final = CHANNELS.index("hb")
_IOPUB: Final = CHANNELS.index("iopub")
_SHELL: Final = CHANNELS.index("shell")
_CONTROL: Final = CHANNELS.index("control")
_NEEDS_REPLY, _NEEDS_IDLE = 1, 2
_FAILED, _ABORTED = 1, 2


class ThreadTable:
    """Per message: `parents`, `numbers`. Per thread: `heads`, `sizes`, and its milestones."""

    def __init__(self) -> None:
        self.parents = Growing(np.int32)
        self.numbers = Growing(np.int32)
        self.heads = Growing(np.int32)
        self.sizes = Growing(np.int32)
        self._lasts = Growing(np.int32)
        self._needs = Growing(np.uint8)
        self._routes = Growing(np.uint8)
        self._verdicts = Growing(np.uint8)
        self._outputs = Growing(np.int32)
        self._replies = Growing(np.int32)
        self._idles = Growing(np.int32)

    def add(self, rows: PlainRows, names: Sequence[str]) -> None:
        """Take the next messages; `names` are the message types that `rows.types` point to."""
        parents = rows.parent_places
        numbers = self._number(rows, parents, names)
        self.parents.extend(parents.astype(np.int32))
        self.numbers.extend(numbers)
        inside = numbers >= 0
        threads, places = numbers[inside], np.arange(rows.start, rows.stop)[inside]
        np.add.at(self.sizes.values, threads, 1)
        self._lasts.values[threads] = places  # of the same thread's, the last one stays
        self._note(rows, names, parents, numbers)

    def _number(self, rows: PlainRows, parents: Array, names: Sequence[str]) -> Array:
        """The thread of each message, where new ones begin."""
        start, n = rows.start, len(rows)
        inside = parents >= start
        roots = np.where(inside, parents - start, np.arange(n))
        while not np.array_equal(further := roots[roots], roots):
            roots = further
        above = parents[roots]  # the nearest ancestor before this batch, of the root
        numbers = np.full(n, _NONE, np.int32)
        known = above >= 0
        numbers[known] = self.numbers.values[above[known]]
        begins = (numbers < 0) & (roots == np.arange(n)) & (rows.channels != _HB)
        heads = np.flatnonzero(begins)
        fresh = np.full(n, _NONE, np.int32)
        fresh[heads] = len(self.heads) + np.arange(len(heads))
        self._begin(rows, heads, names)
        numbers = np.where(numbers < 0, fresh[roots], numbers)
        numbers[rows.channels == _HB] = _NONE
        return numbers

    def _begin(self, rows: PlainRows, heads: Array, names: Sequence[str]) -> None:
        n = len(heads)
        self.heads.extend((heads + rows.start).astype(np.int32))
        self.sizes.extend(np.zeros(n, np.int32))
        self._lasts.extend((heads + rows.start).astype(np.int32))
        self._routes.extend(rows.routes[heads])
        self._verdicts.extend(np.zeros(n, np.uint8))
        for milestone in (self._outputs, self._replies, self._idles):
            milestone.extend(np.full(n, _NONE, np.int32))
        types, channels = rows.types[heads], rows.channels[heads]
        asks = ~rows.to_client[heads] & ((channels == _SHELL) | (channels == _CONTROL))
        request = _those(names, lambda name: name.endswith("_request"))[types]
        comm = _those(names, lambda name: name.startswith("comm_"))[types]
        needs = np.where(request, _NEEDS_REPLY, np.where(comm, _NEEDS_IDLE, 0))
        self._needs.extend(np.where(asks, needs, 0).astype(np.uint8))

    def _note(self, rows: PlainRows, names: Sequence[str], parents: Array, numbers: Array) -> None:
        """Find what each thread waited for among the messages of this batch."""
        places = np.arange(rows.start, rows.stop)
        inside = numbers >= 0
        threads = np.where(inside, numbers, 0)
        heads = self.heads.values[threads] if len(self.heads) else threads
        inside &= places != heads
        direct = inside & (parents == heads)
        iopub = rows.channels == _IOPUB
        self._first(self._outputs, threads, inside & iopub)
        idle = direct & iopub & (rows.outcomes == IDLE)
        self._first(self._idles, threads, idle)
        failed = direct & iopub & _those(names, ERROR_TYPES.__contains__)[rows.types]
        self._verdicts.values[threads[failed]] |= _FAILED
        same = rows.channels == (self._routes.values[threads] & 7) if len(self.heads) else ~inside
        reply = direct & ~iopub & rows.to_client & same
        reply &= _those(names, lambda name: name.endswith("_reply"))[rows.types]
        self._reply(threads, reply, rows)

    def _first(self, milestone: Growing, threads: Array, found: Array) -> Array:
        """Set a milestone of each thread, where it is not set, to the first place `found`.

        Gives the rows that it was set to.
        """
        rows = np.flatnonzero(found)
        rows = rows[milestone.values[threads[rows]] < 0]
        _, first = np.unique(threads[rows], return_index=True)
        rows = rows[first]
        milestone.values[threads[rows]] = rows + (len(self.parents) - len(threads))
        return rows

    def _reply(self, threads: Array, found: Array, rows: PlainRows) -> None:
        first = self._first(self._replies, threads, found)
        outcomes = rows.outcomes[first]
        verdicts = np.where(outcomes == ERROR, _FAILED, np.where(outcomes == ABORTED, _ABORTED, 0))
        self._verdicts.values[threads[first]] |= verdicts.astype(np.uint8)

    # Reading

    def members(self, thread: int) -> Array:
        """Places of a thread's messages, in order."""
        head, last = self.heads[thread], self._lasts[thread]
        return head + np.flatnonzero(self.numbers.values[head : last + 1] == thread)

    def reply(self, thread: int) -> int | None:
        return _known(self._replies[thread])

    def first_output(self, thread: int) -> int | None:
        return _known(self._outputs[thread])

    def idle(self, thread: int) -> int | None:
        return _known(self._idles[thread])

    def timing(self, thread: int, time_ns: Callable[[int], int], limit: int) -> Timing:
        """By the messages before the place `limit`."""
        begun = time_ns(self.heads[thread])

        def after(milestone: Growing) -> int | None:
            place = milestone[thread]
            return None if not 0 <= place < limit else time_ns(place) - begun

        output, reply, idle = map(after, (self._outputs, self._replies, self._idles))
        state = STATES[self._states_of(np.array([thread]))[0]]
        needed = reply if self._needs[thread] == _NEEDS_REPLY else idle
        if state is not None and needed is None:
            state = "waiting"
        return Timing(state, output, reply, idle)

    def states(self, rows: PlainRows) -> Array:
        """Codes of `STATES` of the messages that begin threads, 0 for all others."""
        states = np.zeros(len(rows), np.uint8)
        first, stop = np.searchsorted(self.heads.values, (rows.start, rows.stop))
        threads = np.arange(first, stop)
        states[self.heads.values[first:stop] - rows.start] = self._states_of(threads)
        return states

    def _states_of(self, threads: Array) -> Array:
        needs, verdicts = self._needs.values[threads], self._verdicts.values[threads]
        missing = np.where(
            needs == _NEEDS_REPLY,
            self._replies.values[threads] < 0,
            self._idles.values[threads] < 0,
        )
        settled = np.where(verdicts & _FAILED, FAILED, np.where(verdicts & _ABORTED, ABANDONED, OK))
        return np.where(needs == 0, NO_STATE, np.where(missing, WAITING, settled)).astype(np.uint8)

    def latencies(self, rows: PlainRows, time_at: Callable[[Array], Array]) -> Array:
        """ns from request to reply, in the rows of both; -1 in all others."""
        latencies = np.full(len(rows), -1, np.int64)
        numbers = self.numbers.values[rows.start : rows.stop]
        if not len(self.heads):
            return latencies
        threads = np.where(numbers >= 0, numbers, 0)
        heads, replies = self.heads.values[threads], self._replies.values[threads]
        places = np.arange(rows.start, rows.stop)
        answered = (numbers >= 0) & (replies >= 0)
        for these, others in ((heads, replies), (replies, heads)):
            found = np.flatnonzero(answered & (places == these))
            latencies[found] = np.abs(time_at(others[found]) - rows.times[found])
        return latencies


def _known(place: int) -> int | None:
    return None if place < 0 else place


def _those(names: Sequence[str], test: Callable[[str], bool]) -> Array:
    """Which of the message types pass `test`, as a column to be indexed with types."""
    return np.array([test(name) for name in names] or [False], bool)
