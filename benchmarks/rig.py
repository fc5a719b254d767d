"""A synthetic kernel, what stands in the middle (nothing, a bare proxy, the tap), and a client."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

import zmq

from benchmarks.messages import KEY, Sender
from benchmarks.process import helper, tap
from kspy.errors import KspyError
from kspy.tap.connection import Connection, load
from kspy.wire.frames import CHANNELS, Channel

Middle = Literal["direct", "proxy", "tap"]

_TIMEOUT_MS: Final = 20_000


class Client:
    """Speaks on shell and listens on iopub, with nothing that takes time of its own."""

    def __init__(self, connection: Connection) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._sender = Sender("user")
        self.shell = self._socket(zmq.DEALER)
        self.shell.setsockopt(zmq.ROUTING_ID, secrets.token_hex(8).encode())
        self.shell.connect(connection.endpoint("shell"))
        self.iopub = self._socket(zmq.SUB)
        self.iopub.subscribe(b"")
        self.iopub.connect(connection.endpoint("iopub"))

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        made = self._context.socket(kind)
        made.setsockopt(zmq.RCVHWM, 0)
        made.setsockopt(zmq.RCVTIMEO, _TIMEOUT_MS)
        made.setsockopt(zmq.LINGER, 0)
        return made

    def execute_request(self, code: str) -> list[bytes]:
        return self._sender.message("execute_request", {"code": code, "silent": False})

    def execute(self, code: str) -> None:
        """Ask, and wait for the reply."""
        self.shell.send_multipart(self.execute_request(code))
        self.shell.recv_multipart()

    def wait_connected(self) -> None:
        """Wait until replies and outputs arrive."""
        self.execute("prepare 1")
        while not self.iopub.poll(50):
            self.execute("burst")
        while self.iopub.poll(50):
            self.iopub.recv_multipart()

    def close(self) -> None:
        self._context.destroy()


@dataclass(frozen=True)
class Rig:
    """A client that reaches its kernel through `middle`; `recording` is the tap's file."""

    middle: Middle
    client: Client
    recording: Path


@contextmanager
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="kspy-benchmark-") as name:
        yield Path(name)


@contextmanager
def rigs(where: Path, *middles: Middle, profile: bool = False) -> Iterator[list[Rig]]:
    """A rig for each of `middles`, with a kernel each. Recordings are whole when it is left."""
    with ExitStack() as stack:
        yield [_rig(stack, where, middle, profile) for middle in middles]


def _rig(stack: ExitStack, where: Path, middle: Middle, profile: bool) -> Rig:
    kernel_file, client_file = str(where / f"{middle}-kernel.json"), str(where / f"{middle}.json")
    connection = Connection("tcp", "127.0.0.1", free_ports(), KEY, "hmac-sha256")
    connection.write(kernel_file)
    stack.enter_context(helper("benchmarks.kernel", kernel_file))
    recording = where / "tap.kspy"
    if middle == "proxy":
        connection = replace(connection, ports=free_ports())
        connection.write(client_file)
        stack.enter_context(helper("benchmarks.bare_proxy", kernel_file, client_file))
    elif middle == "tap":
        existing = ("--existing", kernel_file, "--connection-file", client_file)
        stack.enter_context(tap(*existing, "-o", str(recording), profile=profile))
        connection = wait_for_connection(client_file)
    client = Client(connection)
    stack.callback(client.close)
    client.wait_connected()
    return Rig(middle, client, recording)


def free_ports() -> dict[Channel, int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in CHANNELS]
    ports = {
        channel: int(server.getsockname()[1])
        for channel, server in zip(CHANNELS, taken, strict=True)
    }
    for server in taken:
        server.close()
    return ports


def wait_for_connection(path: str) -> Connection:
    """What the connection file says that the tap writes when it is ready."""
    deadline = time.monotonic() + _TIMEOUT_MS / 1000
    while True:
        try:
            return load(path)
        except KspyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
