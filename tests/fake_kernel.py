"""A kernel, and clients, of bare sockets: the test decides every byte that they send."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.session import Session
from tapping import PATIENCE, Tap, tapping

from kspy.wire.frames import CHANNELS, Channel

KEY = b"the-key-of-the-fake-kernel"
Frames = Sequence[bytes]


class Sockets:
    """Five sockets that never wait for ever."""

    def __init__(self) -> None:
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.by_channel: dict[str, zmq.Socket[bytes]] = {}

    def add(self, channel: Channel, kind: int) -> zmq.Socket[bytes]:
        socket = self.context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, int(PATIENCE * 1000))
        socket.setsockopt(zmq.SNDTIMEO, int(PATIENCE * 1000))
        socket.setsockopt(zmq.SNDHWM, 0)
        self.by_channel[channel] = socket
        return socket

    def send(self, channel: Channel, frames: Frames) -> None:
        self.by_channel[channel].send_multipart(frames)

    def receive(self, channel: Channel) -> list[bytes]:
        return self.by_channel[channel].recv_multipart()

    def close(self) -> None:
        self.context.destroy(linger=0)


class FakeKernel(Sockets):
    """Listens; nobody answers but the test."""

    def __init__(self, *, greets_all: bool = False) -> None:
        super().__init__()
        self.ports: dict[str, int] = {}
        kinds = (zmq.ROUTER, zmq.XPUB, zmq.ROUTER, zmq.ROUTER, zmq.REP)
        for channel, kind in zip(CHANNELS, kinds, strict=True):
            socket = self.add(channel, kind)
            if kind == zmq.ROUTER:
                socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
            if kind == zmq.XPUB and greets_all:
                socket.setsockopt(zmq.XPUB_VERBOSE, 1)
            self.ports[f"{channel}_port"] = socket.bind_to_random_port("tcp://127.0.0.1")

    def write(self, path: Path) -> None:
        values: Mapping[str, Any] = {
            **self.ports,
            "ip": "127.0.0.1",
            "transport": "tcp",
            "key": KEY.decode(),
            "signature_scheme": "hmac-sha256",
            "kernel_name": "fake",
        }
        path.write_text(json.dumps(values))


class RawClient(Sockets):
    """Connects where a connection file says."""

    def __init__(self, connection: Mapping[str, Any], *, topic: bytes = b"") -> None:
        super().__init__()
        self.identity = b"client-" + secrets.token_hex(4).encode()
        kinds = (zmq.DEALER, zmq.SUB, zmq.DEALER, zmq.DEALER, zmq.REQ)
        for channel, kind in zip(CHANNELS, kinds, strict=True):
            socket = self.add(channel, kind)
            if kind == zmq.DEALER:
                socket.setsockopt(zmq.ROUTING_ID, self.identity)
            if kind == zmq.SUB:
                socket.setsockopt(zmq.SUBSCRIBE, topic)
            socket.connect(f"tcp://{connection['ip']}:{connection[f'{channel}_port']}")


@contextlib.contextmanager
def fake_kernel(*, greets_all: bool = False) -> Iterator[FakeKernel]:
    kernel = FakeKernel(greets_all=greets_all)
    try:
        yield kernel
    finally:
        kernel.close()


@contextlib.contextmanager
def raw_client(tap: Tap, *, topic: bytes = b"") -> Iterator[RawClient]:
    client = RawClient(tap.connection, topic=topic)
    try:
        yield client
    finally:
        client.close()


@contextlib.contextmanager
def tapped(kernel: FakeKernel, folder: Path) -> Iterator[Tap]:
    """A tap on the fake kernel."""
    path = folder / "kernel-fake.json"
    kernel.write(path)
    with tapping("--existing", str(path)) as tap:
        yield tap


def subscribed(client: RawClient, kernel: FakeKernel) -> None:
    """Wait until what the kernel publishes reaches the client."""
    iopub = client.by_channel["iopub"]
    n = 0
    while not iopub.poll(50):
        kernel.send("iopub", [b"are you there?", b"%d" % n])
        n += 1
        assert n < PATIENCE * 20
    while client.receive("iopub") != [b"are you there?", b"%d" % (n - 1)]:
        pass


def signed(msg_type: str, content: Mapping[str, Any], key: bytes = KEY, **options: Any) -> Frames:
    """A message's frames as Jupyter's own session makes them."""
    session = Session(key=key, **options)
    return list(session.serialize(session.msg(msg_type, dict(content))))
