"""One connection of a client, and the one to the server that it is joined to.

What one side sends is written to the other as it came. A side that takes no more stops the other
from being read; a side that has said all is told so to the other, which may still talk.

Tornado's streams end both directions where one ends, and so cannot pass that on: bytes are moved
by asyncio's transports, on which Tornado itself runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Final

from tornado.httputil import HTTPHeaders

from kspy.errors import KspyError
from kspy.tap.gateway.api import Kernels, ModelReader, web_socket_request
from kspy.tap.gateway.exchange import Exchange, Rename, Request
from kspy.tap.gateway.framing import Sink
from kspy.tap.gateway.recorder import Connection, Recorder
from kspy.tap.gateway.upstream import Upstream

_LINGER_SECONDS: Final = 5.0
_RESET: Final = struct.pack("ii", 1, 0)
_REFUSALS: Final = (401, 403)


class Desk:
    """What all links of a tap have in common."""

    def __init__(
        self,
        upstream: Upstream,
        recorder: Recorder,
        rename: Rename | None,
        *,
        on_refusal: Callable[[int], None],
        on_away: Callable[[str], None],
    ) -> None:
        """`on_refusal` hears of a status 401 or 403, `on_away` why the server is not there."""
        self.upstream = upstream
        self.recorder = recorder
        self.rename = rename
        self.on_refusal = on_refusal
        self.on_away = on_away
        self.kernels = Kernels()
        self.links: set[Link] = set()

    def accept(self) -> Side:
        """For a client that comes."""
        link = Link(self)
        return link.client


class Side(asyncio.Protocol):
    """A connection; `name` is who is at its other end, `full`: it takes no more for now."""

    def __init__(self, link: Link, name: str) -> None:
        self.name = name
        self.transport: asyncio.Transport | None = None
        self.ended = False
        self.lost = False
        self.full = False
        self._told_all = False
        self._link = link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._link.made(self)

    def data_received(self, data: bytes) -> None:
        self._link.received(self, data)

    def eof_received(self) -> bool:
        """Over TLS a connection cannot be half open."""
        self.ended = True
        stays = self._link.side_ended(self)
        return stays and self.transport is not None and self.transport.can_write_eof()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        self._link.side_lost(self, error)

    def pause_writing(self) -> None:
        self.full = True
        self._link.flow()

    def resume_writing(self) -> None:
        self.full = False
        self._link.flow()

    def read_on(self, *, on: bool) -> None:
        """Take more from the other end, or for now no more."""
        if self.transport is None or self.ended or self.lost:
            return
        if on:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def write(self, data: bytes) -> None:
        if self.transport is None or self.transport.is_closing() or self._told_all:
            return
        if data:
            self.transport.write(data)

    def end(self) -> None:
        """Say that no more comes. Over TLS that ends both directions."""
        if self.transport is None or self.transport.is_closing():
            return
        self._told_all = True
        if self.transport.can_write_eof():
            with contextlib.suppress(OSError):
                self.transport.write_eof()
        else:
            self.transport.close()

    def close(self) -> None:
        """End both directions, once all that was written is sent."""
        if self.transport is not None:
            self.transport.close()

    def break_off(self, *, reset: bool) -> None:
        """End both directions at once; `reset`: the other end shall see a broken connection."""
        if self.transport is None:
            return
        connection = self.transport.get_extra_info("socket")
        if reset and connection is not None:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


class Link:
    """Joins the two, and looks at what passes (`kspy.tap.gateway.exchange.Watcher`)."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.client = Side(self, "client")
        self.server = Side(self, "server")
        self._exchange = Exchange(self, desk.rename)
        self._connection: Connection | None = None
        self._reader: ModelReader | None = None
        self._joining: asyncio.Task[None] | None = None
        self._refused = False
        self._held_up = False
        self._ended_by = ""

    def other(self, side: Side) -> Side:
        return self.server if side is self.client else self.client

    def made(self, side: Side) -> None:
        if side is self.server:
            return
        self._desk.links.add(self)
        self.client.read_on(on=False)
        self._joining = asyncio.get_running_loop().create_task(self._join())

    async def _join(self) -> None:
        try:
            await self._desk.upstream.connect(lambda: self.server)
        except KspyError as error:
            await self._refuse(str(error))
            return
        if self.client.lost:
            self.server.break_off(reset=False)
        self.flow()

    def flow(self) -> None:
        """Read from each what the other takes."""
        self.client.read_on(on=not self.server.full and not self._exchange.is_full)
        self.server.read_on(on=not self.client.full)

    async def _refuse(self, why: str) -> None:
        """Answer in the server's place that it is not there."""
        self._desk.on_away(why)
        self._refused = True
        text = f"kspy: {why}\n".encode()
        head = (
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n"
        )
        self.client.write(head.encode() + text)
        self.client.end()
        # To close with a request unread would break the answer off.
        self.client.read_on(on=True)
        await asyncio.sleep(_LINGER_SECONDS)
        self.client.close()

    def received(self, side: Side, data: bytes) -> None:
        if self._refused:
            return
        if side is self.client:
            self.server.write(self._exchange.to_server(data))
        else:
            self.client.write(data)
            self.server.write(self._exchange.to_client(data))
            if self.client.ended:
                self._tell_end()
        if self._exchange.is_full != self._held_up:
            self._held_up = not self._held_up
            self.flow()

    def side_ended(self, side: Side) -> bool:
        """A side has said all; True where its connection is to stay open."""
        self._ended_by = self._ended_by or side.name
        other = self.other(side)
        if self._refused or other.ended or other.lost:
            return False
        if side is self.server:
            self.server.write(self._exchange.server_ended())
            self._over(side.name)
            other.end()
        else:
            self._tell_end()
        return True

    def _tell_end(self) -> None:
        """The client has said all: so the server is told.

        Not before it has been sent all, and over TLS not before it has answered.
        """
        self.server.write(self._exchange.client_ended())
        if self._exchange.is_holding:
            return
        if self._desk.upstream.tls is None or not self._exchange.awaiting:
            self.server.end()

    def side_lost(self, side: Side, error: Exception | None) -> None:
        self._over(self._ended_by or side.name)
        if side is self.client and self._joining:
            self._joining.cancel()
        other = self.other(side)
        if error is None:
            other.close()
        else:
            other.break_off(reset=True)
        if self.client.lost and (self.server.lost or self.server.transport is None):
            self._desk.links.discard(self)

    def _over(self, by: str) -> None:
        connection, self._connection = self._connection, None
        if connection:
            self._desk.recorder.ended(connection, by)

    def break_off(self) -> None:
        """The tap ends."""
        self._over("tap")
        for side in (self.client, self.server):
            side.break_off(reset=False)

    # What follows is what the exchange tells.

    def answered(self, request: Request, status: int, headers: HTTPHeaders) -> Sink | None:
        if status in _REFUSALS:
            self._desk.on_refusal(status)
        if not 200 <= status < 300:
            return None
        found = self._desk.kernels.event(request)
        if found:
            self._desk.recorder.happened(*found)
        self._reader = self._desk.kernels.reader(request, headers)
        return self._reader.sink if self._reader else None

    def complete(self, request: Request) -> None:
        reader, self._reader = self._reader, None
        if reader:
            reader.complete()

    def opened(self, request: Request, headers: HTTPHeaders) -> None:
        wanted = web_socket_request(request)
        if wanted is None:
            return
        self._connection = Connection(
            wanted.kernel_id,
            wanted.session,
            self._address(),
            headers.get("Sec-WebSocket-Protocol", ""),
            headers.get("Sec-WebSocket-Extensions", ""),
        )
        name = self._desk.kernels.name(wanted.kernel_id)
        self._desk.recorder.opened(self._connection, name)

    def switched(self, data: bytes, *, to_client: bool) -> None:
        if self._connection:
            self._desk.recorder.passed(self._connection, data, to_client=to_client)

    def _address(self) -> str:
        peer = self.client.transport and self.client.transport.get_extra_info("peername")
        return f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else ""
