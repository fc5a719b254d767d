"""Which elements of two sequences belong together: list elements, lines, words, thread members.

Theory of operation: what both begin and end with is matched first; then elements that occur once
in each ("patience diff"), which costs little however different the sequences are; then, between
those, the shortest edit script (E. Myers, "An O(ND) Difference Algorithm"), given up where it
would cost too much. A sequence made to be hostile gets fewer matches, never a longer wait.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Final, TypeVar

from kspy.recording.outcome import BUSY, IDLE, STARTING

Pair = tuple[int | None, int | None]
"""Places of two elements that belong together; None where one side has none."""
Span = tuple[int, int]
T = TypeVar("T")

_FARTHEST: Final = 600
"""Elements that may be left over between two anchors, for Myers' way: its cost is the square."""
_STEPS: Final = 1_000_000
_PAIRED: Final = 20
"""Left-over elements of a side that are paired by likeness; more are paired by place."""
_WORDS: Final = 4000
"""Characters of a text in which changed words are looked for."""
_WORD: Final = re.compile(r"\w+|\s+|.")
_ALIKE: Final = 0.35


def matches(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Places of equal elements, in order on both sides; not always as many as there could be."""
    found: list[tuple[int, int]] = []
    start, stop_a, stop_b = _trimmed(a, b, (0, len(a)), (0, len(b)))
    found += ((i, i) for i in range(start))
    at_a = at_b = start
    for i, j in [*_anchors(a, b, start, stop_a, stop_b), (stop_a, stop_b)]:
        found += _between(a, b, (at_a, i), (at_b, j))
        if i < stop_a:
            found.append((i, j))
        at_a, at_b = i + 1, j + 1
    found += ((stop_a + n, stop_b + n) for n in range(len(a) - stop_a))
    return found


def pairs(
    a: Sequence[Hashable],
    b: Sequence[Hashable],
    likeness: Callable[[int, int], float] | None = None,
) -> Iterator[Pair]:
    """All places of both, in order: equal ones together, what is left over paired by likeness.

    likeness    how alike the elements in two places are, 0 to 1; None: only equal ones belong
                together
    """
    at_a = at_b = 0
    for i, j in [*matches(a, b), (len(a), len(b))]:
        yield from _left_over(range(at_a, i), range(at_b, j), likeness)
        if i < len(a):
            yield i, j
        at_a, at_b = i + 1, j + 1


def step_key(channel: str, direction: str, msg_type: str, outcome: int) -> Hashable:
    """What makes two members of threads the same step.

    Busy and idle are different steps; ok and error are the same one.
    """
    return channel, direction, msg_type, outcome if outcome in (BUSY, IDLE, STARTING) else 0


def changed_words(old: str, new: str) -> tuple[list[Span], list[Span]]:
    """Where in each text the words are that the other does not have, as (start, stop)."""
    a, b = _WORD.findall(old[:_WORDS]), _WORD.findall(new[:_WORDS])
    same = matches(a, b)
    if sum(len(a[i]) for i, _ in same if not a[i].isspace()) == 0:
        return [(0, len(old))], [(0, len(new))]
    return (
        _spans(a, {i for i, _ in same}, len(old)),
        _spans(b, {j for _, j in same}, len(new)),
    )


def alike(old: str, new: str) -> float:
    """How many of their words two texts share, 0 to 1."""
    a = Counter(_WORD.findall(old[:500].strip()))
    b = Counter(_WORD.findall(new[:500].strip()))
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 1.0


def first_difference(a: str | bytes, b: str | bytes) -> int:
    """The first place where two texts, of any length, are not the same."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _trimmed(
    a: Sequence[Hashable], b: Sequence[Hashable], in_a: Span, in_b: Span
) -> tuple[int, int, int]:
    """How many elements both begin with; where what both end with begins, in a and in b."""
    (start_a, stop_a), (start_b, stop_b) = in_a, in_b
    same = 0
    while start_a + same < stop_a and start_b + same < stop_b:
        if a[start_a + same] != b[start_b + same]:
            break
        same += 1
    while stop_a > start_a + same and stop_b > start_b + same and a[stop_a - 1] == b[stop_b - 1]:
        stop_a, stop_b = stop_a - 1, stop_b - 1
    return same, stop_a, stop_b


def _anchors(
    a: Sequence[Hashable], b: Sequence[Hashable], start: int, stop_a: int, stop_b: int
) -> list[tuple[int, int]]:
    """Elements that occur once in each: the longest run of them that is in order on both sides."""
    counts_a = Counter(a[i] for i in range(start, stop_a))
    counts_b = Counter(b[j] for j in range(start, stop_b))
    place_b = {b[j]: j for j in range(start, stop_b)}
    once = [
        (i, place_b[a[i]])
        for i in range(start, stop_a)
        if counts_a[a[i]] == 1 and counts_b[a[i]] == 1
    ]
    ends: list[int] = []  # of runs, by length: the smallest place in b that one ends with
    last: list[int] = []
    before: list[int] = []
    for number, (_, j) in enumerate(once):
        length = bisect_left(ends, j)
        if length == len(ends):
            ends.append(j)
            last.append(number)
        else:
            ends[length], last[length] = j, number
        before.append(last[length - 1] if length else -1)
    run: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        run.append(once[number])
        number = before[number]
    return run[::-1]


def _between(
    a: Sequence[Hashable], b: Sequence[Hashable], in_a: Span, in_b: Span
) -> list[tuple[int, int]]:
    same, stop_a, stop_b = _trimmed(a, b, in_a, in_b)
    start_a, start_b = in_a[0] + same, in_b[0] + same
    found = [(in_a[0] + n, in_b[0] + n) for n in range(same)]
    # What only one side has here matches nothing; of a shuffled sequence that is nearly all.
    both = {*a[start_a:stop_a]} & {*b[start_b:stop_b]}
    if both:
        places_a = [i for i in range(start_a, stop_a) if a[i] in both]
        places_b = [j for j in range(start_b, stop_b) if b[j] in both]
        middle = _myers([a[i] for i in places_a], [b[j] for j in places_b])
        found += ((places_a[i], places_b[j]) for i, j in middle)
    found += ((stop_a + n, stop_b + n) for n in range(in_a[1] - stop_a))
    return found


def _myers(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Matches of the shortest edit script; by place alone where that would take too long."""
    reached = {1: 0}
    trace: list[dict[int, int]] = []
    steps = 0
    for d in range(min(len(a) + len(b), _FARTHEST) + 1):
        trace.append(reached.copy())
        for k in range(-d, d + 1, 2):
            down = k == -d or (k != d and reached[k - 1] < reached[k + 1])
            x = reached[k + 1] if down else reached[k - 1] + 1
            begun = x
            while x < len(a) and 0 <= x - k < len(b) and a[x] == b[x - k]:
                x += 1
            reached[k] = x
            steps += 1 + x - begun
            if x >= len(a) and x - k >= len(b):
                return _backtrack(trace, len(a), len(b))
            if steps > _STEPS:
                return _by_place(a, b)
    return _by_place(a, b)


def _by_place(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    return [(i, i) for i in range(min(len(a), len(b))) if a[i] == b[i]]


def _backtrack(trace: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for d in range(len(trace) - 1, -1, -1):
        reached, k = trace[d], x - y
        down = k == -d or (k != d and reached[k - 1] < reached[k + 1])
        before = k + 1 if down else k - 1
        old_x = reached[before]
        old_y = old_x - before
        while x > max(old_x, 0) and y > max(old_y, 0):
            x, y = x - 1, y - 1
            found.append((x, y))
        x, y = old_x, old_y
    return found[::-1]


def _left_over(a: range, b: range, likeness: Callable[[int, int], float] | None) -> Iterator[Pair]:
    """Pairs of what matches nothing: in order, the likest together."""
    paired: list[tuple[int, int]] = []
    if likeness is not None and a and b:
        if len(a) == len(b) or max(len(a), len(b)) > _PAIRED:
            paired = list(zip(a, b, strict=False))
        else:
            paired = _likest(a, b, likeness)
    at_a, at_b = a.start, b.start
    for i, j in [*paired, (a.stop, b.stop)]:
        yield from ((n, None) for n in range(at_a, i))
        yield from ((None, n) for n in range(at_b, j))
        if i < a.stop and j < b.stop:
            yield i, j
        at_a, at_b = i + 1, j + 1


def _likest(a: range, b: range, likeness: Callable[[int, int], float]) -> list[tuple[int, int]]:
    """The pairs, in order on both sides, that are together the most alike; no unlike ones."""
    best: list[list[tuple[float, tuple[Any, ...]]]] = [[(0.0, ())] * (len(b) + 1)]
    for i in a:
        row: list[tuple[float, tuple[Any, ...]]] = [(0.0, ())]
        for column, j in enumerate(b):
            above, left, corner = best[-1][column + 1], row[-1], best[-1][column]
            like = likeness(i, j)
            choice = max(above, left, key=lambda cell: cell[0])
            if like >= _ALIKE and corner[0] + like > choice[0]:
                choice = (corner[0] + like, (corner[1], (i, j)))
            row.append(choice)
        best.append(row)
    chain = best[-1][-1][1]
    found: list[tuple[int, int]] = []
    while chain:
        chain, pair = chain
        found.append(pair)
    return found[::-1]


def _spans(words: Sequence[str], same: set[int], length: int) -> list[Span]:
    """Runs of words that are not among the `same` ones, and what is beyond the last word."""
    spans: list[Span] = []
    at = 0
    for number, word in enumerate(words):
        if number not in same:
            joined = spans and spans[-1][1] == at
            spans[-1:] = (
                [(spans[-1][0], at + len(word))]
                if joined
                else [
                    *spans[-1:],
                    (at, at + len(word)),
                ]
            )
        at += len(word)
    if at < length:
        spans.append((at, length))
    return spans
