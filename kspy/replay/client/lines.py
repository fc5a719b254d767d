"""The connections of the recorded clients to the kernel that they now speak to.

Each client has a connection of its own, opened when it first sends: own routing id, own WebSocket.
What the kernel publishes reaches all of them; it is taken, and recorded, from the first alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from kspy.errors import KspyError
from kspy.replay.client.translate import CannotSendError, Letter
from kspy.replay.client.waiting import Waiting
from kspy.speak.compose import Outgoing, new_header, new_session
from kspy.speak.hearing import told_end, until_heard
from kspy.speak.link import Host, Link, LinkLostError, Wire
from kspy.speak.log import Log
from kspy.speak.whole import whole
from kspy.wire.frames import Channel
from kspy.wire.message import Message

_MANY: Final = 64


class Lines:
    """Connections to one kernel, a client each.

    take   gets every message that comes from the kernel, when it is recorded
    lost   gets why nothing more will come
    """

    def __init__(
        self,
        host: Host,
        log: Log,
        waiting: Waiting,
        take: Callable[[Message], None],
        lost: Callable[[str], None],
    ) -> None:
        self._host = host
        self._waiting = waiting
        self._log = log
        self._take = take
        self._lost = lost
        self._links: dict[int, Link] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._first: Link | None = None
        self._heard = self._greeted = False
        self._nudges = ""

    async def open(self) -> None:
        """Open the first connection. Raises `KspyError` where there is no such kernel."""
        self._first = await self._host.open()
        self._receive_from(self._first, 0)

    async def ready(
        self, is_lost: Callable[[], bool], limit: float | None, *, again: bool = False
    ) -> None:
        """Wait until what the kernel publishes arrives; what that takes is not recorded.

        is_lost   is there no kernel any more to wait for?
        limit     seconds; None: as long as a kernel may need
        again     it was started again
        """
        first = self._first
        if first is None or not (first.subscribes or again):
            return
        self._heard, self._greeted = again and self._greeted, False

        async def heard(seconds: float) -> bool:
            return await self._waiting.until(lambda: self._heard or is_lost(), seconds)

        async def nudge(channel: Channel) -> None:
            self._nudges = self._nudges or new_session()
            header = new_header("kernel_info_request", self._nudges, {})
            await first.send(first.encode(Outgoing(channel, header, {}, {}, {}, ())))

        try:
            await until_heard(heard, nudge, owned=self._host.owned, limit=limit)
        except LinkLostError as error:
            self._lost(str(error))

    async def wire(self, client: int, letter: Letter, session: str) -> Wire:
        """What goes over a client's connection. Raises `CannotSendError` for what cannot.

        Raises `LinkLostError` where there is no connection to be had.
        """
        link = self._links.get(client) or await self._connect(client, session)
        try:
            return link.pack(letter.channel, letter.parts, letter.buffers, signed=letter.signed)
        except ValueError as error:
            raise CannotSendError(str(error)) from error

    async def restart(self) -> None:
        """Start the kernel again; it is not heard yet. Raises `KspyError`."""
        self._greeted = False
        await self._host.restart()

    def has(self, client: int) -> bool:
        """Has the client a connection?"""
        return client in self._links or not self._links

    async def send(self, client: int, wire: Wire) -> None:
        """Raises `LinkLostError`."""
        await self._links[client].send(wire)

    async def _connect(self, client: int, session: str) -> Link:
        if not self._links and self._first is not None:
            link = self._first
        else:
            try:
                link = await self._host.link(session)
            except KspyError as error:  # a kernel that dies meanwhile cannot be connected to
                raise LinkLostError(str(error)) from error
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
        except Exception as error:  # whoever waits learns of it, whatever it is
            known = isinstance(error, LinkLostError)
            self._log.event("kernel_disconnected", {"why": str(error)})
            self._lost(str(error) if known else f"the connection broke: {error}")

    def _number_of(self, link: Link, client: int) -> int:
        return next((number for number, its in self._links.items() if its is link), client)

    def _take_wire(self, wire: Wire, client: int) -> None:
        message = self._log.stamp(wire, "to_client", client)
        if wire.channel == "iopub":
            self._heard = True
            greeted = self._greeted and not told_end(message)
            self._greeted = greeted or message.msg_type == "iopub_welcome"
            self._waiting.happened()
        if self._nudges and message.parent_header.get("session") == self._nudges:
            return
        self._log.keep(message)
        self._take(message)
