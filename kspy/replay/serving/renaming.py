"""Ids that clients made anew: of comms that they open, where the recorded client had others, and of
their requests (see `stand_ins`).

A client that opens a recorded comm gives it an id of its own. What it says afterwards is looked up
with the recorded id, and what the recorded kernel said is passed on with the client's. An id that
may be a word, as "plot", is only known where ids of comms stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from kspy.analysis.difference import value_of
from kspy.analysis.sameness.ids import Ids
from kspy.replay.serving.debugging import numbered
from kspy.replay.serving.request import Request
from kspy.replay.serving.speaker import Recorded, Rename
from kspy.replay.serving.stand_ins import StandIns, replaced
from kspy.wire.message import Message, text

_KEPT: Final = 200
"""Comms that are remembered: a client may open them for ever."""


_PLACE: Final = re.compile(r'("comm_id"\s*:\s*)("(?:[^"\\]|\\.)*")')
"""Where the id of a comm stands in JSON. Within a text in it the quotes would be escaped."""


class Renaming:
    """Whose ids stand for which recorded ones; the latest first."""

    def __init__(self) -> None:
        self._known: list[tuple[bytes, Ids]] = []
        self._stand_ins = StandIns()

    def as_recorded(self, request: Request) -> Message:
        """What a client said, with the recorded ids in its content."""
        parts = request.message.parts
        try:
            before = after = parts.content.decode() if parts else ""
        except UnicodeDecodeError:
            return request.message
        after = self._stand_ins.as_recorded(after)
        for _, ids in self._known:
            after = ids.backward(after)
        if self._known:
            after = _at_its_place(after, [ids.old_of for _, ids in self._known])
        return request.message if after == before else request.with_content(after.encode())

    def learn(self, recorded: Message, request: Request) -> None:
        """A client opened a comm that the recorded client had opened, too."""
        old, new = (text(m.content.get("comm_id")) for m in (recorded, request.message))
        if request.msg_type != "comm_open" or not old or not new or old == new:
            return
        ids = next((ids for client, ids in self._known if client == request.client), None)
        if ids is None or not ids.pair(old, new):
            ids = Ids()
            ids.learn(request.msg_type, _value(recorded), _value(request.message))
            self._known.insert(0, (request.client, ids))
            del self._known[_KEPT:]

    def answers(self, recorded: Recorded, request: Request) -> None:
        """What the recorded kernel said to a request is about to be said to this one."""
        self._stand_ins.answered(recorded.asked, request.message.msg_id)

    def of(self, recorded: Recorded, request: Request) -> Rename | None:
        """How to rename in what is said while a request is answered; None where nothing is."""
        if (numbering := numbered(recorded, request)) is not None:
            return numbering
        requests = self._stand_ins.of(recorded.ids) if recorded.ids else None
        if not self._known:
            return (lambda said: replaced(said, requests)) if requests else None
        known = sorted(self._known, key=lambda entry: entry[0] != request.client)

        def rename(said: str) -> str:
            for _, ids in known:
                said = ids.forward(said)
            if requests:
                said = replaced(said, requests)
            return _at_its_place(said, [ids.new_of for _, ids in known])

        return rename


def _at_its_place(said: str, names: Iterable[Callable[[str], str]]) -> str:
    """`said` with the ids of comms replaced by the first of `names` that knows another."""

    def other(found: re.Match[str]) -> str:
        try:
            comm = json.loads(found[2])
        except ValueError:
            return found[0]
        known = next((new for name in names if (new := name(comm)) != comm), None)
        return found[0] if known is None else found[1] + json.dumps(known)

    return _PLACE.sub(other, said)


def _value(message: Message) -> dict[str, Any]:
    return dict(value_of(message))
