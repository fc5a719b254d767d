"""Which recorded request is the one that a client sends now?

Recorded requests are looked up by type and content, strictly first: equal; equal but for what
varies by nature; equal in what decides about the answer (`kspy.analysis.sameness.keys`); equal but
for space behind the code. Among equals they come in the recorded order, and after the last one the
first again.

The contents of a type are read when the first request of that type comes, or `prepare` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

import numpy as np

from kspy.analysis.alignment import alike
from kspy.analysis.sameness.keys import essential_key, exact_key, opening_key
from kspy.analysis.sameness.rules import Rules
from kspy.analysis.table import Table
from kspy.errors import KspyError
from kspy.replay.serving.debugging import REQUEST, anyones_key, asked_key
from kspy.replay.serving.script import Script, Scripts
from kspy.wire.message import Message, text

_COMPARED: Final = 2000
"""Recorded requests among which the nearest is looked for."""

_TEXT: Final = 500
"""Characters of each that are kept to compare; `alike` looks at no more."""

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
            lambda message: opening_key(message, rules) + _comm(message),
            essential_key,
            _trimmed_key,
        )
        self._keys_of_debugger: tuple[Key, ...] = (
            asked_key,
            anyones_key,
            lambda message: anyones_key(message, rules),
        )
        self._indexes: dict[tuple[str, int], dict[bytes, _Equals]] = {}
        self._by_type: dict[str, list[int]] = {}
        self._texts: dict[str, list[tuple[int, str]]] = {}
        rows = table.rows(0, len(table))
        for place in self.scripts.cues.tolist():
            self._by_type.setdefault(table.names[rows.types[place]], []).append(place)

    def prepare(self, msg_type: str) -> None:
        """Read the contents of a type now: of a long recording that takes seconds."""
        self._index(msg_type, 0)

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
        for strength, key in enumerate(self._keys_for(msg_type)):
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
        if (msg_type, strength) not in self._indexes:
            # Who asks for what is not quite equal asks for both: one reading serves them.
            keys = self._keys_for(msg_type)
            strengths = (0,) if strength == 0 else range(1, len(keys))
            made: dict[int, dict[bytes, _Equals]] = {number: {} for number in strengths}
            for place, message in self.recorded(msg_type):
                for number, index in made.items():
                    key = keys[number](message)
                    index.setdefault(key, _Equals()).places.append(place)
            self._indexes.update({(msg_type, number): made[number] for number in made})
        return self._indexes[msg_type, strength]

    def _keys_for(self, msg_type: str) -> tuple[Key, ...]:
        return self._keys_of_debugger if msg_type == REQUEST else self._keys

    def recorded(self, msg_type: str) -> Iterator[tuple[int, Message]]:
        """The requests of a type, with their places, in order; lost ones are left out."""
        for place in self._by_type.get(msg_type, ()):
            message = self.load(place)
            if message is not None:
                yield place, message

    def load(self, place: int) -> Message | None:
        """The message in a place; None where the file has lost it."""
        try:
            return self.table.load(place)
        except KspyError:
            return None

    def whole(self, msg_type: str) -> Script | None:
        """The first recorded request of a type that was answered with reply and idle."""
        for place in self._by_type.get(msg_type, ()):
            script = self.scripts.of(place)
            if script.whole:
                return script
        return None

    def nearest(self, msg_type: str, said: str, saying: Callable[[Message], str]) -> Message | None:
        """The recorded request whose text, by `saying`, is the most like `said`, if any is."""
        if msg_type not in self._by_type:
            return None
        if msg_type not in self._texts:
            self._texts[msg_type] = [
                (place, saying(message)[:_TEXT])
                for place, message in islice(self.recorded(msg_type), _COMPARED)
            ]
        likenesses = [(alike(said, text), -place) for place, text in self._texts[msg_type]]
        likeness, place = max(likenesses, default=(0.0, 0))
        return self.load(-place) if likeness else None

    def seq(self, place: int) -> int:
        """The number of the message in a place."""
        return self.table.seq(place)

    def replies(self, msg_type: str) -> Iterator[int]:
        """Places of what the kernel sent of this type."""
        table = self.table
        if msg_type in table.names:
            rows = table.rows(0, len(table))
            wanted = rows.to_client & (rows.types == list(table.names).index(msg_type))
            yield from np.flatnonzero(wanted).tolist()


def _trimmed_key(message: Message) -> bytes:
    code = message.content.get("code")
    if message.msg_type != "execute_request" or not isinstance(code, str):
        return essential_key(message)
    silent = message.content.get("silent") is True
    return f"{silent} {code.rstrip()}".encode("utf-8", "replace")


def _comm(message: Message) -> bytes:
    """The comm that it is for, where there is one: it is not said to another one instead."""
    if message.msg_type not in ("comm_msg", "comm_close"):
        return b""
    return text(message.content.get("comm_id")).encode("utf-8", "replace")


def open_book(table: Table) -> Book:
    """Read all of a recording's columns first."""
    while not table.grow():
        pass
    return Book(table)
