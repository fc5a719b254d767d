"""Threads: a request and every message whose `parent_header` leads to it."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from kspy.recording.index import Columns
from kspy.wire.frames import CHANNELS
from kspy.wire.message import Message

_HB = CHANNELS.index("hb")


class Messages(Sequence[Message]):
    """Messages of a recording by their places in it, each loaded when it is looked at."""

    def __init__(self, places: Sequence[int], load: Callable[[int], Message]) -> None:
        self._places = places
        self._load = load

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Message]:
        return map(self._load, self._places)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]
        if isinstance(place, slice):
            return Messages(self._places[place], self._load)
        return self._load(self._places[place])


class Thread:
    """A message that nothing known came before, and everything that answers it.

    places    places in the recording of its messages, in order, the request first
    """

    __slots__ = ("_load", "places")

    def __init__(self, places: Sequence[int], load: Callable[[int], Message]) -> None:
        self.places = places
        self._load = load

    @property
    def request(self) -> Message:
        """The message that began it: a request, or what has no known parent."""
        return self._load(self.places[0])

    @property
    def messages(self) -> Messages:
        """All of its messages, the request first."""
        return Messages(self.places, self._load)

    @property
    def seqs(self) -> Sequence[int]:
        return [message.seq for message in self.messages]

    def __len__(self) -> int:
        return len(self.places)


def group(columns: Columns, load: Callable[[int], Message]) -> list[Thread]:
    """All threads of a recording, in the order of their requests. Heartbeats are in none."""
    roots = array("Q")
    members: dict[int, array[int]] = {}
    for place, (route, parent) in enumerate(_parents(columns)):
        root = place if parent is None else roots[parent]
        roots.append(root)
        if route & 7 != _HB:
            if root not in members:
                roots[place] = place
                members[place] = array("Q", (place,))
            else:
                members[root].append(place)
    return [Thread(places, load) for places in members.values()]


def _parents(columns: Columns) -> Iterator[tuple[int, int | None]]:
    """Route, and place of the parent, of each message. `parents` counts in seq, not in places."""
    place = 0
    firsts = _firsts(columns)
    for first, seq, n in zip(firsts, columns.seqs, columns.sums, strict=True):
        for number in range(n):
            distance = columns.parents[place]
            parent = None
            if distance:
                parent = _place_of(columns, firsts, first, seq, seq + number - distance)
            yield columns.routes[place], parent
            place += 1


def _place_of(
    columns: Columns, firsts: Sequence[int], first: int, seq: int, wanted: int
) -> int | None:
    """Where the message numbered `wanted` is; None where it was lost."""
    if wanted >= seq:
        return first + wanted - seq
    chunk = bisect_right(columns.seqs, wanted) - 1
    if chunk < 0 or wanted - columns.seqs[chunk] >= columns.sums[chunk]:
        return None
    return firsts[chunk] + wanted - columns.seqs[chunk]


def _firsts(columns: Columns) -> Sequence[int]:
    firsts = array("Q", (0,))
    for n in columns.sums:
        firsts.append(firsts[-1] + n)
    firsts.pop()
    return firsts
