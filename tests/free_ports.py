"""Ports for what a test starts, that nobody else is given before it listens there.

They lie below those that the system and kspy give out of their own accord, and each process of the
tests has a range of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import socket
from collections.abc import Iterator
from typing import Final

_EACH: Final = 500
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_FIRST: Final = 10_000 + _EACH * (_WORKER % 20)


def _candidates() -> Iterator[int]:
    # Two runs of the tests on one machine should not begin with the same one.
    start = random.randrange(_EACH)
    return (_FIRST + number % _EACH for number in itertools.count(start))


_given = _candidates()


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """So many in a row."""
    found: list[int] = []
    for port in itertools.islice(_given, 2 * _EACH):
        if not _is_free(port) or (found and port != found[-1] + 1):
            found = []
            continue
        found.append(port)
        if len(found) == count:
            return found
    raise AssertionError(f"no {count} free ports in a row from {_FIRST} on")


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
