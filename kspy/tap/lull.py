"""Before clients can connect: what the kernel already says is copied, and goes to nobody else."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping, Sequence
from typing import Final

import zmq

Socket = zmq.Socket[bytes]

_LOOK_MS: Final = 5
"""How often the thread looks whether it is to end."""


class Lull:
    """Begun at once; the sockets are its thread's until `end`, or until their context ends.

    It closes them all in the latter case.
    """

    def __init__(
        self, backs: Mapping[Socket, bytes], copies: Socket, *, also_close: Sequence[Socket]
    ) -> None:
        """`backs`: sockets to read from, and the frame with which copies of theirs begin."""
        self._backs = backs
        self._copies = copies
        self._also_close = also_close
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kspy-lull", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Hand the sockets back; what was not read yet is still there to be read."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        poller = zmq.Poller()
        for back in self._backs:
            poller.register(back, zmq.POLLIN)
        try:
            while not self._ending.is_set():
                for back, _ in poller.poll(_LOOK_MS):
                    self._copies.send_multipart([self._backs[back], *back.recv_multipart()])
        except zmq.ContextTerminated:
            for socket in (*self._backs, *self._also_close):
                socket.close(linger=0)
        finally:
            self._copies.close()
