"""A connection to a kernel over ZeroMQ, as a connection file describes it.

Rules: messaging specification, "The Wire Protocol" and "Messages on the stdin channel" (shell and
stdin share a routing id). No identities are sent: the sockets' own routing id is added by ZeroMQ
where the kernel reads it.

Theory of operation: libzmq has a file descriptor a socket that becomes readable when there may be
something to do; the event loop watches those, and what is there is taken until nothing is left
(zmq_getsockopt, ZMQ_FD). Sending may swallow such a notice, so after it the socket is looked at,
too. That is half the work of `zmq.asyncio`, which makes several futures for each wait.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import zmq

from kspy.errors import KspyError
from kspy.speak.compose import Outgoing
from kspy.speak.link import LinkLostError, Wire
from kspy.tap.connection import Connection
from kspy.tap.monitor import Monitor
from kspy.tap.proxy import use_curve
from kspy.wire.frames import DELIMITER, Channel
from kspy.wire.message import BAD_SIGNATURE
from kspy.wire.packers import encode
from kspy.wire.signature import SignatureChecker

_CHANNELS: Final[tuple[Channel, ...]] = ("shell", "iopub", "stdin", "control")
_LINGER_MS: Final = 1000
_BATCH: Final = 256
_POLL_SECONDS: Final = 0.02
_EVENTS: Final = (
    zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


class NobodyListensError(KspyError):
    """There is no kernel at the other end, after as long as was to be waited for one."""


class ZeroMQLink:
    """Sockets for shell, iopub, stdin and control. `connect` it first."""

    def __init__(self, connection: Connection, *, subscribes: bool = True) -> None:
        """`subscribes`: is what the kernel publishes to come here?"""
        self.subscribes = subscribes
        self._channels = tuple(channel for channel in _CHANNELS if subscribes or channel != "iopub")
        self._connection = connection
        self._checker = SignatureChecker(connection.key, connection.signature_scheme)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._sockets: dict[Channel, zmq.Socket[bytes]] = {}
        self._watching: asyncio.AbstractEventLoop | None = None
        self._noticed: dict[Channel, None] = {}
        self._notice: asyncio.Future[None] | None = None
        routing_id = b"kspy-" + secrets.token_hex(8).encode()
        for channel in self._channels:
            socket = self._context.socket(zmq.SUB if channel == "iopub" else zmq.DEALER)
            self._prepare(socket, routing_id)
            self._sockets[channel] = socket
        self._monitor = Monitor(self._monitors())
        self._monitor.start()

    def _prepare(self, socket: zmq.Socket[bytes], routing_id: bytes) -> None:
        socket.setsockopt(zmq.LINGER, _LINGER_MS)
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.RCVHWM, 0)
        if socket.type == zmq.SUB:
            # A kernel greets the first subscription to a topic (`iopub_welcome`). Others may have
            # subscribed to everything before; nobody has to this. So the greeting comes.
            socket.setsockopt(zmq.SUBSCRIBE, routing_id)
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        else:
            socket.setsockopt(zmq.ROUTING_ID, routing_id)
        if self._connection.curve:
            use_curve(socket, self._connection.curve)

    def _monitors(self) -> dict[tuple[Channel, bool], zmq.Socket[bytes]]:
        """Sockets that tell of connections, for a thread that waits for them."""
        found: dict[tuple[Channel, bool], zmq.Socket[bytes]] = {}
        for channel, socket in self._sockets.items():
            address = f"inproc://kspy-{channel}"
            socket.monitor(address, _EVENTS)
            found[channel, False] = self._context.socket(zmq.PAIR)
            found[channel, False].connect(address)
        return found

    async def connect(self, ended: Callable[[], Awaitable[str]], seconds: float) -> None:
        """Connect on all channels.

        ended     why there will never be a kernel; "" as long as there may be one
        seconds   how long to wait for one

        Raises `KspyError`.
        """
        for channel, socket in self._sockets.items():
            endpoint = self._connection.endpoint(channel)
            try:
                socket.connect(endpoint)
            except zmq.ZMQError as error:
                raise KspyError(f"{endpoint}: is no kernel's address") from error
        await self.ready(ended, seconds)

    async def ready(self, ended: Callable[[], Awaitable[str]], seconds: float) -> None:
        """Wait until there is a kernel at the other end of all channels. As `connect`."""
        deadline = time.monotonic() + seconds
        while missing := [
            channel for channel in self._channels if channel not in self._monitor.ready
        ]:
            if self._monitor.refused:
                raise KspyError("the kernel refuses the connection; are the keys right?")
            if why := await ended():
                raise KspyError(why)
            if time.monotonic() > deadline:
                raise NobodyListensError(
                    f"no kernel answers at {self._connection.endpoint(missing[0])}"
                    f" ({', '.join(missing)}); it is dead, or the file is out of date"
                )
            await asyncio.sleep(_POLL_SECONDS)

    @property
    def connected(self) -> bool:
        """Is there a kernel at the other end of shell now?"""
        return "shell" in self._monitor.ready

    def encode(self, message: Outgoing) -> Wire:
        dicts = (message.header, message.parent_header, message.metadata, message.content)
        return self.pack(message.channel, [encode(value) for value in dicts], message.buffers)

    def pack(
        self,
        channel: Channel,
        parts: Sequence[bytes],
        buffers: Sequence[bytes],
        *,
        signed: bool = True,
    ) -> Wire:
        signature = self._checker.sign(parts)
        flags = 0
        if not signed and signature:
            signature, flags = b"0" * len(signature), BAD_SIGNATURE
        return Wire(channel, [DELIMITER, signature, *parts, *buffers], flags)

    async def send(self, wire: Wire) -> None:
        try:
            self._sockets[wire.channel].send_multipart(wire.frames, zmq.NOBLOCK)
        except zmq.ZMQError as error:
            raise LinkLostError(f"{wire.channel}: cannot be sent: {error.strerror}") from error
        self._see(wire.channel)

    async def receive(self) -> Sequence[Wire]:
        if self._watching is None:
            self._watch()
        while True:
            found: list[Wire] = []
            for channel in list(self._noticed):
                taken = self._take(channel)
                found += taken
                if len(taken) < _BATCH:
                    del self._noticed[channel]
            if found:
                return found
            self._notice = asyncio.get_running_loop().create_future()
            await self._notice

    def _watch(self) -> None:
        self._watching = asyncio.get_running_loop()
        for channel, socket in self._sockets.items():
            self._watching.add_reader(socket.fileno(), self._see, channel)
            self._see(channel)

    def _see(self, channel: Channel) -> None:
        """There may be something on this channel."""
        self._noticed[channel] = None
        if self._notice is not None and not self._notice.done():
            self._notice.set_result(None)

    def _take(self, channel: Channel) -> Sequence[Wire]:
        """What is there on one channel, to a limit."""
        socket = self._sockets[channel]
        found: list[Wire] = []
        try:
            while len(found) < _BATCH:
                frames = socket.recv_multipart(zmq.NOBLOCK)
                found.append(Wire(channel, frames, self._flags(frames)))
        except zmq.Again:
            pass
        return found

    def _flags(self, frames: Sequence[bytes]) -> int:
        try:
            at = frames.index(DELIMITER)
        except ValueError:
            return 0
        sound = len(frames) < at + 6 or self._checker(frames, at)
        return 0 if sound else BAD_SIGNATURE

    async def close(self) -> None:
        for channel, socket in self._sockets.items():
            if channel not in self._monitor.ready:  # nobody is there to get it
                socket.setsockopt(zmq.LINGER, 0)
            if self._watching is not None:
                self._watching.remove_reader(socket.fileno())
            socket.close()
        await asyncio.to_thread(self._context.term)
