"""The server that a tap stands in front of, and whether it can be reached."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable
from typing import Final, TypeVar

from kspy.errors import KspyError
from kspy.tap.server_url import ServerUrl, why_unreachable

CONNECT_SECONDS: Final = 10.0

Side = TypeVar("Side", bound=asyncio.BaseProtocol)


class Upstream(ServerUrl):
    """What clients bring to show who they are is theirs; nothing is added to it."""

    @property
    def is_local(self) -> bool:
        return is_loopback(self.host)

    async def connect(self, make: Callable[[], Side]) -> Side:
        """Open a connection. Raises `KspyError` that says why there is none."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, side = await asyncio.get_running_loop().create_connection(
                    make,
                    self.host,
                    self.port,
                    ssl=self.tls,
                    server_hostname=self.host if self.tls else None,
                )
        except (OSError, ValueError) as error:  # ssl's own errors and timeouts are OSErrors
            why = why_unreachable(error, CONNECT_SECONDS)
            raise KspyError(f"{self.origin}: {why}") from error
        return side

    async def check(self) -> None:
        """Raises `KspyError` where no connection can be had."""
        side = await self.connect(_Probe)
        if side.transport is not None:
            side.transport.abort()


class _Probe(asyncio.Protocol):
    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self.transport = transport


def is_loopback(host: str) -> bool:
    """Is this a name or address of the very machine?"""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, section 6.3
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
