"""References that a debugger hands out: which of one session is which of the other.

As ids they have to be used for what they were given out for. But they are numbers, often addresses,
which a debugger gives out again: what was said last about one counts. 0 is none.
"""

from __future__ import annotations

from typing import Final

from kspy.analysis.difference import KeyPath
from kspy.analysis.sameness.paths import PathPattern
from kspy.analysis.sameness.rules import DEBUGGING, Rules

_ASKING: Final = "debug_request"
_NEEDLE: Final = b"Reference"


class References:
    """The correspondence of old references and new ones, as far as is known."""

    def __init__(self, rules: Rules) -> None:
        self.rule = rules.named(DEBUGGING)
        self._places: tuple[PathPattern, ...] = self.rule.reference_places if self.rule else ()
        self._new: dict[int, int] = {}
        self._old: dict[int, int] = {}

    def concerns(self, msg_type: str, content: bytes) -> bool:
        """May there be any in a message's content?"""
        return bool(self._places) and msg_type.startswith("debug_") and _NEEDLE in content

    def are(self, msg_type: str, path: KeyPath, old: object, new: object) -> bool:
        """Are these references?"""
        return (
            type(old) is type(new) is int
            and msg_type.startswith("debug_")
            and any(
                len(place.keys) == len(path) and place.covers(msg_type, path)
                for place in self._places
            )
        )

    def same(self, msg_type: str, old: int, new: int) -> bool:
        """Do these stand for the same? Where they are given out, they do from now on."""
        if not (old and new):
            return old == new
        if msg_type == _ASKING:
            return self._new.get(old, old) == new and self._old.get(new, new) == old
        self._old.pop(self._new.get(old, 0), None)
        self._new.pop(self._old.get(new, 0), None)
        self._new[old], self._old[new] = new, old
        return True
