"""How long a request took in one session and in the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from kspy.analysis.table import Table

TOLD_FACTOR: Final = 3.0
TOLD_NS: Final = 100_000_000
"""From this factor on, and if they are so far apart, a difference in time is told."""
_READY: Final = "kernel_info_request"
"""What clients ask while the kernel starts."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Nanoseconds until the last of reply and idle; None where neither came.

    starting   it is for the kernel's start as well that was waited
    """

    old_ns: int | None
    new_ns: int | None
    starting: bool = False

    @property
    def direction(self) -> Literal["slower", "faster", ""]:
        """What the new one is."""
        if self.old_ns is None or self.new_ns is None or self.old_ns == self.new_ns:
            return ""
        return "slower" if self.new_ns > self.old_ns else "faster"

    @property
    def factor(self) -> float:
        """How many times as long the longer one took, 1 or more; 1 where that is not known."""
        if self.old_ns is None or self.new_ns is None:
            return 1.0
        short, long = sorted((max(self.old_ns, 1), max(self.new_ns, 1)))
        return long / short

    @property
    def told(self) -> bool:
        """Is the difference worth a word?"""
        if self.old_ns is None or self.new_ns is None or self.starting:
            return False
        return self.factor >= TOLD_FACTOR and abs(self.new_ns - self.old_ns) >= TOLD_NS


UNTIMED: Final = Pace(None, None)


def pace_of(old: Table, old_place: int, new: Table, new_place: int) -> Pace:
    """That of two threads, by the places of their requests."""
    starting = old.msg_type(old_place) == _READY
    return Pace(_took(old, old_place), _took(new, new_place), starting)


def _took(table: Table, place: int) -> int | None:
    thread = table.thread(place)
    return table.timing(thread).total_ns if thread >= 0 else None
