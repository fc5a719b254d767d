"""Which request an id names, wherever it stands: the same number for those that belong together.

A request's id is in the contents of messages, too: an output widget's state has that of the request
whose output it takes. It means the same on both sides if it names two requests that are a pair.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

import numpy as np

from kspy.analysis.filter.pattern import Pattern
from kspy.analysis.sameness.ids import TELLING, TOKEN, renamed_token

_FIELD: Final = b"msg_id"
_LIKELY: Final = Pattern("(?:[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12})")
"""In each text that has a `TOKEN`; it is much faster looked for."""
_MARK: Final = "\N{OBJECT REPLACEMENT CHARACTER}request"

Named = tuple[int, int]
"""The digest of an id, and the number of its pair; below zero where the other side has none."""


def digest(msg_id: str) -> int:
    """Eight bytes in place of an id: a session may have millions."""
    return hash(msg_id)


class Requests:
    """Those of both sessions.

    `parents` are the ids of two messages' own requests, which a recording that begins late has not.
    If they are one id, both messages are of one session, one of them in an extract: the same texts
    name the same there.
    """

    def __init__(self, old: Iterable[Named] = (), new: Iterable[Named] = ()) -> None:
        self._sides = _Side(old), _Side(new)

    def marked(self, old: str, new: str, parents: tuple[str, str] = ("", "")) -> tuple[str, str]:
        """Both texts with the same mark for what names the same request."""
        a, b = self._sides
        return a.marked(old, parents[0]), b.marked(new, parents[1])

    def differ(self, both: str, parents: tuple[str, str]) -> bool:
        """Does a text that both sides have name requests that are not the same?

        Not if one side has no such request: an extract names those that are not in it.
        """
        if len(both) < TELLING or _of_one_session(*parents):
            return False
        names = [both]
        if _LIKELY.is_in(both):
            for token in TOKEN.findall(both):
                names += (token, token.partition("_")[0])
        return any(self._differ(name, parents) for name in names)

    def _differ(self, name: str, parents: tuple[str, str]) -> bool:
        old, new = (side.number(name) for side in self._sides)
        if old is None and new is None:
            return (name == parents[0]) != (name == parents[1])
        if old is None or new is None:
            known = new if old is None else old
            return known is not None and known >= 0
        return old != new


class _Side:
    def __init__(self, named: Iterable[Named]) -> None:
        digests, numbers = array("q"), array("q")
        for name, number in named:
            digests.append(name)
            numbers.append(number)
        order = np.argsort(np.asarray(digests, np.int64), kind="stable").tolist()
        self._digests = array("q", (digests[n] for n in order))
        self._numbers = array("q", (numbers[n] for n in order))

    def marked(self, text: str, parent: str) -> str:
        if len(text) < TELLING:
            return text

        def mark(word: str) -> str:
            number = self.number(word)
            if number is not None:
                return f"{_MARK} {number}"
            return _MARK if word == parent else word

        whole = mark(text)
        if whole != text or not _LIKELY.is_in(text):
            return whole
        return TOKEN.sub(lambda token: renamed_token(token[0], mark), text)

    def number(self, msg_id: str) -> int | None:
        name = digest(msg_id)
        at = bisect_left(self._digests, name)
        if at == len(self._digests) or self._digests[at] != name:
            return None
        number: int = self._numbers[at]
        return number


def may_name(content: bytes, old: str, new: str) -> bool:
    """May there be a request's id in what both sides have, that counts? As told without a search
    for whatever looks like one."""
    if _of_one_session(old, new):
        return False
    return _FIELD in content or any(
        len(parent) >= TELLING and parent.encode("utf-8", "replace") in content
        for parent in (old, new)
    )


def _of_one_session(old: str, new: str) -> bool:
    """Do two messages that answer these requests come from one session?"""
    return old == new and len(old) >= TELLING
