"""Kernels on this machine: one that is started for the conversation, or one that runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from kspy.errors import KspyError
from kspy.speak.link import Link
from kspy.speak.whole import whole
from kspy.speak.zeromq import NobodyListensError, ZeroMQLink
from kspy.tap.connection import find, load
from kspy.tap.kernel import LaunchedKernel
from kspy.tap.status import in_words

LATEST: Final = "kernel-*.json"
"""Stands for the latest of the connection files in Jupyter's runtime folder."""

LISTEN_SECONDS: Final = 60.0
"""How long a kernel that is started may take before it listens; Jupyter's own clients wait so."""

_CONNECT_SECONDS: Final = 5.0
_GONE_SECONDS: Final = 2.0
"""How long a kernel may be away: one that is restarted listens on the same ports again."""


class Launched:
    """A kernel that is started, and ends with the conversation.

    connection   where it is, once it is `open`
    """

    owned = True
    restarts = False

    def __init__(
        self, name: str, on_output: Callable[[str], None], listen_seconds: float = LISTEN_SECONDS
    ) -> None:
        """`on_output` gets the lines that its process prints. It is called from any thread."""
        self._name = name
        self._on_output = on_output
        self._listen_seconds = listen_seconds
        self._kernel: LaunchedKernel | None = None
        self._links: list[ZeroMQLink] = []
        self.how: Mapping[str, Any] = {}
        self._closing = False

    async def describe(self) -> tuple[str, Mapping[str, Any]]:
        self._kernel = LaunchedKernel(self._name, on_output=self._pass_on)
        return self._name, self._kernel.description()

    async def open(self) -> Link:
        self.connection = await whole(self._running.start())
        return await self._connect(ZeroMQLink(self.connection))

    async def link(self, session: str) -> Link:
        return await self._connect(ZeroMQLink(self.connection, subscribes=False))

    async def _connect(self, link: ZeroMQLink) -> Link:
        try:
            await link.connect(self._ended_early, self._listen_seconds)
        except NobodyListensError as error:
            await whole(link.close())
            raise KspyError(
                f"kernel {self._name}: runs, but does not listen {self._listen_seconds:g} s after"
                " it was started; is its kernelspec right?"
            ) from error
        except BaseException:
            await whole(link.close())
            raise
        self._links.append(link)
        return link

    def _pass_on(self, line: str) -> None:
        if not self._closing:  # what a kernel complains of while it is ended helps nobody
            self._on_output(line)

    @property
    def _running(self) -> LaunchedKernel:
        assert self._kernel is not None, "describe() comes first"
        return self._kernel

    @property
    def started(self) -> Mapping[str, Any]:
        return self._running.started

    async def ended(self) -> str:
        how = await self._running.ended()
        self.how = how or {}
        return f"kernel {self._name}: it died ({in_words(how)})" if how else ""

    async def _ended_early(self) -> str:
        how = await self._running.ended()
        if not how:
            return ""
        said = self._running.last_output
        return f"kernel {self._name}: ended before it listened ({in_words(how)}): {said}"

    async def interrupt(self) -> str:
        try:
            return await self._running.interrupt()
        except Exception as error:  # a provisioner may raise anything
            raise KspyError(f"kernel {self._name}: cannot be interrupted: {error}") from error

    async def restart(self) -> None:
        try:
            await whole(self._running.restart())
        except Exception as error:
            raise KspyError(f"kernel {self._name}: cannot be started again: {error}") from error
        for link in self._links:
            await link.ready(self._ended_early, self._listen_seconds)

    async def close(self) -> None:
        self._closing = True
        if self._kernel:
            await whole(self._kernel.shut_down())


class Existing:
    """A kernel that runs, and goes on running."""

    owned = False
    restarts = False
    started: Mapping[str, Any] = {}
    how: Mapping[str, Any] = {}

    def __init__(self, name: str) -> None:
        """Its connection file, or a part of the file's name."""
        self._name = name
        self._link: ZeroMQLink | None = None
        self._seen = time.monotonic()

    async def describe(self) -> tuple[str, Mapping[str, Any]]:
        self._source = find(self._name)
        self._connection = load(self._source)
        return str(self._connection.extra.get("kernel_name", "")), {}

    async def open(self) -> Link:
        self._link = await self._connect(ZeroMQLink(self._connection))
        return self._link

    async def link(self, session: str) -> Link:
        return await self._connect(ZeroMQLink(self._connection, subscribes=False))

    async def _connect(self, link: ZeroMQLink) -> ZeroMQLink:
        try:
            await link.connect(_never, _CONNECT_SECONDS)
        except KspyError as error:
            await whole(link.close())
            raise KspyError(f"{self._source}: {error}") from error
        except BaseException:
            await whole(link.close())
            raise
        return link

    async def ended(self) -> str:
        now = time.monotonic()
        if self._link is None or self._link.connected:
            self._seen = now
        return f"{self._source}: the kernel is gone" if now - self._seen > _GONE_SECONDS else ""

    async def interrupt(self) -> str:
        raise KspyError("a kernel that somebody else started is interrupted by who started it")

    async def restart(self) -> None:
        raise KspyError("a kernel that somebody else started is restarted by who started it")

    async def close(self) -> None:
        """It goes on running."""


async def _never() -> str:
    return ""
