"""Find the client of an answer that does not say whose it is.

Rule: messaging specification, "The wire protocol". All frames before the delimiter are the routing
prefix, and a kernel's answer begins with those of the request. Some kernels keep only the first
one, which is enough for a client that is connected to them, and is the tap's own behind a tap. What
they say on shell, stdin and control then has no prefix when it comes here, and no socket to go to.
Its parent header tells who asked.

Pure: what happened comes in, what is to be sent comes out.
"""

from __future__ import annotations

from collections.abc import Sequence

from kspy.wire.frames import CHANNELS

_SHELL = CHANNELS.index("shell")


class Strays:
    """Follows which socket a session has on each channel, and what was returned to it."""

    def __init__(self) -> None:
        self._identities: dict[tuple[int, str], bytes] = {}
        self._returned: list[list[bytes]] = []

    def asked(self, channel: int, identity: bytes, session: str) -> None:
        """A request came from this socket."""
        self._identities[channel, session] = identity

    def returned(self, channel: int, parent: str, frames: Sequence[bytes]) -> list[bytes] | None:
        """`frames` as they have to be sent to reach whom they answer; None if that is not known.

        A client's socket on stdin has the identity of the one on shell.
        """
        identity = self._identities.get((channel, parent))
        identity = identity or self._identities.get((_SHELL, parent))
        if not parent or not identity:
            return None
        message = [identity, *frames]
        self._returned.append(message)
        return message

    def seen(self, frames: list[bytes]) -> bool:
        """Is this what was returned, on its way to the client? Then it was recorded already."""
        if frames not in self._returned:
            return False
        self._returned.remove(frames)
        return True
