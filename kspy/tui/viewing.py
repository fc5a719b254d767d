"""What is shown of a recording: which items, in which order, up to where.

Theory of operation: the recording is read on, searched and arranged on the desk; each of these is
a job below. What they make they put into this object by one assignment each, so that the user
interface, which only looks, always sees a whole state. `lines` is what the list shows.

    recording --read--> everything --filter--> matched --arrange--> lines
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

import kspy
from kspy.analysis.arrange import (
    EMPTY,
    Threads,
    keys,
    stream_items,
    whole_threads,
)
from kspy.analysis.event_groups import EventGroups
from kspy.analysis.growing import Growing
from kspy.analysis.progress import Progress
from kspy.analysis.table import Table
from kspy.analysis.timing import Timing
from kspy.recording.reader import State
from kspy.wire.frames import CHANNELS

if TYPE_CHECKING:
    from kspy.analysis.filter import Filter

Array = NDArray[Any]
Work = Generator[Progress, None, Any]
_HB: Final = CHANNELS.index("hb")
_AGAIN_SECONDS: Final = 0.5
"""How often a filter is asked again whose answer changes as threads go on."""

_SHARE: Final = 3
"""Making lines anew of a recording that grows takes a quarter of the desk's time at most."""

Mode = Literal["stream", "threads"]


class Viewing:
    """A recording that is looked at.

    mode     "stream" or "threads"
    filter   of which only matches are shown; None shows everything
    whole    are the whole threads of what matches shown?
    moment   items of `everything` from this on are not there yet (playback), see `go_to_moment`;
             None: all are. So `limit` is for the places of messages, `event_limit` for the numbers
             of events
    folded   are threads folded, but for those whose request's place is in `turned`? With a filter,
             this is another choice than without
    asked    has any client said anything?
    stale    items whose lines say something else now
    """

    def __init__(self, path: Path) -> None:
        """Raises `KspyError` where the file cannot be read as a recording."""
        self.path = path
        self.recording = kspy.open(path)
        self.table = Table(self.recording)
        self.events = EventGroups(self.table)
        self.stale: set[int] = set()
        self._state: State = "growing"
        self.complete = False
        self.asked = False
        self.mode: Mode = "stream"
        self.filter: Filter | None = None
        self.whole = False
        self.moment: int | None = None
        self.limit: int | None = None
        self.event_limit: int | None = None
        self.folded = True
        self.turned: set[int] = set()
        self._folds: tuple[bool, set[int]] = (False, set())
        self.lines: Array = EMPTY
        self.everything: Array = EMPTY
        self._everything = Growing(np.int32)
        self._taken = (0, 0)
        self._bare: Array = EMPTY
        self._matched: Array = EMPTY
        self._filtered_to = (0, 0)
        self._again_at = 0.0
        self._arrange_at = 0.0
        self._behind = False
        self._clients = 0
        self._keys: tuple[Array, Array] = (EMPTY, EMPTY)
        self._threads: tuple[Array, Threads] | None = None

    def close(self) -> None:
        self.recording.close()

    @property
    def state(self) -> State:
        """How the recording is; damage shows when the damaged part is read."""
        if self._state != "growing" and self.recording.damaged:
            return "damaged"
        return self._state

    @property
    def matched(self) -> Array:
        """The items that the filter lets through, in stream order; all, where there is none."""
        return self.everything if self.filter is None else self._matched

    @property
    def matched_keys(self) -> Array:
        """What `matched` is in order by; see `kspy.analysis.arrange.keys`."""
        items, known = self.matched, self._keys
        if known[0] is not items:
            known = items, keys(self.table, items)
            self._keys = known
        return known[1]

    @property
    def shown(self) -> int:
        """How many of the matched items are there at the present moment of a playback."""
        limit, event_limit, items = self.limit, self.event_limit, self.matched
        if limit is None or event_limit is None:
            return len(items)
        ends = np.searchsorted(self.matched_keys, (2 * limit - 1, 2 * limit))
        before_next = -1 - items[ends[0] : ends[1]]  # events just before the next message
        return int(ends[0] + np.count_nonzero(before_next < event_limit))

    def go_to_moment(self, count: int | None) -> None:
        """Show no more than the first `count` of all items, or all again; `arrange` then."""
        self.moment = count
        if count is None:
            self.limit = self.event_limit = None
        elif not count:
            self.limit = self.event_limit = 0
        elif (last := int(self.everything[count - 1])) >= 0:
            self.limit = last + 1
            self.event_limit = bisect_right(self.table.event_places, last)
        else:
            self.limit, self.event_limit = self.table.event_place(-1 - last), -last

    # What a line asks

    def is_open(self, item: int) -> bool:
        """Is the thread of this request unfolded?"""
        return (item in self.turned) == self.folded

    def turn(self, item: int) -> None:
        """Fold or unfold the thread of this request; `arrange` then."""
        self.turned = self.turned ^ {item}

    def timing(self, thread: int) -> Timing:
        """How the request of a thread fared up to the present moment."""
        return self.table.timing(thread, self.limit)

    def latency(self, thread: int) -> int:
        """ns from request to reply; 0 where there is none."""
        return self.table.timing(thread).reply_ns or 0

    def now_ns(self) -> int:
        """Until when a request that waits has waited: now, or where the recording ends."""
        if self.state == "growing" and self.limit is None:
            return time.time_ns()
        items = self.everything[: self.moment]
        return self.table.item_time_ns(int(items[-1])) if len(items) else 0

    def highest_client(self) -> int:
        return self._clients

    # Jobs, for the desk

    def read(self) -> Work:
        """Read on until all that is in the file now is known; the lines follow."""
        table = self.table
        done = False
        while not done:
            growing = self.recording.growing  # asked before reading: what ends later is read again
            done = table.grow()
            ended = done and not growing
            self._behind = self._take_new() or self._behind
            if self.filter is not None:
                yield from self._match_new(last=ended)
            if self._behind and (ended or time.monotonic() >= self._arrange_at):
                self._arrange()
            if done:
                self._state = "growing" if growing else self.recording.state
                self.complete = True
            else:
                yield Progress(table.read_bytes, table.file_bytes)

    def check(self) -> Generator[None, None, None]:
        """Read once what the index was believed to know: `state` says if it is damaged."""
        if self._state == "whole":
            yield from self.recording.check()

    def search(self, wanted: Filter | None, whole: bool) -> Work:
        """Filter all that is known; what was shown stays until it is done."""
        found, reached = EMPTY, (0, 0)
        while wanted is not None and reached != self._known():
            known = self._known()
            new = yield from wanted.run(self.table, reached[0], known[0], reached[1])
            found, reached = np.concatenate((found, new)), known
        if (wanted is None) != (self.filter is None):
            # What was looked for is shown, not folded away; and all is as it was afterwards.
            self._folds, (self.folded, self.turned) = (self.folded, self.turned), self._folds
        if wanted is None:
            self.filter = None
        else:
            self._found(found, reached, wanted, whole)
        self._arrange()

    def arrange(self) -> Work:
        """The lines anew, after `mode`, `moment` or a fold was changed."""
        yield Progress(0, 1)
        self._arrange()

    # Their steps

    def _known(self) -> tuple[int, int]:
        """How many messages and events there are."""
        return len(self.table), self.table.event_count

    def _take_new(self) -> bool:
        if self._taken == self._known():
            return False
        start, stop = self._taken[0], len(self.table)
        heads, changed = self.events.take_new()
        self.stale.update(-1 - number for number in changed)
        new = stream_items(self.table, start, stop, heads)
        self._everything.extend(new)
        rows = self.table.rows(start, stop)
        self._clients = max(self._clients, int(rows.clients.max(initial=0)))
        self.asked = self.asked or bool((~rows.to_client & (rows.channels != _HB)).any())
        self.everything = self._everything.values
        self._taken = self._known()
        return True

    def _match_new(self, *, last: bool) -> Work:
        """Let the filter see what has come since it was last asked; `last`: nothing more will."""
        wanted, bare = self.filter, self._bare
        if wanted is None or self._filtered_to == self._known():
            return
        start = self._filtered_to
        if wanted.volatile:
            if not last and time.monotonic() < self._again_at:
                return
            start = (0, 0)
        known = self._known()
        new = yield from wanted.run(self.table, start[0], known[0], start[1])
        if self.filter is wanted and self._bare is bare:  # no search was done meanwhile
            self._behind = True
            found = new if start == (0, 0) else np.concatenate((bare, new))
            self._found(found, known, wanted, self.whole)
            self._again_at = time.monotonic() + _AGAIN_SECONDS

    def _found(self, bare: Array, known: tuple[int, int], wanted: Filter, whole: bool) -> None:
        bare = self._with_heads(bare)
        self._bare, self._filtered_to = bare, known
        self._matched = whole_threads(self.table, bare) if whole else bare
        self.filter, self.whole = wanted, whole

    def _with_heads(self, items: Array) -> Array:
        """`items` with the events that have a line, in place of those that share it."""
        events = np.flatnonzero(items < 0)
        if not len(events):
            return items
        heads = [-1 - self.events.head(int(-1 - item)) for item in items[events]]
        changed = items.copy()
        changed[events] = heads
        once = np.ones(len(items), bool)
        _, firsts = np.unique(heads, return_index=True)
        once[events] = False
        once[events[firsts]] = True
        return changed[once]

    def _arrange(self) -> None:
        begun = time.monotonic()
        self._make_lines()
        self._behind = False
        # Threads of a million messages that grow all the time would leave time for nothing else.
        done = time.monotonic()
        self._arrange_at = done + _SHARE * (done - begun)

    def _make_lines(self) -> None:
        items = self.matched
        if self.mode == "stream":
            self.lines = items[: self.shown]
            return
        if self._threads is None or self._threads[0] is not items:
            self._threads = items, Threads(self.table, items)
        turned = set(self.turned)
        self.lines = self._threads[1].lines(
            folded=self.folded,
            turned=turned,
            limit=None if self.limit is None else (self.limit, self.event_limit or 0),
        )
