"""A kernel of a Jupyter server: one that is started there, or one that it runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from kspy.errors import KspyError
from kspy.speak.link import Link
from kspy.speak.server import NoAnswerError, NoKernelError, Server
from kspy.speak.websocket import WebSocketLink
from kspy.speak.whole import whole

_QUIET_SECONDS: Final = 3.0
"""After which a server is asked whether it has the kernel still: who deletes it need not say so."""


class OnServer:
    """`name` or the server's default kernel, deleted afterwards; or `kernel_id`, which stays."""

    def __init__(
        self, server: Server, name: str | None, kernel_id: str | None, session: str
    ) -> None:
        self.owned = kernel_id is None
        self.restarts = True
        self.how: Mapping[str, Any] = {}
        self._server = server
        self._name = name
        self._kernel_id = kernel_id
        self._session = session
        self._spec: Mapping[str, Any] = {}
        self._untold = False
        self._links: list[WebSocketLink] = []
        self._asked = 0.0
        self._asking: asyncio.Task[str] | None = None

    async def describe(self) -> tuple[str, Mapping[str, Any]]:
        if self._kernel_id is not None:
            self._name = str((await self._server.kernel(self._kernel_id)).get("name", ""))
        told = await self._server.kernelspecs()
        there = told.get("kernelspecs")
        if isinstance(there, dict) and there:
            self._name = self._name or str(told.get("default", ""))
            if self.owned and self._name not in there:
                raise KspyError(
                    f"{self._server.url}: no kernel is named {self._name!r} there"
                    f" (there are: {', '.join(sorted(map(str, there)))})"
                )
            self._spec = _description(there.get(self._name))
        return self._name or "", self._spec

    async def open(self) -> Link:
        if self._kernel_id is None:
            await whole(self._start(), patient=False)
        return await self.link(self._session)

    async def link(self, session: str) -> Link:
        assert self._kernel_id is not None, "open() comes first"
        link = await WebSocketLink.open(self._server, self._kernel_id, session)
        self._links.append(link)
        return link

    async def _start(self) -> None:
        try:
            self._kernel_id = (await self._server.start(self._name))["id"]
        except (NoAnswerError, asyncio.CancelledError):
            self._untold = True
            raise

    @property
    def started(self) -> Mapping[str, Any]:
        return {"kernel_name": self._name or "", "kernel_id": self._kernel_id, **self._spec}

    async def ended(self) -> str:
        """The server says it on the connection, unless the kernel was deleted."""
        if self._asking is None:
            self._ask()
            return ""
        return self._answer(self._asking)

    def _ask(self) -> None:
        """Begin to ask for the kernel, if nothing was heard for so long."""
        heard = max((link.heard for link in self._links), default=0.0)
        if time.monotonic() - max(heard, self._asked) > _QUIET_SECONDS and self._kernel_id:
            self._asking = asyncio.create_task(self._is_gone(self._kernel_id))

    def _answer(self, asking: asyncio.Task[str]) -> str:
        """Why the kernel is gone; "" where it is not, or the server has not said yet."""
        if not asking.done():
            return ""
        self._asking, self._asked = None, time.monotonic()
        return asking.result()

    async def _is_gone(self, kernel_id: str) -> str:
        try:
            await self._server.kernel(kernel_id)
        except NoKernelError as error:
            return f"{error} any more"
        except KspyError:
            pass  # a server that does not answer may have it still
        return ""

    async def interrupt(self) -> str:
        if not self.owned or self._kernel_id is None:
            raise KspyError("a kernel that somebody else started is interrupted by who started it")
        await self._server.interrupt(self._kernel_id)
        return "server"

    async def restart(self) -> None:
        if not self.owned or self._kernel_id is None:
            raise KspyError("a kernel that somebody else started is restarted by who started it")
        await self._server.restart(self._kernel_id)

    async def close(self) -> None:
        """Cancelled, it gives up waiting for the server."""
        if self._asking is not None:
            asking, self._asking = self._asking, None
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        if self._untold:
            self._untold = False
            raise KspyError(f"{self._server.url}: did not say which kernel it started")
        if self.owned and self._kernel_id is not None:
            kernel_id, self._kernel_id = self._kernel_id, None
            try:
                await self._server.delete(kernel_id)
            except asyncio.CancelledError:
                raise KspyError(f"{self._server.url}: was not waited for any longer") from None


def _description(spec: object) -> Mapping[str, Any]:
    """What a recording says of a kernelspec, as `LaunchedKernel.description`."""
    inner = spec.get("spec") if isinstance(spec, dict) else None
    names = ("display_name", "language", "interrupt_mode")
    return {name: inner[name] for name in names if name in inner} if isinstance(inner, dict) else {}
