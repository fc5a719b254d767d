"""What a tap of a server is asked to do, what it tells meanwhile, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kspy.tap.gateway.upstream import Upstream
from kspy.tap.limits import EVERYTHING, Limits


@dataclass(frozen=True)
class GatewayOptions:
    """`host` and `port` (0: any) are where clients connect; `viewer_command` views `folder`."""

    upstream: Upstream
    host: str
    port: int
    folder: Path
    limits: Limits = EVERYTHING
    viewer_command: Sequence[str] = ()


@dataclass
class GatewayStatus:
    """Files, WebSockets that are open, and messages so far."""

    files: int = 0
    connections: int = 0
    messages: int = 0
    failing: bool = False


class GatewayScreen(Protocol):
    """Who shows the user what the tap does. Called from any thread."""

    def say(self, line: str) -> None:
        """Something the user should know."""

    def warn(self, line: str) -> None:
        """Something went wrong that does not end the tap, or is right again."""

    def show_traffic(self, status: GatewayStatus) -> None:
        """Called a few times a second."""

    def hold(self) -> None:
        """Somebody else has the terminal: keep what there is to say."""

    def release(self) -> None:
        """The terminal is free again: say what was kept."""


@dataclass(frozen=True)
class GatewayOutcome:
    """How it ended: why, its exit code, files and messages recorded, and messages lost."""

    reason: str
    exit_code: int
    files: int
    messages: int
    lost: int
