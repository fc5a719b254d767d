"""The startup handshake of protocol 5.6: the kernel's part, and the frontend's.

Rule: messaging specification, "Kernel startup handshake". The kernel sends its ports in a
message of one signed frame to the registration socket, and gets a signed frame back. As both
parts are played here, to the frontend above and to the kernel below, neither sees a difference.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import zmq

from kspy.errors import KspyError
from kspy.tap.connection import Connection, write_private
from kspy.tap.wrapper.frontend import Registration
from kspy.wire.frames import CHANNELS, DELIMITER, Channel
from kspy.wire.signature import SignatureChecker

_ACK_SECONDS: Final = 30.0
_POLL_MS: Final = 20
_LISTEN_SECONDS: Final = 600.0


def register(registration: Registration, client: Connection, is_alive: Callable[[], bool]) -> None:
    """Tell the frontend where clients connect. Raises `KspyError` if it does not acknowledge."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    try:
        socket.connect(registration.endpoint)
        ports = {f"{channel}_port": str(port) for channel, port in client.ports.items()}
        content = json.dumps({"kernel_id": registration.kernel_id, **ports}).encode()
        socket.send_multipart(_signed(client, content))
        deadline = time.monotonic() + _ACK_SECONDS
        while time.monotonic() < deadline and is_alive():
            if socket.poll(_POLL_MS) and _content(client, socket.recv_multipart()) is not None:
                return
    except zmq.ZMQError as error:
        raise KspyError(f"{registration.endpoint}: {error.strerror}") from error
    finally:
        context.destroy()
    raise KspyError(f"{registration.endpoint}: the frontend does not acknowledge the kernel")


class RegistrationService:
    """A registration socket for the kernel below."""

    def __init__(self, kernel: Connection) -> None:
        """`kernel` is where it shall be, but for the ports."""
        self._kernel = kernel
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 1000)
        self._port = 6  # after those of an ipc address's channels
        if kernel.transport == "tcp":
            self._port = self._socket.bind_to_random_port(f"tcp://{kernel.ip}")
        else:
            self._socket.bind(f"ipc://{kernel.ip}-{self._port}")

    def write(self, path: Path, kernel_id: str) -> None:
        """Write the registration file."""
        kernel = self._kernel
        values: Mapping[str, Any] = {
            "kernel_id": kernel_id,
            "transport": kernel.transport,
            "registration_ip": kernel.ip,
            "registration_port": self._port,
            "signature_scheme": kernel.signature_scheme,
            "key": kernel.key.decode(),
        }
        write_private(path, json.dumps(values))

    def wait(self, kernel_id: str, is_alive: Callable[[], bool]) -> Connection | None:
        """Where the kernel listens; None where it ended before it told."""
        deadline = time.monotonic() + _LISTEN_SECONDS
        while time.monotonic() < deadline and is_alive():
            if not self._socket.poll(_POLL_MS):
                continue
            frames = self._socket.recv_multipart()
            ports = _ports(_content(self._kernel, frames), kernel_id)
            if ports:
                acknowledgement = _signed(self._kernel, b'{"status": "ok"}')
                self._socket.send_multipart([frames[0], *acknowledgement])
                return replace(self._kernel, ports=ports)
        return None

    def close(self) -> None:
        self._socket.close()
        self._context.term()


def _checker(connection: Connection) -> SignatureChecker:
    return SignatureChecker(connection.key, connection.signature_scheme)


def _signed(connection: Connection, content: bytes) -> list[bytes]:
    return [DELIMITER, _checker(connection).sign([content]), content]


def _content(connection: Connection, frames: Sequence[bytes]) -> Mapping[str, Any] | None:
    """What a message of one signed frame says; None where it is none, or not from the other."""
    at = frames.index(DELIMITER) if DELIMITER in frames else len(frames)
    if len(frames) != at + 3 or not _checker(connection)(frames, at):
        return None
    try:
        content = json.loads(frames[-1])
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else {}


def _ports(content: Mapping[str, Any] | None, kernel_id: str) -> Mapping[Channel, int] | None:
    if content is None or content.get("kernel_id") != kernel_id:
        return None
    ports = {channel: str(content.get(f"{channel}_port", "")) for channel in CHANNELS}
    if not all(port.isdecimal() and 0 < int(port) < 65536 for port in ports.values()):
        return None
    return {channel: int(port) for channel, port in ports.items()}
