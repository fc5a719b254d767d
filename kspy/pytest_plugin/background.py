"""A kspy command that runs beside the tests, and ends with them, however they end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from kspy.cli.own_command import WORDS
from kspy.errors import KspyError
from kspy.tap.guardian import Guardian

_START_SECONDS: Final = 60.0
_END_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.02
_SHOWN: Final = 20
"""Lines of what it said that are of interest."""


class Background:
    """Has a folder of its own, in which its connection file is; that goes with it."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """`arguments` of a command that takes `--connection-file`."""
        self._folder = Path(tempfile.mkdtemp(prefix="kspy-"))
        self.connection_file = self._folder / "kernel.json"
        self._said = self._folder / "said.txt"
        self._words = arguments
        self._last_words = ""
        self._guardian: Guardian | None = Guardian(str(self._folder))
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [*WORDS, *arguments, "--connection-file", str(self.connection_file)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl-C at the tests is for them; they end this one
            )
        self._guardian.watch(self._process.pid)

    @property
    def said(self) -> str:
        """The last lines that it printed."""
        with contextlib.suppress(OSError):
            lines = self._said.read_text(errors="replace").splitlines()
            self._last_words = "\n".join(lines[-_SHOWN:])
        return self._last_words

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait for its connection file, and `ready`.

        Raises `KspyError`, with what it said, where it ends first, or takes too long.
        """
        deadline = time.monotonic() + _START_SECONDS
        while not (self._is_connectable() and ready()):
            if not self.running or time.monotonic() > deadline:
                why = "takes too long to start" if self.running else "ended"
                raise KspyError(f"kspy {' '.join(self._words)}: {why}: {self.said}")
            time.sleep(_POLL_SECONDS)

    def _is_connectable(self) -> bool:
        try:
            return bool(json.loads(self.connection_file.read_bytes()))
        except (OSError, ValueError):  # not there yet, or not all of it
            return False

    def end(self) -> None:
        """Ask it to end, and wait for that."""
        if self._guardian is None:
            return
        guardian, self._guardian = self._guardian, None
        try:
            self._process.terminate()
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        finally:
            _ = self.said
            guardian.dismiss()
