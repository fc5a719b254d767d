"""What was found in a source, a conversation a kernel, until all of it is known.

Theory of operation: connections come one after the other in a source, and overlap in time, so a
kernel's messages have to be put in order when all are there. Meanwhile their payloads wait in a
nameless file, and memory holds a few numbers a message.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, Self

from kspy.imports.captured import Captured, Found, Lost, Opened
from kspy.recording.event import Event
from kspy.wire.frames import Direction
from kspy.wire.websocket import Encoding

_IN_MEMORY: Final = 16 << 20


class Kept(NamedTuple):
    """A message whose payload is in the spool; `order` is what it is sorted by."""

    order: int
    time_ns: int
    client: int
    direction: Direction
    encoding: Encoding
    start: int
    size: int


@dataclass
class Conversation:
    """All that was found of one kernel. `stories` are in the order in which they were found."""

    kernel_id: str
    clients: int = 0
    messages: int = 0
    lost: int = 0
    timeless: int = 0
    directions: set[Direction] = field(default_factory=set)
    stories: list[Kept | tuple[int, Event]] = field(default_factory=list)

    def in_order(self) -> Iterator[Kept | Event]:
        """By time; what went over one connection stays in its order.

        What comes before any time that is known has the first that is.
        """
        first = min((story[0] for story in self.stories if story[0]), default=0)
        for story in sorted(self.stories, key=lambda story: story[0]):
            if isinstance(story, Kept):
                yield story if story.time_ns else story._replace(time_ns=first)
            else:
                yield story[1] if story[1].time_ns else replace(story[1], time_ns=first)


class Spool:
    """A context manager; `take` all that was found, then see `conversations`."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        self._size = 0
        self._connections: dict[int, tuple[Conversation, int]] = {}
        self._latest: dict[int, int] = {}
        self._conversations: dict[str, Conversation] = {}

    @property
    def conversations(self) -> list[Conversation]:
        """Those with messages, in the order in which they were found."""
        return [found for found in self._conversations.values() if found.messages]

    def take(self, found: Iterable[Found]) -> None:
        for story in found:
            if isinstance(story, Opened):
                self._open(story)
            elif isinstance(story, Captured):
                self._keep(story)
            else:
                self._note(story)

    def payload(self, message: Kept) -> bytes:
        self._file.seek(message.start)
        return self._file.read(message.size)

    def _open(self, story: Opened) -> None:
        fresh = Conversation(story.kernel_id)
        conversation = self._conversations.setdefault(story.kernel_id, fresh)
        conversation.clients += 1
        self._connections[story.connection] = conversation, conversation.clients
        if story.time_ns is not None:
            data = {"channel": "WebSocket", "client": conversation.clients}
            event = Event(0, story.time_ns, "client_connected", data)
            conversation.stories.append((self._order(story.connection, story.time_ns), event))

    def _keep(self, story: Captured) -> None:
        conversation, client = self._connections[story.connection]
        order = self._order(story.connection, story.time_ns)
        time_ns = order if story.time_ns is None else story.time_ns
        start, size = self._size, len(story.payload)
        self._file.seek(start)
        self._file.write(story.payload)
        self._size += size
        conversation.timeless += story.time_ns is None
        kept = Kept(order, time_ns, client, story.direction, story.encoding, start, size)
        conversation.stories.append(kept)
        conversation.messages += 1
        conversation.directions.add(story.direction)

    def _note(self, story: Lost) -> None:
        conversation, client = self._connections[story.connection]
        order = self._order(story.connection, story.time_ns)
        data: dict[str, str | int] = {"why": story.why, "client": client}
        if story.name == "gap":
            conversation.lost += 1
            data["lost"] = 1
        time_ns = order if story.time_ns is None else story.time_ns
        conversation.stories.append((order, Event(0, time_ns, story.name, data)))

    def _order(self, connection: int, time_ns: int | None) -> int:
        """Never less than that of what came before over the same connection."""
        latest = max(self._latest.get(connection, 0), time_ns or 0)
        self._latest[connection] = latest
        return latest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
