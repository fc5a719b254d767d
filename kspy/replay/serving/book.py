"""Which recorded request is the one that a client sends now?

Recorded requests are looked up by type and content, strictly first: equal; equal but for what
varies by nature; equal in what decides about the answer (`kspy.analysis.sameness.keys`). Among
equals they come in the recorded order, and after the last one the first again.

The contents of a type are read when the first request of that type comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from kspy.analysis.alignment import alike
from kspy.analysis.sameness.keys import essential_key, exact_key, masked_key
from kspy.analysis.sameness.rules import Rules
from kspy.analysis.table import Table
from kspy.errors import KspyError
from kspy.replay.serving.script import Script, Scripts
from kspy.wire.message import Message

_COMPARED: Final = 2000
"""Recorded requests among which the nearest is looked for."""

_LOOKED_BACK: Final = 100

Key = Callable[[Message], bytes]


class _Equals:
    """Recorded requests that are equal, by their places; `turn` says whose turn it is."""

    __slots__ = ("places", "turn")

    def __init__(self) -> None:
        self.places: list[int] = []
        self.turn = 0


class Book:
    """The requests of a recording, and what answered each."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.scripts = Scripts(table)
        rules = Rules.usual()
        self._keys: tuple[Key, ...] = (
            exact_key,
            lambda message: masked_key(message, rules),
            essential_key,
        )
        self._indexes: dict[tuple[str, int], dict[bytes, _Equals]] = {}
        self._by_type: dict[str, list[int]] = {}
        rows = table.rows(0, len(table))
        for place in self.scripts.cues.tolist():
            self._by_type.setdefault(table.names[rows.types[place]], []).append(place)

    def restart(self) -> None:
        """Begin with the first of equals again."""
        for index in self._indexes.values():
            for equals in index.values():
                equals.turn = 0

    def find(self, message: Message, *, again: bool = True) -> Script | None:
        """What answers such a request; None where none was recorded.

        again   after the last of equals take the first again
        """
        msg_type = message.msg_type
        if msg_type not in self._by_type:
            return None
        for strength, key in enumerate(self._keys):
            equals = self._index(msg_type, strength).get(key(message))
            if equals is None:
                continue
            if equals.turn == len(equals.places):
                if not again:
                    return None
                equals.turn = 0
            equals.turn += 1
            return self.scripts.of(equals.places[equals.turn - 1])
        return None

    def _index(self, msg_type: str, strength: int) -> dict[bytes, _Equals]:
        index = self._indexes.get((msg_type, strength))
        if index is None:
            index = self._indexes[msg_type, strength] = {}
            for place, message in self.recorded(msg_type):
                found = index.setdefault(self._keys[strength](message), _Equals())
                found.places.append(place)
        return index

    def recorded(self, msg_type: str) -> Iterator[tuple[int, Message]]:
        """The requests of a type, with their places, in order; lost ones are left out."""
        for place in self._by_type.get(msg_type, ()):
            try:
                yield place, self.table.load(place)
            except KspyError:
                continue

    def whole(self, msg_type: str) -> Script | None:
        """The first recorded request of a type that was answered with reply and idle."""
        for place in self._by_type.get(msg_type, ()):
            script = self.scripts.of(place)
            if script.whole:
                return script
        return None

    def nearest(self, msg_type: str, said: str, saying: Callable[[Message], str]) -> Message | None:
        """The recorded request whose text, by `saying`, is the most like `said`."""
        best: tuple[float, Message] | None = None
        for number, (_, message) in enumerate(self.recorded(msg_type)):
            if number == _COMPARED:
                break
            likeness = alike(said, saying(message))
            if best is None or likeness > best[0]:
                best = likeness, message
        return best[1] if best else None

    def seq(self, place: int) -> int:
        """The number of the message in a place."""
        return self.table.seq(place)

    @property
    def count(self) -> int:
        """The last execution count of the recording; 0 where there is none."""
        for place in list(self.replies("execute_reply"))[: -_LOOKED_BACK - 1 : -1]:
            count = self.table.load(place).content.get("execution_count")
            if isinstance(count, int):
                return count
        return 0

    def replies(self, msg_type: str) -> Iterator[int]:
        """Places of what the kernel sent of this type."""
        table = self.table
        if msg_type in table.names:
            rows = table.rows(0, len(table))
            wanted = rows.to_client & (rows.types == list(table.names).index(msg_type))
            yield from np.flatnonzero(wanted).tolist()


def open_book(table: Table) -> Book:
    """Read all of a recording's columns first."""
    while not table.grow():
        pass
    return Book(table)
