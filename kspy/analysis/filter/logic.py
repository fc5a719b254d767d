"""And, or, not over answers that may be open: what the columns cannot say, the content can.

An answer is a code: NO, OPEN or YES. In this order, "and" is the least of several codes, "or"
the greatest, and "not" their mirror image (Kleene's logic), for one message and for arrays of
them alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kspy.analysis.filter.condition import NO, OPEN, YES, Condition

Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    condition: Condition


@dataclass(frozen=True, slots=True, eq=False)
class Not:
    inner: Node


@dataclass(frozen=True, slots=True, eq=False)
class Every:
    parts: Sequence[Node]


@dataclass(frozen=True, slots=True, eq=False)
class Some:
    parts: Sequence[Node]


Node = Term | Not | Every | Some

NOTHING_ASKED: Final = Every(())
"""What the empty filter is: everything matches."""


def terms(node: Node, wanted: bool = True) -> Iterator[tuple[Condition, bool]]:
    """Its conditions, as written; and whether a message is wanted that fulfils them."""
    if isinstance(node, Term):
        yield node.condition, wanted
    elif isinstance(node, Not):
        yield from terms(node.inner, not wanted)
    else:
        for part in node.parts:
            yield from terms(part, wanted)


def weigh(node: Node, codes: Mapping[Condition, Codes], n: int) -> Codes:
    """The answers for `n` messages, from those of the conditions."""
    if isinstance(node, Term):
        return codes[node.condition]
    if isinstance(node, Not):
        return (YES - weigh(node.inner, codes, n)).astype(np.int8)
    first = np.full(n, YES if isinstance(node, Every) else NO, np.int8)
    pick: Any = np.minimum if isinstance(node, Every) else np.maximum
    return reduce(pick, (weigh(part, codes, n) for part in node.parts), first)


def verdict(node: Node, code: Callable[[Condition], int]) -> int:
    """The answer for one message."""
    if isinstance(node, Term):
        return code(node.condition)
    if isinstance(node, Not):
        return YES - verdict(node.inner, code)
    codes = (verdict(part, code) for part in node.parts)
    return min(codes, default=YES) if isinstance(node, Every) else max(codes, default=NO)


__all__ = ["NO", "OPEN", "YES"]
