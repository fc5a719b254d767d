"""How much of a folder's recordings is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Limits:
    """What is kept; None: all of it.

    last     so many recordings, the newest
    bytes    the newest that together have so many bytes; the newest of all in any case
    days     those that were written to in so many days
    """

    last: int | None = None
    bytes: int | None = None
    days: int | None = None

    def __bool__(self) -> bool:
        return (self.last, self.bytes, self.days) != (None, None, None)


EVERYTHING: Final = Limits()
