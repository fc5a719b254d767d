"""Ids that are other ones now: of comms, which whoever opens them makes anew, of requests (see
`stand_ins`), and the numbers of a debugger's requests.

A client that opens a recorded comm gives it an id of its own. A kernel that opens comms makes new
ids each time that it runs a cell, and so does the served one, but for the first time. What a client
says is looked up with the recorded ids, and what the recorded kernel said is passed on with those
of now. An id that may be a word, as "plot", is only known where ids of comms stand.

Theory of operation: the comms that are opened while one request is answered are a *generation*. An
older one may still be shown, and be used: what answers a request means the comms of the generation
that the request is for, and of those in whose use that one came about; else the client's latest,
and else the latest of all.
"""

from __future__ import annotations

import json
import re
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from kspy.analysis.sameness.ids import TELLING, TOKEN, renamed_token
from kspy.replay.serving.debugging import numbered
from kspy.replay.serving.request import Request
from kspy.replay.serving.speaker import Recorded, Rename
from kspy.replay.serving.stand_ins import StandIns, replaced
from kspy.wire.message import Message, text

_KEPT: Final = 20_000
"""Comms that are remembered: a client may open them for ever."""

_DEEPEST: Final = 8
"""Generations above one that are looked at."""

_PLACE: Final = re.compile(r'("comm_id"\s*:\s*)("(?:[^"\\]++|\\.)*+")')
"""Where the id of a comm stands in JSON. Within a text in it the quotes would be escaped.
It never goes back: a long id would take a hundred times its size."""

_PLAIN: Final = re.compile(rf"[\w./:-]{{{TELLING},}}", re.ASCII)
"""An id that may stand in any text, and be put into any; with a digit it is no word."""


Name = Callable[[str], str]


@dataclass(eq=False, slots=True)
class Generation:
    """`names`: ids of now by recorded ids. `above`: in whose use it came about.

    cue     place of the recorded request that is being answered
    client  who asks now
    """

    cue: int
    client: bytes
    above: Generation | None
    names: dict[str, str] = field(default_factory=dict)


class Renaming:
    """What stands for the recorded ids in this life of the served kernel, and the other way."""

    def __init__(self) -> None:
        self._stand_ins = StandIns()
        self._opened: dict[int, dict[str, None]] = {}
        self._kept: deque[tuple[str, str, Generation]] = deque()
        self._owners: dict[str, tuple[str, Generation]] = {}
        self._latest: dict[tuple[bytes | None, str], Generation] = {}
        self._renames = False
        self._odd = False
        """Is there an id to be found in texts that does not look like most?"""

    # What happens

    def begin(self, cue: int, recorded: Message | None, request: Request) -> Generation:
        """`request` is about to be answered as the one in the place `cue` was.

        recorded   that one, where it opened a comm
        """
        comm_id = text(request.content.get("comm_id"))
        above = self._owners[comm_id][1] if comm_id in self._owners else None
        generation = Generation(cue, request.client, above)
        if recorded is not None and comm_id:
            self._add(generation, text(recorded.content.get("comm_id")), comm_id, request.client)
        for old in self._opened.get(cue, ()):
            self._add(generation, old, _anew(old))
        return generation

    def about_to_say(self, recorded: Recorded, generation: Generation, request: Request) -> None:
        """What the recorded kernel said as an answer is about to be said to `request`."""
        if recorded.parent == generation.cue:
            self._stand_ins.answered(recorded.asked, request.message.msg_id)
        comm_id = recorded.opens
        if comm_id and comm_id not in generation.names:
            self._opened.setdefault(generation.cue, {})[comm_id] = None
            self._add(generation, comm_id, comm_id)

    def _add(self, generation: Generation, old: str, new: str, client: bytes | None = None) -> None:
        """`client`: who opened it, if it was not the kernel."""
        if not old:
            return
        generation.names[old] = new
        self._owners[new] = (old, generation)
        self._latest[client, old] = self._latest[None, old] = generation
        self._renames |= old != new
        self._odd |= not (TOKEN.fullmatch(old) and TOKEN.fullmatch(new))
        self._kept.append((old, new, generation))
        if len(self._kept) > _KEPT:
            self._forget(*self._kept.popleft())

    def _forget(self, old: str, new: str, generation: Generation) -> None:
        generation.names.pop(old, None)
        generation.above = None
        if self._owners.get(new, (old, None))[1] is generation:
            del self._owners[new]
        for client in (None, generation.client):
            if self._latest.get((client, old)) is generation:
                del self._latest[client, old]

    # What is said

    def as_recorded(self, request: Request) -> Message:
        """What a client said, with the recorded ids in its content."""
        parts = request.message.parts
        try:
            before = parts.content.decode() if parts else ""
        except UnicodeDecodeError:
            return request.message
        after = self._stand_ins.as_recorded(before)
        after = self._with_comms(after, lambda new: self._owners.get(new, (new, None))[0])
        return request.message if after == before else request.with_content(after.encode())

    def of(self, recorded: Recorded, generation: Generation, request: Request) -> Rename | None:
        """How to rename in what is said while `request` is answered; None where nothing is."""
        numbering, naming = numbered(recorded, request), self._naming(recorded, generation)
        if numbering is None or naming is None:
            return numbering or naming
        return lambda said: naming(numbering(said))

    def _naming(self, recorded: Recorded, generation: Generation) -> Rename | None:
        requests = self._stand_ins.of(recorded.ids) if recorded.ids else None
        if not self._renames:
            return (lambda said: replaced(said, requests)) if requests else None

        def rename(said: str) -> str:
            said = replaced(said, requests) if requests else said
            return self._with_comms(said, lambda old: self._now(old, generation))

        return rename

    def _now(self, old: str, generation: Generation) -> str:
        """The id that a recorded comm has for what is said in a generation."""
        above: Generation | None = generation
        for _ in range(_DEEPEST):
            if above is None:
                break
            if old in above.names:
                return above.names[old]
            above = above.above
        for client in (generation.client, None):
            if (latest := self._latest.get((client, old))) is not None:
                return latest.names[old]
        return old

    def _with_comms(self, said: str, name: Name) -> str:
        """JSON with other ids of comms, by `name`."""
        if not self._renames:
            return said

        def plain(word: str) -> str:
            other = name(word)
            return other if _is_plain(word) and _is_plain(other) else word

        said = TOKEN.sub(lambda token: renamed_token(token[0], plain), said)
        if self._odd:
            said = _PLAIN.sub(lambda w: w[0] if TOKEN.fullmatch(w[0]) else plain(w[0]), said)
        return _at_its_place(said, name)


def _at_its_place(said: str, name: Name) -> str:
    """`said` with the ids of comms replaced by `name`, where only ids of comms stand."""

    def other(found: re.Match[str]) -> str:
        try:
            comm = json.loads(found[2])
        except ValueError:
            return found[0]
        known = name(comm)
        if known == comm or (_is_plain(comm) and _is_plain(known)):  # that was done in the text
            return found[0]
        return found[1] + json.dumps(known)

    return _PLACE.sub(other, said)


def _is_plain(comm: str) -> bool:
    """A client may call a comm as it likes, also by a word, or by what ends a text."""
    return _PLAIN.fullmatch(comm) is not None and any(map(str.isdigit, comm))


def _anew(old: str) -> str:
    """An id as a kernel makes one; what may be a word stays: it could not be found in texts."""
    if not _is_plain(old):
        return old
    return str(uuid.uuid4()) if "-" in old else uuid.uuid4().hex
