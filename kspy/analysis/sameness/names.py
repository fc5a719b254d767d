"""Names within texts, as of the temporary files of cells: which of one session is which of another.

One to one, as ids are: what stands for two things, or two that stand for one, are a difference.
What names are, rules say. Those of two texts are only taken for pairs if the texts are the same.
Of very many, the first ones are remembered; any later one may stand for any other.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kspy.analysis.sameness.ids import Ids
from kspy.analysis.sameness.rules import UUIDS, Rule, Rules

_NOTHING: Final = b"{}"
MOST_NAMES: Final = 200_000
"""That are remembered, of a session: some 60 MB."""


class Unnamed(NamedTuple):
    """Two texts without their names; `pairs` of them, to be known if the texts are the same."""

    old: str
    new: str
    rule: Rule | None
    pairs: tuple[tuple[Ids, str, str], ...] = ()


class Names:
    """The correspondence of the names of two sessions."""

    def __init__(self, rules: Rules, ids: Ids) -> None:
        """UUIDs are names that may be `ids`, too."""
        self._hints = [hint for rule in rules.naming for hint in rule.hints]
        self._shapes = [re.compile(rule.shape) for rule in rules.naming if rule.shape]
        self._room = MOST_NAMES
        self._known = [(rule, ids if rule.name == UUIDS else Ids()) for rule in rules.naming]

    def may_be_in(self, part: bytes) -> bool:
        """May there be names in it, as told at first sight?"""
        if part == _NOTHING:  # most metadata
            return False
        for hint in self._hints:  # asked of each message: any() would take twice as long
            if hint in part:
                return True
        return any(shape.search(part) for shape in self._shapes)

    def unnamed(self, old: str, new: str) -> Unnamed | None:
        """Both texts without names; None where a name stands for another than it is known to."""
        found = Unnamed(old, new, None)
        for rule, ids in self._known:
            a, names = rule.unnamed(found.old)
            b, others = (a, names) if found.new == found.old else rule.unnamed(found.new)
            if a == found.old or b == found.new or len(names) != len(others):
                continue
            there: dict[str, str] = {}
            back: dict[str, str] = {}
            for x, y in zip(names, others, strict=True):
                if x == y and rule.same_if_equal:
                    there.setdefault(x, y)
                    back.setdefault(y, x)
                elif (
                    there.setdefault(x, y) != y or back.setdefault(y, x) != x or not ids.agree(x, y)
                ):
                    return None
            pairs = tuple((ids, x, y) for x, y in there.items())
            found = Unnamed(a, b, rule, found.pairs + pairs)
        return found

    def learn(self, unnamed: Unnamed) -> None:
        """From now on the names of two texts are pairs."""
        for ids, old, new in unnamed.pairs:
            if self._room and not ids.knows(old):
                self._room -= 1
                ids.pair(old, new)
