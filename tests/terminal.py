"""A real terminal for the viewer: a tmux server of its own, typed into and read."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tapping import wait_for

_SIZES = ("COLUMNS", "LINES")


class Terminal:
    """A tmux session with one command in it. `keys` are tmux's names: `Enter`, `Escape`, `j`."""

    def __init__(self, socket: Path) -> None:
        self._socket = str(socket)

    def run(self, *arguments: str) -> str:
        command = ["tmux", "-S", self._socket, "-f", os.devnull, *arguments]
        # Their size is the terminal's, not what somebody's shell said of another one.
        clean = {name: value for name, value in os.environ.items() if name not in _SIZES}
        done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=clean)
        return done.stdout

    def press(self, *keys: str) -> None:
        for key in keys:
            self.run("send-keys", "-t", "kspy", key)

    def type(self, text: str) -> None:
        self.run("send-keys", "-t", "kspy", "-l", text)

    @property
    def screen(self) -> str:
        """What is on the screen now, without colours."""
        return self.run("capture-pane", "-p", "-t", "kspy")

    def resize(self, columns: int, rows: int) -> None:
        self.run("resize-window", "-t", "kspy", "-x", str(columns), "-y", str(rows))

    def wait_for(self, *texts: str) -> str:
        """Wait until all of these are on the screen; the screen then."""

        def look() -> str | None:
            screen = self.screen
            return screen if all(text in screen for text in texts) else None

        try:
            return wait_for(look, f"{texts} on the screen")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.screen}") from None

    def wait_gone(self, text: str) -> str:
        """Wait until it is on the screen no more; the screen then."""

        def look() -> str | None:
            screen = self.screen
            return None if text in screen else screen or " "

        return wait_for(look, f"{text!r} gone from the screen")


@contextmanager
def terminal(
    folder: Path, *command: str, columns: int = 120, rows: int = 40, env: Mapping[str, str]
) -> Iterator[Terminal]:
    """`command` in a terminal of that size. When it ends, the screen stays: `[exit 0]`."""
    found = Terminal(folder / "tmux")
    settings = [word for name, value in env.items() for word in ("-e", f"{name}={value}")]
    line = f'{shlex.join(command)}; echo "[exit $?]"; exec cat'
    size = ("-x", str(columns), "-y", str(rows))
    found.run("new-session", "-d", "-s", "kspy", *size, *settings, line)
    try:
        yield found
    finally:
        found.run("kill-server")
