"""What a tap is asked to do, what it tells meanwhile, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kspy.tap.connection import Transport


@dataclass(frozen=True)
class Options:
    """What to tap, and how. Either `kernel`, a kernelspec's name, or `existing` is given.

    client_command    run this client, "{connection_file}" filled in; end when it ends
    viewer_command    run this viewer of the recording, "{connection_file}" filled in; end when it
                      is quit, go on when it crashes; what ends the tap leaves it to its user
    client_curve      encrypt the client's side; None: as the kernel's side is
    port              first of five ports for clients; 0: any
    """

    output: str
    kernel: str | None = None
    existing: str | None = None
    connection_file: str | None = None
    client_command: Sequence[str] = ()
    viewer_command: Sequence[str] = ()
    overwrite: bool = False
    transport: Transport | None = None
    kernel_curve: bool = False
    client_curve: bool | None = None
    port: int = 0


@dataclass
class Status:
    """What the tap is doing, for whoever shows it."""

    output: str
    connection_file: str = ""
    kernel_state: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    size: int = 0
    failing: bool = False


class Screen(Protocol):
    """Who shows the user what a tap does. Called from any thread."""

    def ready(self, status: Status) -> None:
        """Clients can connect now."""

    def show(self, status: Status) -> None:
        """Called a few times a second."""

    def warn(self, line: str) -> None:
        """Something went wrong that does not end the tap, or is right again."""

    def hold(self) -> None:
        """Somebody else has the terminal: keep what there is to say."""

    def release(self) -> None:
        """The terminal is free again: say what was kept."""

    def kernel_output(self, line: str) -> None:
        """The kernel's process printed a line."""


@dataclass(frozen=True)
class Outcome:
    """How a tap ended: why, its exit code, messages recorded, and lost to a full disk."""

    reason: str
    exit_code: int
    messages: int
    lost: int
