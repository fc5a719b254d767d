"""The client that a tap runs for its user, in the foreground of the user's terminal."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from kspy.errors import KspyError

_GRACE_SECONDS = 5.0


class ClientProcess:
    """A client command; it has the terminal, its exit code becomes the tap's."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: Sequence[str], connection_file: str) -> ClientProcess:
        """Run `command` with "{connection_file}" filled in. Raises `KspyError` if it cannot."""
        filled = [word.replace("{connection_file}", connection_file) for word in command]
        try:
            return cls(await asyncio.create_subprocess_exec(*filled))
        except OSError as error:
            raise KspyError(f"{filled[0]}: the client cannot be run: {error.strerror}") from error

    @property
    def exit_code(self) -> int | None:
        """Its exit code as a shell has it (128 + signal); None while it runs."""
        code = self._process.returncode
        return code if code is None or code >= 0 else 128 - code

    async def end(self, *, grace: bool = False) -> None:
        """End it, politely first; with `grace`, give it time to end by itself before."""
        if grace:
            await self._wait()
        if self._process.returncode is None:
            self._process.terminate()
            await self._wait()
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _GRACE_SECONDS)
