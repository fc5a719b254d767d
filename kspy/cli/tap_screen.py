"""What `kspy tap` shows while it runs: how to connect, and on a terminal a live status line."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Self

import click

from kspy.analysis import units
from kspy.tap.options import Status
from kspy.wire.frames import CHANNELS

if TYPE_CHECKING:
    from kspy.tap.gateway.options import GatewayStatus

_REFRESH_SECONDS = 0.25
_HELD_LINES = 1000


def make_screen(*, quiet: bool) -> Screen:
    """The screen for standard error; `quiet` where a client command has the terminal."""
    return Screen(live=sys.stderr.isatty() and not quiet, quiet=quiet)


class Screen:
    """Writes to standard error; called from any thread."""

    def __init__(self, *, live: bool, quiet: bool) -> None:
        self._live = live
        self._quiet = quiet
        self._lock = threading.Lock()
        self._line = ""
        self._shown_at = 0.0
        self._total = 0
        self._rate = 0.0
        self._held: deque[str] | None = None

    def ready(self, status: Status) -> None:
        if self._quiet:
            return
        self._say(f"recording to {status.output}; end with Ctrl-C")
        self._say(f"connect with: jupyter console --existing {status.connection_file}")

    def show(self, status: Status) -> None:
        if self._is_due(sum(status.counts.values())):
            self._draw(self._format(status))

    def show_traffic(self, status: GatewayStatus) -> None:
        if self._is_due(status.messages):
            self._draw(self._format_traffic(status))

    def _is_due(self, total: int) -> bool:
        """Is it time to draw? Takes the rate from the messages so far."""
        now = time.monotonic()
        passed = now - self._shown_at
        if not self._live or self._held is not None or passed < _REFRESH_SECONDS:
            return False
        self._rate = (total - self._total) / passed if self._shown_at else 0.0
        self._total, self._shown_at = total, now
        return True

    def _draw(self, line: str) -> None:
        with self._lock:
            self._erase()
            self._line = line
            sys.stderr.write(self._line)
            sys.stderr.flush()

    def say(self, line: str) -> None:
        self._say(line)

    def warn(self, line: str) -> None:
        self._say(click.style(f"kspy: {line}", fg="red") if self._live else f"kspy: {line}")

    def hold(self) -> None:
        with self._lock:
            self._erase()
            self._line = ""
            self._held = deque(maxlen=_HELD_LINES)

    def release(self) -> None:
        with self._lock:
            held, self._held = self._held or (), None
            sys.stderr.writelines(f"{line}\n" for line in held)
            sys.stderr.flush()

    def kernel_output(self, line: str) -> None:
        self._say(line)

    def _format(self, status: Status) -> str:
        state = status.kernel_state or "no message yet"
        channels = " · ".join(f"{name} {status.counts.get(name, 0):,}" for name in CHANNELS)
        parts = [f"● {state}", channels, f"{self._rate:,.0f}/s", units.size(status.size)]
        if status.failing:
            parts.append("NOT RECORDING")
        return "   ".join(parts)[: shutil.get_terminal_size().columns - 1]

    def _format_traffic(self, status: GatewayStatus) -> str:
        parts = [
            f"● {units.plural(status.files, 'recording')}",
            units.plural(status.connections, "open WebSocket"),
            units.plural(status.messages, "message"),
            f"{self._rate:,.0f}/s",
        ]
        if status.failing:
            parts.append("NOT RECORDING")
        return "   ".join(parts)[: shutil.get_terminal_size().columns - 1]

    def _say(self, line: str) -> None:
        with self._lock:
            if self._held is not None:
                self._held.append(line)
                return
            self._erase()
            sys.stderr.write(f"{line}\n{self._line}")
            sys.stderr.flush()

    def _erase(self) -> None:
        if self._line:
            sys.stderr.write("\r\x1b[2K")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._erase()
            self._line = ""
            sys.stderr.flush()
