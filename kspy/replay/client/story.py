"""What became of a replay: how far it went, what was not sent, and why it ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

End = Literal["done", "hung", "died", "interrupted"]


@dataclass
class Story:
    """What became of a replay.

    end       "done"; or it was given up because the kernel hung or died, or its user had enough
    why       in words, where it is not "done"
    seq       number of the recorded request that was waited for then; None where there was none
    where     what it is, in one line that is safe for a terminal
    sent      places of the messages that were sent
    left      how many of the script's messages had not been come to
    left_at   the first of those, each in a line that is safe for a terminal
    unsent    how many were come to, and not sent, by the reason
    withheld  places of those of them that are never sent to such a kernel, on purpose
    """

    end: End = "done"
    why: str = ""
    seq: int | None = None
    where: str = ""
    sent: list[int] = field(default_factory=list)
    left: int = 0
    left_at: list[str] = field(default_factory=list)
    unsent: Counter[str] = field(default_factory=Counter)
    withheld: list[int] = field(default_factory=list)
