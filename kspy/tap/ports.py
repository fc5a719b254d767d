"""Ports for a kernel that is to be launched.

They lie below the range from which the system gives out ports of its own accord. Otherwise, while
the kernel is not listening yet, the tap's attempts to connect could be given the kernel's port for
their own end: the kernel could then not listen there, or a socket could even connect to itself.
"""

from __future__ import annotations

import contextlib
import random
import socket
import sys
from pathlib import Path
from typing import Final

_FIRST: Final = 20_000
_LAST: Final = 32_767
_LOOPBACK: Final = "127.0.0.1"
_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


class ReservedPorts:
    """Ports that nobody uses; `close` lets others have them.

    numbers   as many different ones as were asked for; fewer, or none, where there are not enough

    Until a kernel listens, its ports must not be given to another one. So on Linux a socket stays
    bound to each. As it does not listen, a kernel can bind there as well where both sockets have
    SO_REUSEADDR (socket(7), ip(7)); libzmq sets it. Whoever looks for a free port finds that this
    is none. Elsewhere than on Linux the kernel could not, and nothing is held.
    """

    def __init__(self, count: int) -> None:
        last = _LAST
        with contextlib.suppress(OSError, ValueError):
            last = min(last, int(_RANGE.read_text().split()[0]) - 1)
        candidates = list(range(_FIRST, last + 1))
        random.shuffle(candidates)  # two taps that start together should not try the same ones
        self._held: list[socket.socket] = []
        for port in candidates:
            if len(self._held) == count:
                break
            probe = socket.socket()
            try:
                probe.bind((_LOOPBACK, port))  # fails where another one is bound, too
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            except OSError:
                probe.close()
            else:
                self._held.append(probe)
        self.numbers: list[int] = [held.getsockname()[1] for held in self._held]
        if sys.platform != "linux":
            self.close()

    def close(self) -> None:
        for held in self._held:
            held.close()
