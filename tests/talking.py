"""Two ends of a TCP connection that follow a script, to see which bytes reach whom."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

PATIENCE = 30.0
_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Say:
    """Send these bytes."""

    data: bytes


@dataclass(frozen=True)
class Hear:
    """Wait until so many bytes have come since the start."""

    count: int


@dataclass(frozen=True)
class Wait:
    """Let this pass, so that what was said goes on its way alone."""

    seconds: float = 0.05


@dataclass(frozen=True)
class End:
    """Say that no more will be sent."""


@dataclass(frozen=True)
class Break:
    """Leave at once, with a reset."""


Step = Say | Hear | Wait | End | Break


class Talker:
    """Follows a script and listens, both at once, until the other end says no more."""

    def __init__(self, connection: socket.socket, script: Sequence[Step]) -> None:
        connection.settimeout(PATIENCE)
        self._connection = connection
        self._script = script
        self._heard = bytearray()
        self._how = ""
        self._news = threading.Condition()
        self._listener = threading.Thread(target=self._listen)
        self._speaker = threading.Thread(target=self._speak)
        self._speaker.start()

    def finish(self) -> tuple[bytes, str]:
        """What was heard, and how it ended: "end", "reset" or "broke" (it did so itself)."""
        self._speaker.join()
        return bytes(self._heard), self._how

    def _speak(self) -> None:
        self._listener.start()
        with contextlib.suppress(ConnectionError):
            for step in self._script:
                self._do(step)
        self._listener.join()
        self._connection.close()

    def _do(self, step: Step) -> None:
        if isinstance(step, Say):
            self._connection.sendall(step.data)
        elif isinstance(step, Wait):
            time.sleep(step.seconds)
        elif isinstance(step, End):
            self._connection.shutdown(socket.SHUT_WR)
        elif isinstance(step, Break):
            self._end("broke")
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self._connection.shutdown(socket.SHUT_RD)  # wakes who listens
        else:
            with self._news:
                self._news.wait_for(lambda: self._how or len(self._heard) >= step.count, PATIENCE)

    def _listen(self) -> None:
        try:
            while data := self._connection.recv(1 << 16):
                with self._news:
                    self._heard += data
                    self._news.notify()
        except ConnectionError:
            self._end("reset")
        except TimeoutError:
            self._end("silence")
        self._end("end")

    def _end(self, how: str) -> None:
        with self._news:
            self._how = self._how or how
            self._news.notify()


class Listener:
    """Waits at a port for one connection at a time."""

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self._socket = socket.create_server((host, 0))
        self._socket.settimeout(PATIENCE)
        self._tls = tls
        self.port: int = self._socket.getsockname()[1]

    def accept(self) -> socket.socket:
        connection, _ = self._socket.accept()
        return self._tls.wrap_socket(connection, server_side=True) if self._tls else connection

    def close(self) -> None:
        self._socket.close()


def talk(
    port: int, listener: Listener, client: Sequence[Step], server: Sequence[Step]
) -> tuple[tuple[bytes, str], tuple[bytes, str]]:
    """Let a client at `port` and the server follow their scripts; what each heard, and its end."""
    ours = socket.create_connection(("127.0.0.1", port), PATIENCE)
    theirs = listener.accept()
    answers = Talker(theirs, server)
    asks = Talker(ours, client)
    return asks.finish(), answers.finish()
