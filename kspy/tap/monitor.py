"""Watch connections come and go on every channel, both sides."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

import zmq
from zmq.utils.monitor import parse_monitor_message

from kspy.tap.proxy import Socket
from kspy.wire.frames import Channel


class Change(NamedTuple):
    """A connection changed. `what` is "connected", "disconnected" or "refused" (handshake)."""

    channel: Channel
    client_side: bool
    what: str
    fd: int
    address: str


_WHAT = {
    zmq.EVENT_ACCEPTED: "connected",
    zmq.EVENT_HANDSHAKE_SUCCEEDED: "ready",
    zmq.EVENT_DISCONNECTED: "disconnected",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "refused",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "refused",
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "refused",
}


class Monitor:
    """Collects changes in `changes`, from a thread of its own."""

    def __init__(self, sockets: Mapping[tuple[Channel, bool], Socket]) -> None:
        self.changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self.ready: set[Channel] = set()
        """Channels on which the kernel is connected."""
        self.refused = False
        self._sockets = {socket: key for key, socket in sockets.items()}
        self._addresses: dict[int, str] = {}
        self._thread = threading.Thread(target=self._run, name="kspy-monitor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        poller = zmq.Poller()
        for monitor in self._sockets:
            poller.register(monitor, zmq.POLLIN)
        try:
            while True:
                for monitor, _ in poller.poll():
                    event: Mapping[str, Any] = parse_monitor_message(monitor.recv_multipart())
                    self._note(*self._sockets[monitor], event["event"], event["value"])
        except zmq.ContextTerminated:
            pass
        finally:
            for monitor in self._sockets:
                monitor.close()

    def _note(self, channel: Channel, client_side: bool, event: int, value: int) -> None:
        what = _WHAT.get(zmq.Event(event))
        if what is None or (client_side and what == "ready"):
            return
        fd, address = -1, ""
        if client_side:
            fd = value if what != "refused" else -1
            address = self._peer(fd, what)
        elif what == "ready":
            what = "connected"
            self.ready.add(channel)
        elif what == "disconnected":
            self.ready.discard(channel)
        elif what == "refused":
            self.refused = True
        self.changes.put(Change(channel, client_side, what, fd, address))

    def _peer(self, fd: int, what: str) -> str:
        """The other end of a connection, as "127.0.0.1:1234", where the system still knows."""
        if what != "connected":
            return self._addresses.pop(fd, "")
        address = ""
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(fd)) as peer:
            name = peer.getpeername()
            address = f"{name[0]}:{name[1]}" if isinstance(name, tuple) else ""
        self._addresses[fd] = address
        return address
