"""What a connection to a kernel is, whatever it goes over, and what stands at its other end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from kspy.errors import KspyError
from kspy.speak.compose import Outgoing
from kspy.wire.frames import Channel


class LinkLostError(KspyError):
    """Nothing more will come over this connection."""


class Wire(NamedTuple):
    """A message as it is on the wire. `flags` as a recording has them, docs/format.md."""

    channel: Channel
    frames: Sequence[bytes]
    flags: int = 0


class Link(Protocol):
    """A connection to a kernel.

    subscribes   does what the kernel publishes arrive only once it knows of a subscription?
    """

    subscribes: bool

    def encode(self, message: Outgoing) -> Wire:
        """Raises `ValueError` or `TypeError` for what JSON has no words for."""

    def pack(
        self, channel: Channel, parts: Sequence[bytes], buffers: Sequence[bytes], *, signed: bool
    ) -> Wire:
        """A message of header, parent_header, metadata and content that are bytes already.

        signed   False: with a signature that is wrong

        Raises `ValueError` for what cannot go over this connection.
        """

    async def send(self, wire: Wire) -> None:
        """Raises `LinkLostError`."""

    async def receive(self) -> Sequence[Wire]:
        """What comes next; several messages where they are there. Raises `LinkLostError`."""

    async def close(self) -> None:
        """What was sent before still goes out."""


class Host(Protocol):
    """Who has the kernel: this process, another one, a server.

    owned      was the kernel started for this conversation? Then it ends with it
    restarts   is a kernel that died started again by who has it, unasked?
    """

    owned: bool
    restarts: bool

    async def describe(self) -> tuple[str, Mapping[str, Any]]:
        """The kernel's name and kernelspec, "" and {} if unknown; nothing is started yet.

        Raises `KspyError` where there is no such kernel.
        """

    async def open(self) -> Link:
        """Start the kernel if it is to be started, and connect. Raises `KspyError`."""

    @property
    def started(self) -> Mapping[str, Any]:
        """What a recording says of the start of a kernel that is `owned`."""

    async def link(self, session: str) -> Link:
        """Connect once more, as a client of its own; what is published may not come there."""

    async def ended(self) -> str:
        """Why nothing more will come from the kernel; "" as long as it may."""

    @property
    def how(self) -> Mapping[str, Any]:
        """What a recording says of how it ended, when it has."""

    async def interrupt(self) -> str:
        """Interrupt what the kernel runs; how: "signal", "message" or "server"."""

    async def restart(self) -> None:
        """End a kernel that is `owned`, start it again, and connect again.

        Raises `KspyError`, and for kernels that somebody else started.
        """

    async def close(self) -> None:
        """End the kernel if it is `owned`. Call it whatever happened."""
