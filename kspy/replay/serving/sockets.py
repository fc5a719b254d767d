"""The five sockets of a served kernel.

As ipykernel has them; beside that, no high-water mark drops a message, and every subscription to
iopub is seen, so that each is greeted. Heartbeats are echoed by a thread in libzmq, whatever the
main thread does.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import zmq

from kspy.tap.connection import Connection
from kspy.tap.listening import listen
from kspy.wire.frames import CHANNELS, Channel

Socket = zmq.Socket[bytes]

_LINGER_MS: Final = 1000
_BATCH: Final = 256
_LONGEST_SECONDS: Final = 3600.0
_SUBSCRIBED: Final = b"\x01"


class Sockets:
    """Bound at once. Raises `KspyError` where that cannot be.

    connection   where they are, with the ports that were chosen
    """

    def __init__(self, connection: Connection) -> None:
        self._context: zmq.Context[Socket] = zmq.Context()
        self._sockets: dict[Channel, Socket] = {}
        ports: dict[Channel, int] = {}
        try:
            for channel in CHANNELS:
                self._sockets[channel] = self._make(channel)
                ports[channel] = listen(self._sockets[channel], channel, connection)
        except BaseException:
            self._context.destroy(linger=0)
            raise
        self.connection = replace(connection, ports=ports)
        self._poller = zmq.Poller()
        self._channels: dict[Socket, Channel] = {}
        for channel, socket in self._sockets.items():
            if channel != "hb":
                self._poller.register(socket, zmq.POLLIN)
                self._channels[socket] = channel
        self._heart = threading.Thread(target=self._beat, name="kspy-heart", daemon=True)
        self._heart.start()

    def _make(self, channel: Channel) -> Socket:
        socket = self._context.socket(zmq.XPUB if channel == "iopub" else zmq.ROUTER)
        socket.setsockopt(zmq.LINGER, _LINGER_MS)
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.RCVHWM, 0)
        if socket.type == zmq.XPUB:
            socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        else:
            socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        return socket

    def _beat(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        heart = self._sockets["hb"]
        with contextlib.suppress(zmq.ContextTerminated):
            zmq.proxy(heart, heart)
        heart.close()

    def watch(self, fd: int) -> None:
        """Let `receive` return when this file is readable, too."""
        self._poller.register(fd, zmq.POLLIN)

    def receive(self, seconds: float | None) -> Iterator[tuple[Channel, list[bytes]]]:
        """What is there, or comes in so many seconds; some of it, where there is much."""
        timeout = None if seconds is None else int(min(seconds, _LONGEST_SECONDS) * 1000 + 0.999)
        for socket, _ in self._poller.poll(timeout):
            if isinstance(socket, int):
                continue
            channel = self._channels[socket]
            for _ in range(_BATCH):
                try:
                    yield channel, socket.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break

    def send(self, channel: Channel, frames: Sequence[bytes]) -> None:
        """A client that is gone gets nothing, and nobody waits for it."""
        with contextlib.suppress(zmq.ZMQError):
            self._sockets[channel].send_multipart(frames, zmq.NOBLOCK)

    def close(self) -> None:
        """What was said still has a second to arrive."""
        for channel, socket in self._sockets.items():
            if channel != "hb":
                socket.close()
        self._context.term()
        self._heart.join()
        if self.connection.transport == "ipc":
            for channel in CHANNELS:
                path = self.connection.endpoint(channel).removeprefix("ipc://")
                Path(path).unlink(missing_ok=True)


def subscription(frames: Sequence[bytes]) -> bytes | None:
    """The topic that somebody subscribed to, by what came on iopub."""
    frame = frames[0] if frames else b""
    return frame[1:] if frame.startswith(_SUBSCRIBED) else None
