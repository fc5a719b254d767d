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
from kspy.wire.message import text
from kspy.wire.packers import decode, decode_header

SUBSCRIBE = b"\x01"
UNSUBSCRIBE = b"\x00"


class Welcome:
    """Follows the subscriptions to everything (topic "") and the greetings for them."""

    def __init__(self) -> None:
        self._greeting: Sequence[bytes] | None = None
        self._greetings = 0
        self._kernel = ""
        self._subscribers = 0

    def subscribed(self, topic: bytes) -> Sequence[bytes] | None:
        """A client subscribed; what to hand to it, if anything."""
        if topic:
            return None
        self._subscribers += 1
        greets_once = self._greetings == 1
        return self._greeting if self._subscribers == 1 and greets_once else None

    def unsubscribed(self, topic: bytes) -> None:
        if not topic:
            self._subscribers = max(0, self._subscribers - 1)

    def published(self, frames: Sequence[bytes]) -> None:
        """The kernel published an `iopub_welcome`. A restarted kernel has a new session."""
        parts = split(frames)
        content = decode(parts.content) if parts else None
        if parts is None or content is None or content.value.get("subscription") != "":
            return
        kernel = text((decode_header(parts.header) or {}).get("session"))
        if kernel != self._kernel:
            self._kernel, self._greetings = kernel, 0
        self._greeting = frames
        self._greetings += 1
