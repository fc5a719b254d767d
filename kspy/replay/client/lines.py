"""The connections of the recorded clients to the kernel that they now speak to.

Each client has a connection of its own, opened when it first sends: own routing id, own WebSocket.
What the kernel publishes reaches all of them; it is taken, and recorded, from the first alone.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Final

from kspy.errors import KspyError
from kspy.replay.client.translate import CannotSendError, Letter
from kspy.speak.compose import Outgoing, new_header, new_session
from kspy.speak.link import Host, Link, LinkLostError, Wire
from kspy.speak.log import Log
from kspy.speak.whole import whole
from kspy.wire.frames import Channel
from kspy.wire.message import Message

MOST_CLIENTS: Final = 200
"""Each has sockets and threads; a system gives a process no more than some thousand."""

_MANY: Final = 64
_WELCOME_SECONDS: Final = 1.0
_NUDGE_SECONDS: Final = 1.0
_START_SECONDS: Final = 60.0
_BUSY_SECONDS: Final = 4.0
_NUDGES: Final[tuple[Channel, ...]] = ("control", "shell")


class Lines:
    """Connections to one kernel, a client each.

    take   gets every message that comes from the kernel, when it is recorded
    lost   gets why nothing more will come
    """

    def __init__(
        self, host: Host, log: Log, take: Callable[[Message], None], lost: Callable[[str], None]
    ) -> None:
        self._host = host
        self._log = log
        self._take = take
        self._lost = lost
        self._links: dict[int, Link] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._first: Link | None = None
        self._heard = asyncio.Event()
        self._nudges = ""

    async def open(self) -> None:
        """Open the first connection. Raises `KspyError` where there is no such kernel."""
        self._first = await self._host.open()
        self._receive_from(self._first, 0)

    async def ready(self, *, again: bool = False) -> None:
        """Wait until what the kernel publishes arrives.

        Kernels greet a new subscription since protocol 5.5. Others are asked what they are, as
        jupyter_client does it, until a status comes; what comes of that is not recorded.
        """
        if self._first is None or not (self._first.subscribes or again):
            return
        deadline = time.monotonic() + (_START_SECONDS if self._host.owned else _BUSY_SECONDS)
        if await self._hear(_WELCOME_SECONDS):
            return
        self._nudges = self._nudges or new_session()
        for channel in itertools.cycle(_NUDGES):
            header = new_header("kernel_info_request", self._nudges, {})
            await self._first.send(self._first.encode(Outgoing(channel, header, {}, {}, {}, ())))
            if await self._hear(_NUDGE_SECONDS) or time.monotonic() > deadline:
                return

    async def restart(self) -> None:
        """Start the kernel again, and wait until it is heard. Raises `KspyError`."""
        await self._host.restart()
        await self.heard_anew()

    async def heard_anew(self) -> None:
        """Wait until the kernel, that is there again, is heard."""
        self._heard.clear()
        await self.ready(again=True)

    async def wire(self, client: int, letter: Letter, session: str) -> Wire:
        """What goes over a client's connection. Raises `CannotSendError` for what cannot."""
        link = self._links.get(client) or await self._connect(client, session)
        try:
            return link.pack(letter.channel, letter.parts, letter.buffers, signed=letter.signed)
        except ValueError as error:
            raise CannotSendError(str(error)) from error

    async def send(self, client: int, wire: Wire) -> None:
        """Raises `LinkLostError`."""
        await self._links[client].send(wire)

    async def _connect(self, client: int, session: str) -> Link:
        if not self._links and self._first is not None:
            link = self._first
        elif len(self._links) >= MOST_CLIENTS:
            raise KspyError(
                f"more than {MOST_CLIENTS} clients are too many; --only 'client:1' plays one"
            )
        else:
            link = await self._host.link(session)
            self._receive_from(link, client)
        self._links[client] = link
        return link

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        links = {id(link): link for link in (self._first, *self._links.values()) if link}
        for link in links.values():
            await whole(link.close())

    # Receiving

    def _receive_from(self, link: Link, client: int) -> None:
        self._tasks.append(asyncio.create_task(self._receive(link, client)))

    async def _receive(self, link: Link, client: int) -> None:
        try:
            while True:
                wires = await link.receive()
                for wire in wires:
                    if link is self._first:
                        self._take_wire(wire, self._number_of(link, client))
                    elif wire.channel != "iopub":
                        self._take_wire(wire, client)
                if len(wires) > _MANY:
                    await asyncio.sleep(0)  # who plays gets a turn where there is always more
        except LinkLostError as error:
            self._lost(str(error))
        except Exception as error:  # whoever waits learns of it, whatever it is
            self._lost(f"the connection broke: {error}")

    def _number_of(self, link: Link, client: int) -> int:
        return next((number for number, its in self._links.items() if its is link), client)

    def _take_wire(self, wire: Wire, client: int) -> None:
        message = self._log.stamp(wire, "to_client", client)
        if wire.channel == "iopub":
            self._heard.set()
        if self._nudges and message.parent_header.get("session") == self._nudges:
            return
        self._log.keep(message)
        self._take(message)

    async def _hear(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._heard.wait(), seconds)
        except TimeoutError:
            return False
        return True
