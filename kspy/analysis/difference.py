"""What differs between two JSON-like values: two messages' contents, or anything else decoded.

Theory of operation: `walk` goes through both values side by side and says of each pair what it
found, so that a list of differences and a screen with both sides stand on the same comparison.
Elements of lists are matched first (`kspy.analysis.alignment`), so that one that was put in does
not make all that follow differ. Work is counted: beyond `BUDGET` pairs, what is left is said to
be "uncompared", never taken for the same.

Values are the same if JSON would write them the same: 1, 1.0 and true are three values, NaN is
one. The order of a map's keys is none of its value.
"""

from __future__ import annotations

import json
import math
from collections.abc import Container, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from kspy.analysis.alignment import alike, pairs
from kspy.wire.message import DECODE_LIMIT, DICTS, Message

Key = str | int
KeyPath = tuple[Key, ...]
Kind = Literal["changed", "added", "removed", "uncompared"]

BUDGET: Final = 500_000
"""Values that are looked at, about a second of work."""
_DEEPEST_WALK: Final = 500
_DEEPEST: Final = 100
"""Lists nested deeper than this within a list are matched by place."""
_HUGE: Final = 1 << 60
_NUMBERS: Final = 50_000
"""Elements of a list beyond which they are matched by place."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is not the same on both sides.

    path, new_path   lead to it in the old and in the new value; they differ where elements of a
                     list were put in or taken out. Where a side has none, the container is its
                     own, and the last key the other's
    old, new         the values; None on the side that has none
    """

    path: KeyPath
    kind: Kind
    old: Any
    new: Any
    new_path: KeyPath


@dataclass(frozen=True, slots=True)
class Step:
    """A pair of values that `walk` has come to.

    kind    "same", or as a `Difference`; "enter" and "leave" stand around the pairs within two
            maps or two lists. "uncompared" may come at the end of them, for their rest
    """

    kind: Literal["same", "enter", "leave"] | Kind
    path: KeyPath
    old: Any
    new: Any
    new_path: KeyPath


def differences(a: Any, b: Any, budget: int = BUDGET) -> list[Difference]:
    """What is in `a` (old) and `b` (new) and not the same, in order.

    Where the values are too large for the budget, the last ones are "uncompared".
    """
    return [
        Difference(step.path, step.kind, step.old, step.new, step.new_path)
        for step in walk(a, b, budget)
        if step.kind != "same" and step.kind != "enter" and step.kind != "leave"
    ]


def walk(a: Any, b: Any, budget: int = BUDGET) -> Iterator[Step]:
    """Both values side by side, from the outside in. Without recursion: data may be deep.

    When the budget is spent, each of the values that were entered is "uncompared" as to its rest.
    """
    left = _Budget(budget)
    entered: list[tuple[Step, Iterator[Step]]] = []
    step = Step("enter", (), a, b, ())
    while True:
        inside = _entered(step, left)
        if inside is not None and len(step.path) <= _DEEPEST_WALK:
            yield replace(step, kind="enter")
            entered.append((step, inside))
        elif inside is not None:
            yield replace(step, kind="uncompared")
        elif step.kind == "enter":
            yield replace(step, kind="same" if same_leaf(step.old, step.new) else "changed")
        else:
            yield step
        while entered and (found := None if left.spent else next(entered[-1][1], None)) is None:
            container, rest = entered.pop()
            if left.spent and next(rest, None) is not None:
                yield replace(container, kind="uncompared")
            yield replace(container, kind="leave")
        if not entered or found is None:
            return
        step = found
        left.spend()


def _entered(step: Step, left: _Budget) -> Iterator[Step] | None:
    """The pairs within a pair of maps or lists; None for all others."""
    if step.kind != "enter":
        return None
    if isinstance(step.old, dict) and isinstance(step.new, dict):
        return _of_maps(step)
    if isinstance(step.old, list) and isinstance(step.new, list):
        return _of_lists(step, left)
    return None


def same_leaf(old: Any, new: Any) -> bool:
    """Are two values, that are not both maps or both lists, the same?"""
    if type(old) is not type(new):
        return False
    if isinstance(old, float):
        both_nan = math.isnan(old) and math.isnan(new)
        return both_nan or (old == new and math.copysign(1, old) == math.copysign(1, new))
    return bool(old == new)


def format_path(path: KeyPath) -> str:
    """`path` as Python would write it: `content.data["text/plain"]`, `content.traceback[3]`."""
    parts: list[str] = []
    for key in path:
        if isinstance(key, int):
            parts.append(f"[{key}]")
        elif key.isidentifier():
            parts.append(f".{key}" if parts else key)
        else:
            parts.append(f"[{json.dumps(key, ensure_ascii=False)}]")
    return "".join(parts)


def value_of(message: Message, left_out: Container[str] = ()) -> Mapping[str, Any]:
    """All that two messages are compared by, as one JSON-like value; what says most comes first.

    Of messages that cannot be read as such it has the frames, or of large ones their sizes.
    `left_out` names dictionaries that it has not.
    """
    small = message.size <= DECODE_LIMIT
    value: dict[str, Any] = {
        name: getattr(message, name) for name in DICTS[::-1] if name not in left_out
    }
    flags = set(message.flags)
    if message.channel == "hb" or flags & {"malformed", "undecodable", "oversized", "truncated"}:
        value["frames"] = list(message.frames if small else message.frame_sizes)
    value["buffers"] = list(message.buffers if small else message.buffer_sizes)
    value["channel"] = message.channel
    value["direction"] = message.direction
    value["client"] = message.client
    value["flags"] = list(message.flags)
    return value


class _Budget:
    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self) -> None:
        self._left -= 1

    @property
    def spent(self) -> bool:
        return self._left <= 0


def _key(key: object) -> Key:
    """msgpack has keys of any type; a bool would pass for an int."""
    return key if isinstance(key, str) or type(key) is int else repr(key)


def _of_maps(step: Step) -> Iterator[Step]:
    old, new = step.old, step.new
    for key, value in old.items():
        name = _key(key)
        if key in new:
            yield _inner("enter", step, name, value, new[key], name)
        else:
            yield _inner("removed", step, name, value, None, name)
    for key, value in new.items():
        if key not in old:
            name = _key(key)
            yield _inner("added", step, name, None, value, name)


def _of_lists(step: Step, left: _Budget) -> Iterator[Step]:
    old, new = step.old, step.new
    for i, j in _matched(old, new, left):
        if i is None and j is not None:
            yield _inner("added", step, j, None, new[j], j)
        elif i is not None and j is None:
            yield _inner("removed", step, i, old[i], None, i)
        elif i is not None and j is not None:
            yield _inner("enter", step, i, old[i], new[j], j)


def _inner(
    kind: Literal["enter", "removed", "added"], step: Step, i: Key, old: Any, new: Any, j: Key
) -> Step:
    return Step(kind, (*step.path, i), old, new, (*step.new_path, j))


def _matched(
    old: Sequence[Any], new: Sequence[Any], left: _Budget
) -> Iterator[tuple[int | None, int | None]]:
    if max(len(old), len(new)) <= _NUMBERS:
        numbers = _Numbers(left)
        try:
            keys = [numbers.of(value) for value in old], [numbers.of(value) for value in new]
        except _TooMuchError:
            pass
        else:
            return pairs(*keys, lambda i, j: likeness(old[i], new[j]))
    return _by_place(len(old), len(new))


def _by_place(old: int, new: int) -> Iterator[tuple[int | None, int | None]]:
    for n in range(max(old, new)):
        yield n if n < old else None, n if n < new else None


def likeness(old: Any, new: Any) -> float:
    """How alike two values are at first sight, 0 to 1: which of them belong together?"""
    if type(old) is not type(new):
        return 0.0
    if isinstance(old, str):
        return alike(old, new)
    if isinstance(old, dict):
        keys = old.keys() | new.keys()
        if not keys:
            return 1.0
        shared = [key for key in keys if key in old and key in new]
        same = sum(_same_at_sight(old[key], new[key]) for key in shared)
        return (len(shared) + same) / (2 * len(keys))
    return 1.0 if _same_at_sight(old, new) else 0.4


def _same_at_sight(old: Any, new: Any) -> bool:
    if isinstance(old, dict | list):
        return type(old) is type(new) and len(old) == len(new)
    return same_leaf(old, new)


class _TooMuchError(Exception):
    """The values are too deep, or there are more of them than the budget has left."""


@dataclass
class _Numbers:
    """Gives equal values equal numbers. Exact: a hash might be made to collide."""

    left: _Budget
    known: dict[Hashable, int] = field(default_factory=dict)

    def of(self, value: Any, depth: int = 0) -> int:
        self.left.spend()
        if self.left.spent or depth > _DEEPEST:
            raise _TooMuchError
        key: Hashable
        if isinstance(value, dict):
            key = dict, frozenset((k, self.of(v, depth + 1)) for k, v in value.items())
        elif isinstance(value, list):
            key = list, tuple(self.of(item, depth + 1) for item in value)
        elif isinstance(value, float) and math.isnan(value):
            key = float, "NaN"
        elif isinstance(value, int) and abs(value) >= _HUGE:
            key = int, hex(value)  # the hashes of huge integers can be made to collide
        else:
            key = type(value), value
        return self.known.setdefault(key, len(self.known))
