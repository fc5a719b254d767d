"""Whoever kills the wrapper kills the kernel below: a process that sees to it.

A frontend ends a kernel that does not end by itself with SIGKILL, of which nobody can be told.
So a shell, in a session of its own, waits at a pipe for the wrapper's end. If the wrapper did not
take leave before, it kills the kernel's process group. In any case it removes the folder, in which
the kernel's connection file is. Nothing of it depends on the system being Linux.
"""

from __future__ import annotations

from subprocess import DEVNULL, PIPE, Popen
from typing import Final

_SCRIPT: Final = """
read -r group
read -r leave || kill -KILL -- "-${group:-no-group}"
rm -rf -- "$1"
"""


class Guardian:
    """Watches from the beginning; what for, it is told when that is known."""

    def __init__(self, folder: str) -> None:
        self._process = Popen(
            ["/bin/sh", "-c", _SCRIPT, "kspy-guardian", folder],
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=DEVNULL,
            cwd="/",
            env={"PATH": "/usr/bin:/bin"},
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        """Kill this process group if the wrapper is killed."""
        self._tell(f"{group}\n")

    def dismiss(self) -> None:
        """Kill nobody; remove the folder, and end."""
        self._tell("leave\n")
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        if self._process.stdin:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
