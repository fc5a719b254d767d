"""Which thread of one session is which of the other. Nothing but their requests is read."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Generator, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Final

from kspy.analysis.alignment import matches
from kspy.analysis.fields import imported_from
from kspy.analysis.filter import Filter
from kspy.analysis.filter.select import matching
from kspy.analysis.progress import Progress
from kspy.analysis.sameness.answering import answered_elsewhere
from kspy.analysis.sameness.keys import ESSENTIAL, essential_key
from kspy.analysis.sameness.pairing import Likeness, Pair, alike_contents, in_order, pair_up
from kspy.analysis.sameness.parts import Parts
from kspy.analysis.sameness.requests import Named, Requests, digest
from kspy.analysis.sameness.rules import Rules
from kspy.analysis.sameness.said import Said
from kspy.analysis.table import Table
from kspy.wire.message import Message

_STEP_SECONDS: Final = 0.005
_SHIFT: Final = 32
_MESSAGE: Final = (1 << _SHIFT) - 1
_NONE: Final = -(1 << 31)

Chosen = tuple[Collection[int], Collection[int]]


def chosen_by(wanted: Filter, old: Table, new: Table) -> Chosen:
    """The threads of both of which a message matches a filter."""
    found, others = (
        {table.thread(item) for item in matching(wanted, table) if item >= 0} - {-1}
        for table in (old, new)
    )
    return found, others


class Alignment:
    """Both sessions side by side: `len` rows, each a `Pair` of items.

    An item is the place of a thread's first message (>= 0), or the event with number n as -1 - n,
    as in `kspy.analysis.table`.

    requests   which requests are pairs, by their ids; also those that were not chosen
    """

    def __init__(self, old: Parts, new: Parts, rows: list[Pair], requests: Requests) -> None:
        self.old = old
        self.new = new
        self.requests = requests
        self._old = array("i", (_NONE if row.old is None else row.old for row in rows))
        self._new = array("i", (_NONE if row.new is None else row.new for row in rows))
        self._moved = bytearray(row.moved for row in rows)

    def __len__(self) -> int:
        return len(self._moved)

    def __getitem__(self, row: int) -> Pair:
        old, new = self._old[row], self._new[row]
        return Pair(
            None if old == _NONE else old, None if new == _NONE else new, bool(self._moved[row])
        )

    def __iter__(self) -> Iterator[Pair]:
        return map(self.__getitem__, range(len(self)))


Work = Generator[Progress, None, Alignment]


def align(
    old: Table,
    new: Table,
    rules: Rules,
    *,
    old_threads: Collection[int] | None = None,
    only: Chosen | None = None,
) -> Work:
    """Pair the threads of two sessions.

    old_threads   of the old session only these: the new one was to have no others
    only          of what was paired, what has one of these threads, of either session

    Long work: see `Progress`. Both tables are compared as they are now, however they grow.
    """
    yield Progress(0, 0)
    return (yield from _Aligning(old, new, rules, old_threads).run(only))


@dataclass(frozen=True)
class _Ordered:
    """Messages that begin threads: their places, what they say as numbers, and among which of them
    the order counts."""

    places: list[int]
    keys: array[int]
    order_of: Callable[[int], Hashable]

    def groups(self) -> dict[Hashable, list[int]]:
        """By what the order counts among: the numbers of the places."""
        found: dict[Hashable, list[int]] = {}
        for n, place in enumerate(self.places):
            found.setdefault(self.order_of(place), []).append(n)
        return found


class _Aligning:
    def __init__(
        self, old: Table, new: Table, rules: Rules, old_threads: Collection[int] | None
    ) -> None:
        self._rules = rules
        self._old = Parts(old, rules, old_threads)
        self._new = Parts(new, rules)
        if old_threads is not None:
            self._new.unasked = []
        self._numbers: dict[Hashable, int] = {}
        self._lost = count(-1, -1)
        parts = (self._old, self._new)
        self._total = sum(len(part.requests) + len(part.unasked) for part in parts)
        self._done = 0

    def run(self, only: Chosen | None) -> Work:
        old, new = self._old, self._new
        names_old, names_new = array("q"), array("q")
        asked_old = yield from self._keys(old.table, old.requests, names_old)
        asked_new = yield from self._keys(new.table, new.requests, names_new)
        clients_old, clients_new = self._clients(list(asked_old), list(asked_new))
        said_old = yield from self._keys(old.table, old.unasked)
        said_new = yield from self._keys(new.table, new.unasked)
        asked = (
            _Ordered(old.requests, asked_old, lambda place: old.order_of(place, clients_old)),
            _Ordered(new.requests, asked_new, lambda place: new.order_of(place, clients_new)),
        )
        unasked = (
            _Ordered(old.unasked, said_old, lambda place: old.order_of(place, {})),
            _Ordered(new.unasked, said_new, lambda place: new.order_of(place, {})),
        )
        found = self._paired(*asked, self._request_likeness)
        requests = Requests(
            _named(old.requests, names_old, ((pair.old, pair.new) for pair in found)),
            _named(new.requests, names_new, ((pair.new, pair.old) for pair in found)),
        )

        def order_of(place: int) -> Hashable:
            return asked[0].order_of(place), old.subshell(place)

        elsewhere = answered_elsewhere(found, old.table, new.table, order_of)
        found = [Pair(a, b, moved or a in elsewhere) for a, b, moved in found]
        found += self._paired(*unasked, self._content_likeness)
        if only is not None:
            found = [pair for pair in found if self._is_chosen(pair, only)]
        found += self._ends(only)
        keyed = in_order(Pair(_key(old, p.old), _key(new, p.new), p.moved) for p in found)
        rows = [Pair(_item(p.old), _item(p.new), p.moved) for p in keyed]
        return Alignment(old, new, rows, requests)

    def _keys(
        self, table: Table, places: list[int], names: array[int] | None = None
    ) -> Generator[Progress, None, array[int]]:
        """A number for what each message says: the same for the same. Lost ones equal nothing.

        names   gets the digests of their ids
        """
        keys = array("q")
        due = time.monotonic() + _STEP_SECONDS
        for place in places:
            said = Said(table, (place,))
            key = said.key(self._rules)
            if names is not None:
                names.append(digest(said.message.msg_id) if said.message else 0)
            known = self._numbers
            keys.append(next(self._lost) if key is None else known.setdefault(key, len(known)))
            self._done += 1
            if time.monotonic() >= due:
                yield Progress(self._done, self._total)
                due = time.monotonic() + _STEP_SECONDS
        return keys

    def _clients(
        self, keys_old: list[int], keys_new: list[int]
    ) -> tuple[dict[int, int], dict[int, int]]:
        """A number for each client, the same for those that ask for the same.

        Where one session has more clients than the other, they are not told apart.
        """
        of_old = [self._old.table.client(place) for place in self._old.requests]
        of_new = [self._new.table.client(place) for place in self._new.requests]
        first, second = list(dict.fromkeys(of_old)), list(dict.fromkeys(of_new))
        if len(first) != len(second) or len(first) < 2:
            return {}, {}
        votes = Counter((of_old[i], of_new[j]) for i, j in matches(keys_old, keys_new))
        known: dict[int, int] = {}
        taken: set[int] = set()
        for (a, b), _ in votes.most_common():
            if a not in known and b not in taken:
                known[a] = b
                taken.add(b)
        rest = (client for client in second if client not in taken)
        for client in first:
            if client not in known:
                known[client] = next(rest)
        numbers = {client: n for n, client in enumerate(first)}
        return numbers, {known[client]: n for client, n in numbers.items()}

    def _paired(
        self, old: _Ordered, new: _Ordered, likeness: Callable[[int, int], float]
    ) -> list[Pair]:
        """Pairs of places; only those among which the order counts are paired with each other."""
        groups_old, groups_new = old.groups(), new.groups()
        found: list[Pair] = []
        for group in dict.fromkeys((*groups_old, *groups_new)):
            in_old, in_new = groups_old.get(group, []), groups_new.get(group, [])
            places_old = [old.places[n] for n in in_old]
            places_new = [new.places[n] for n in in_new]
            pairs = pair_up(
                [old.keys[n] for n in in_old],
                [new.keys[n] for n in in_new],
                _kinds(self._old.table, places_old),
                _kinds(self._new.table, places_new),
                partial(_of_places, likeness, places_old, places_new),
            )
            found += (
                Pair(None if i is None else places_old[i], None if j is None else places_new[j], m)
                for i, j, m in pairs
            )
        return found

    def _content_likeness(self, old: int, new: int) -> float:
        a, b = Said(self._old.table, (old,)), Said(self._new.table, (new,))
        return alike_contents(a.content, b.content)

    def _request_likeness(self, old: int, new: int) -> float:
        a, b = Said(self._old.table, (old,)).message, Said(self._new.table, (new,)).message
        if a is None or b is None:
            return 0.0
        if essential_key(a) == essential_key(b):
            return 1.0
        return alike_contents(_texts(a), _texts(b))

    def _ends(self, only: Chosen | None) -> list[Pair]:
        """Deaths and restarts that one side alone has, and could have been seen on the other."""
        old, new = self._old, self._new
        kinds_old = [old.end_kind(number) for number in old.ends]
        kinds_new = [new.end_kind(number) for number in new.ends]
        alone: list[Pair] = []
        for i, j, _ in pair_up(kinds_old, kinds_new, kinds_old, kinds_new):
            if j is None and i is not None and not _is_imported(new.table):
                alone.append(Pair(-1 - old.ends[i], None))
            elif i is None and j is not None and not _is_imported(old.table):
                alone.append(Pair(None, -1 - new.ends[j]))
        return alone if only is None else [pair for pair in alone if self._is_chosen(pair, only)]

    def _is_chosen(self, pair: Pair, only: Chosen) -> bool:
        sides = zip((pair.old, pair.new), (self._old, self._new), only, strict=True)
        return any(
            item is not None and part.thread_of(item) in threads for item, part, threads in sides
        )


def _kinds(table: Table, places: list[int]) -> list[Hashable]:
    return [(table.channel(place), table.msg_type(place)) for place in places]


def _of_places(likeness: Likeness, old: list[int], new: list[int], i: int, j: int) -> float:
    return likeness(old[i], new[j])


def _texts(request: Message) -> Mapping[str, Any]:
    """What a request asks for in words, as code; all of its content where it has no words."""
    content = request.content
    wanted = ESSENTIAL.get(request.msg_type, tuple(content))
    texts = {name: content[name] for name in wanted if isinstance(content.get(name), str)}
    return texts or content


def _is_imported(table: Table) -> bool:
    """Was it captured where nothing is known of the kernel's process?"""
    return bool(imported_from(table.recording.metadata))


def _named(
    requests: list[int], names: array[int], pairs: Iterable[tuple[int | None, int | None]]
) -> Iterator[Named]:
    """Requests of a side by their ids; of `pairs` the first is of this side."""
    for number, (place, other) in enumerate(pairs):
        if place is not None:
            yield names[bisect_left(requests, place)], ~number if other is None else number


def _key(part: Parts, item: int | None) -> int | None:
    """What items are in order by."""
    if item is None:
        return None
    if item >= 0:
        return (item << _SHIFT) + _MESSAGE
    return (part.table.event_place(-1 - item) << _SHIFT) + -1 - item


def _item(key: int | None) -> int | None:
    if key is None:
        return None
    low = key & _MESSAGE
    return key >> _SHIFT if low == _MESSAGE else -1 - low
