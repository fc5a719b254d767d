"""Ports for a kernel that is to be launched.

They lie below the range from which the system gives out ports of its own accord. Otherwise, while
the kernel is not listening yet, the tap's attempts to connect could be given the kernel's port for
their own end: the kernel could then not listen there, or a socket could even connect to itself.
"""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path
from typing import Final

_FIRST: Final = 20_000
_LAST: Final = 32_767
_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int) -> list[int]:
    """As many different ports that nobody uses now; fewer, or none, where there are not enough."""
    last = _LAST
    with contextlib.suppress(OSError, ValueError):
        last = min(last, int(_RANGE.read_text().split()[0]) - 1)
    candidates = list(range(_FIRST, last + 1))
    random.shuffle(candidates)  # two taps that start together should not choose the same
    found: list[int] = []
    for port in candidates:
        if len(found) == count:
            break
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
    return found
