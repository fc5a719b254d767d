"""Ids of requests in what is said: a recorded one becomes that of the request in its place now.

A kernel may tell a client which request it means: a widget that takes in outputs names, in a
`comm_msg`, the request whose outputs are to go into it (ipywidgets' Output). What counts is a
string that is such an id and nothing else; the bytes around it stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from kspy.analysis.sameness.ids import TELLING

_STRING: Final = rf'"(?<!\\")(?=[\w.:-]*[0-9])([\w.:-]{{{TELLING},200}})"(?!\s*:)'
"""In JSON: a string, no key, that may be an id. Within a text the quotes would be escaped."""
_IN_BYTES: Final = re.compile(_STRING.encode())
_IN_TEXT: Final = re.compile(_STRING, re.ASCII)

NONE: Final[frozenset[str]] = frozenset()


def may_be_ids(*parts: bytes) -> frozenset[str]:
    """The strings in JSON that may be ids of requests. One that may be a word is none."""
    found = [name for part in parts for name in _IN_BYTES.findall(part)]
    return frozenset(name.decode() for name in found) if found else NONE


class StandIns:
    """Which request was the last that was answered in a recorded one's place, by their ids."""

    def __init__(self) -> None:
        self._now: dict[str, str] = {}
        self._then: dict[str, str] = {}

    def answered(self, recorded: str, request: str) -> None:
        """The client's `request` gets what answered the `recorded` one."""
        before = self._now.get(recorded)
        if before == request or not recorded or not request:
            return
        if before is not None:
            self._then.pop(before, None)
        self._now[recorded], self._then[request] = request, recorded

    def of(self, ids: frozenset[str]) -> Mapping[str, str]:
        """What stands now for those of these ids that are a recorded request's."""
        return {old: self._now[old] for old in ids if old in self._now}

    def as_recorded(self, content: str) -> str:
        """JSON of a client's, with the recorded ids."""
        return replaced(content, self._then)


def replaced(said: str, names: Mapping[str, str]) -> str:
    """JSON with other strings for those that are a key of `names`."""

    def other(found: re.Match[str]) -> str:
        return json.dumps(names[found[1]]) if found[1] in names else found[0]

    return _IN_TEXT.sub(other, said)
