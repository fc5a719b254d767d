"""What the fixtures give: a kernel with a connection file, and clients for it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import kspy
from kspy.errors import KspyError
from kspy.pytest_plugin.background import Background
from kspy.wire.frames import CHANNELS

if TYPE_CHECKING:
    from jupyter_client.blocking.client import BlockingKernelClient

_CLIENT_SECONDS: Final = 60.0

Server = Callable[..., "ServedKernel"]
"""The fixture `kspy_serve`: `kspy_serve(recording, *, speed=None, fallback=None)`."""


class _Kernel:
    """A kernel behind a kspy command.

    connection_file   for any client, in this process or another
    """

    def __init__(self, *arguments: str) -> None:
        self._background = Background(arguments)
        self.connection_file = self._background.connection_file
        self._clients: list[BlockingKernelClient] = []

    def client(self) -> BlockingKernelClient:
        """One more client of jupyter_client's own, connected and ready. It is closed at the end."""
        from jupyter_client.blocking.client import BlockingKernelClient

        client = BlockingKernelClient(connection_file=str(self.connection_file))
        client.load_connection_file()
        client.start_channels()
        self._clients.append(client)
        client.wait_for_ready(timeout=_CLIENT_SECONDS)
        return client

    @property
    def said(self) -> str:
        """The last lines that kspy, and the kernel's process, printed."""
        return self._background.said

    def stop(self) -> None:
        """End it now; the end of the test does so too."""
        for client in self._clients:
            client.stop_channels()
            client.context.term()
        self._clients.clear()
        self._background.end()

    def _start(self, ready: Callable[[], bool]) -> Self:
        try:
            self._background.wait_until(ready)
        except BaseException:
            self.stop()
            raise
        return self


class TappedKernel(_Kernel):
    """A kernel that was started for the test, with a tap in front of it.

    recording   what was said, as it grows; whole after `stop`
    """

    def __init__(self, kernel: str, recording: Path) -> None:
        """Raises `KspyError` if it does not start."""
        self.recording = recording
        super().__init__("tap", "--kernel", kernel, "--output", str(recording))
        self._start(self._kernel_listens)

    def _kernel_listens(self) -> bool:
        """A client that is not answered at once would give it up."""
        with contextlib.suppress(KspyError), kspy.open(self.recording) as recording:
            seen = [event.name for event in recording.events]
            return seen.count("kernel_connected") >= len(CHANNELS)
        return False


class ServedKernel(_Kernel):
    """A kernel that answers as a recording did: `kspy serve`."""

    def __init__(
        self,
        recording: str | os.PathLike[str],
        *,
        speed: float | None = None,
        fallback: str | None = None,
    ) -> None:
        """Raises `KspyError` if it does not start.

        speed      1: with the pauses of the recording; 2: twice as fast; None: without pauses
        fallback   a kernel that answers what the recording does not
        """
        pace = ("--fast",) if speed is None else ("--speed", f"{speed:g}")
        more = () if fallback is None else ("--fallback", fallback)
        super().__init__("serve", os.fspath(recording), *pace, *more)
        self._start(lambda: True)
