"""What a source gives: messages and what happened around them, in the source's order."""

from __future__ import annotations

from dataclasses import dataclass

from kspy.wire.frames import Direction
from kspy.wire.websocket import Encoding


@dataclass(frozen=True, slots=True)
class Opened:
    """A client's connection to a kernel; what follows for the same number went over it.

    connection   its number in the source, from 1
    kernel_id    "" where the source does not name the kernel
    time_ns      Unix epoch; None where the source does not say when
    """

    connection: int
    kernel_id: str
    time_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Captured:
    """A message as a WebSocket carries it. `time_ns` is None where the source does not say when."""

    connection: int
    time_ns: int | None
    direction: Direction
    encoding: Encoding
    payload: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """Something that the source has no message for. `name` and `why` as in an event."""

    connection: int
    time_ns: int | None
    name: str
    why: str


Found = Opened | Captured | Lost


@dataclass(frozen=True, slots=True)
class Origin:
    """Where messages come from.

    source    "har" or "jupyter-spy"
    creator   the program that wrote the file, as far as it says; ""
    missing   what such a source never keeps, a phrase each
    """

    source: str
    creator: str
    missing: tuple[str, ...]
