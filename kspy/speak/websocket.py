"""A connection to a kernel through a Jupyter server's WebSocket.

Rule: Jupyter Server's developer documentation, "WebSocket kernel wire protocols". The newer
encoding is asked for; a server that does not select it speaks the default one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Self

from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from kspy.analysis.sanitize import one_line
from kspy.speak.compose import Outgoing
from kspy.speak.link import LinkLostError, Wire
from kspy.speak.server import Server
from kspy.wire.frames import Channel
from kspy.wire.message import encoding_bits
from kspy.wire.websocket import MESSAGE_LIMIT, V1, channel_of, encoding_of, pack, pack_parts


class WebSocketLink:
    """A server starts to pass messages when the kernel is ready: nothing is missed.

    heard   when something came last, of the monotonic clock
    """

    subscribes = False

    def __init__(self, server: Server, socket: WebSocketClientConnection) -> None:
        self._server = server
        self._socket = socket
        self.heard = time.monotonic()

    @classmethod
    async def open(cls, server: Server, kernel_id: str, session: str) -> Self:
        """Raises `KspyError`."""
        try:
            socket = await websocket_connect(
                server.channels_request(kernel_id, session),
                subprotocols=[V1],
                max_message_size=MESSAGE_LIMIT,
            )
        except Exception as error:
            raise server.explain(error) from error
        return cls(server, socket)

    def encode(self, message: Outgoing) -> Wire:
        payload, text = pack(*message, self._socket.selected_subprotocol)
        return self._wire(payload, text=text)

    def pack(
        self,
        channel: Channel,
        parts: Sequence[bytes],
        buffers: Sequence[bytes],
        *,
        signed: bool = True,
    ) -> Wire:
        if not signed:
            raise ValueError("there are no signatures over a WebSocket")
        payload, text = pack_parts(channel, parts, buffers, self._socket.selected_subprotocol)
        return self._wire(payload, text=text)

    def _wire(self, payload: bytes, *, text: bool) -> Wire:
        encoding = encoding_of(text=text, subprotocol=self._socket.selected_subprotocol)
        return Wire(channel_of(payload, encoding), [payload], encoding_bits(encoding))

    async def send(self, wire: Wire) -> None:
        binary = wire.flags != encoding_bits("json")
        try:
            await self._socket.write_message(wire.frames[0], binary)
        except WebSocketClosedError as error:
            raise self._lost() from error

    async def receive(self) -> Sequence[Wire]:
        payload = await self._socket.read_message()
        if payload is None:
            raise self._lost()
        self.heard = time.monotonic()
        if isinstance(payload, str):
            return [self._wire(payload.encode(), text=True)]
        return [self._wire(payload, text=False)]

    def _lost(self) -> LinkLostError:
        code, reason = self._socket.close_code, self._socket.close_reason
        said = f"code {code}" if code else "without a word"
        said += f", {one_line(reason)}" if reason else ""
        return LinkLostError(f"{self._server.url}: the server closed the connection ({said})")

    async def close(self) -> None:
        self._socket.close()
