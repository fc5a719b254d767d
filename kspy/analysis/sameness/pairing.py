"""Which elements of two sequences belong together, be they changed or in another order.

For the requests of two sessions and for the messages of two threads alike: equal ones in their
order first, then equal ones wherever they are, then changed ones between two that are equal.
Costs what `kspy.analysis.alignment` costs, whatever the sequences are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kspy.analysis.alignment import alike, matches, pairs
from kspy.analysis.difference import likeness as likeness_of

Likeness = Callable[[int, int], float]


class Pair(NamedTuple):
    """Places of two elements that belong together; None where one side has none.

    moved   it is not where it was among the others
    """

    old: int | None
    new: int | None
    moved: bool = False


def pair_up(
    old: Sequence[Hashable],
    new: Sequence[Hashable],
    old_kinds: Sequence[Hashable],
    new_kinds: Sequence[Hashable],
    likeness: Likeness | None = None,
) -> list[Pair]:
    """Each place of both once, in the order of the old ones, what only the new have in between.

    old, new    the same key for what is equal
    kinds       only elements of the same kind can belong together
    likeness    how alike the elements in two places are, 0 to 1
    """
    known = matches(old, new)
    partner = dict(known)
    _pair_moved(old, new, partner)
    _pair_changed(known, (old_kinds, new_kinds), partner, likeness)
    return arranged(partner, len(old), len(new))


def arranged(partner: dict[int, int], old_length: int, new_length: int) -> list[Pair]:
    """All places as `Pair`, by the old places and the new ones that belong to them."""
    both = sorted(partner.items())
    kept = increasing([j for _, j in both])
    moved = {i for n, (i, _) in enumerate(both) if n not in kept}
    taken = set(partner.values())
    alone = (j for j in range(new_length) if j not in taken)
    found = [
        Pair(i, partner.get(i), i in moved) if i in partner else Pair(i, None)
        for i in range(old_length)
    ]
    return in_order([*found, *(Pair(None, j) for j in alone)])


def in_order(found: Iterable[Pair]) -> list[Pair]:
    """By the old places; what only the new side has comes before what it came before there."""
    with_old: list[Pair] = []
    by_new: list[Pair] = []
    for pair in found:
        if pair.old is not None:
            with_old.append(pair)
        if pair.new is not None:
            by_new.append(pair)
    with_old.sort(key=lambda pair: pair.old or 0)
    by_new.sort(key=lambda pair: pair.new or 0)
    waiting: list[Pair] = []
    before: dict[int, list[Pair]] = {}
    for pair in by_new:
        if pair.old is None:
            waiting.append(pair)
        elif waiting and not pair.moved:
            before[pair.old] = waiting
            waiting = []
    merged: list[Pair] = []
    for pair in with_old:
        if pair.old in before:
            merged += before[pair.old]
        merged.append(pair)
    return merged + waiting


def alike_contents(old: Mapping[str, Any], new: Mapping[str, Any]) -> float:
    """How alike two messages' contents are at first sight, 0 to 1: texts by their words."""
    keys = old.keys() | new.keys()
    if not keys:
        return 1.0
    return sum(_alike_values(old.get(key), new.get(key)) for key in keys) / len(keys)


def _alike_values(old: Any, new: Any) -> float:
    if isinstance(old, str) and isinstance(new, str):
        return 1.0 if old == new else alike(old, new)
    return likeness_of(old, new)


def _pair_moved(old: Sequence[Hashable], new: Sequence[Hashable], partner: dict[int, int]) -> None:
    """Pair equal elements that are somewhere else."""
    if len(partner) in (len(old), len(new)):
        return
    taken = set(partner.values())
    waiting: dict[Hashable, Iterator[int]] = {}
    places: dict[Hashable, list[int]] = defaultdict(list)
    for j, key in enumerate(new):
        if j not in taken:
            places[key].append(j)
    for i, key in enumerate(old):
        if i not in partner and key in places:
            found = next(waiting.setdefault(key, iter(places[key])), None)
            if found is not None:
                partner[i] = found


def _pair_changed(
    anchors: Sequence[tuple[int, int]],
    kinds: tuple[Sequence[Hashable], Sequence[Hashable]],
    partner: dict[int, int],
    likeness: Likeness | None,
) -> None:
    """Pair what is left over between two anchors, kind by kind, the likest together."""
    old_kinds, new_kinds = kinds
    taken = set(partner.values())
    at_old = at_new = 0
    for i, j in [*anchors, (len(old_kinds), len(new_kinds))]:
        left_old = _by_kind(old_kinds, at_old, i, partner)
        left_new = _by_kind(new_kinds, at_new, j, taken)
        for kind, olds in left_old.items():
            news = left_new.get(kind)
            if news:
                partner.update(_likest(olds, news, likeness))
        at_old, at_new = i + 1, j + 1


def _by_kind(
    kinds: Sequence[Hashable], start: int, stop: int, taken: Container[int]
) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = {}
    for place in range(start, stop):
        if place not in taken:
            found.setdefault(kinds[place], []).append(place)
    return found


def _likest(
    olds: Sequence[int], news: Sequence[int], likeness: Likeness | None
) -> Iterator[tuple[int, int]]:
    def alike(i: int, j: int) -> float:
        return likeness(olds[i], news[j]) if likeness else 0.5

    unequal = [(False, i) for i in olds], [(True, j) for j in news]
    for i, j in pairs(*unequal, alike):
        if i is not None and j is not None:
            yield olds[i], news[j]


def increasing(numbers: Sequence[int]) -> set[int]:
    """The places of a longest rising subsequence."""
    ends: list[int] = []
    lasts: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers):
        at = bisect_left(ends, number)
        before.append(lasts[at - 1] if at else -1)
        ends[at : at + 1] = [number]
        lasts[at : at + 1] = [place]
    kept: set[int] = set()
    place = lasts[-1] if lasts else -1
    while place >= 0:
        kept.add(place)
        place = before[place]
    return kept
