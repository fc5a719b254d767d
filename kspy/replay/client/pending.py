"""What came since a client last sent: what of it has to be waited for before the next is sent?

Only the last of each type of each request: with that, those before it have come. What came before
the end of a request is not waited for if that end is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Came(NamedTuple):
    """The last message of its type for the request at `place`; `within`: before that's idle."""

    place: int
    msg_type: str
    time_ns: int
    within: bool


class Pending:
    """In the order in which they came."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, str], Came] = {}

    def add(self, came: Came) -> None:
        key = came.place, came.msg_type
        self._last.pop(key, None)
        self._last[key] = came

    def take(self) -> Iterator[Came]:
        """All of them; then there are none."""
        last, self._last = self._last, {}
        return iter(last.values())
