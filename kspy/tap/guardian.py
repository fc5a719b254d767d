"""Whoever kills kspy kills the kernel that it started: a process that sees to it.

Of SIGKILL nobody can be told; a frontend ends a kernel with it that does not end by itself. So a
shell, in a session of its own, waits at a pipe for the end of the process that started the kernel.
It then kills the kernel's process group, unless it was told that there is none any more. In any
case it removes the folder, in which the kernel's connection file is. Nothing of it depends on the
system being Linux.
"""

from __future__ import annotations

import contextlib
import shutil
from subprocess import DEVNULL, PIPE, Popen
from typing import Final

_SCRIPT: Final = """
group=
while read -r line; do group=$line; done
[ -z "$group" ] || kill -s KILL -- "-$group"
rm -rf -- "$1"
"""


class Guardian:
    """Watches from the beginning; what for, it is told when that is known."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._process = Popen(
            ["/bin/sh", "-c", _SCRIPT, "kspy-guardian", folder],
            bufsize=0,
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=DEVNULL,
            cwd="/",
            env={"PATH": "/usr/bin:/bin"},
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        """Kill this process group, and no other any more, if this process is killed."""
        self._tell(f"{group}\n")

    def dismiss(self) -> None:
        """Kill nobody; remove the folder, and end."""
        self._tell("\n")
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)  # where the guardian itself was killed

    def _tell(self, line: str) -> None:
        if self._process.stdin and not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # it was killed
                self._process.stdin.write(line.encode())
