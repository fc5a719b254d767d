"""Hand the kernel's `iopub_welcome` to the client that it was meant for.

Rule: messaging specification, "Welcome message" (protocol 5.5). A kernel greets a subscription
to a topic, most of them only the first one. The tap must subscribe to everything before clients
do, so it is greeted in their place; the client would wait for a greeting that never comes.
So the greeting is kept, and handed on as it is when a client subscribes and the kernel keeps
silent. A kernel that greets every subscription has greeted the tap twice, and needs no help.

Pure: what happened comes in, what is to be sent comes out.
"""

from __future__ import annotations

from collections.abc import Sequence

from kspy.wire.frames import split
from kspy.wire.packers import decode

SUBSCRIBE = b"\x01"
UNSUBSCRIBE = b"\x00"


class Welcome:
    """Follows the subscriptions to everything (topic "") and the greetings for them."""

    def __init__(self) -> None:
        self._kept: list[Sequence[bytes]] = []
        self._subscribers = 0
        self._own = 2  # what the tap itself subscribes is not seen in the relay

    def subscribed(self, topic: bytes) -> Sequence[bytes] | None:
        """A client subscribed; what to hand to it, if anything."""
        if topic:
            return None
        self._subscribers += 1
        if self._subscribers == 1 and len(self._kept) == 1:
            return self._kept[0]
        return None

    def unsubscribed(self, topic: bytes) -> None:
        if not topic:
            self._subscribers = max(0, self._subscribers - 1)

    def published(self, frames: Sequence[bytes]) -> None:
        """A kernel's message that may be a greeting."""
        if self._subscribers or len(self._kept) >= self._own:
            return
        parts = split(frames)
        content = decode(parts.content) if parts else None
        if content and content.value.get("subscription") == "":
            self._kept.append(frames)
