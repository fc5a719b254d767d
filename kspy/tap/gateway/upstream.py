"""The server that a tap stands in front of: where it is, and whether it can be reached.

A URL may come with a user's name, a password or a token in it. None of them is kept here, so none
can be printed or recorded by mistake; clients bring their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import urlsplit

from kspy.errors import KspyError

CONNECT_SECONDS: Final = 10.0
_PORTS: Final = {"http": 80, "https": 443}
_PLAIN: Final = {"ws": "http", "wss": "https"}

Side = TypeVar("Side", bound=asyncio.BaseProtocol)


@dataclass(frozen=True)
class Upstream:
    """`host` is without brackets; `path` is "" or begins with a slash and does not end with one."""

    scheme: str
    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    @property
    def netloc(self) -> str:
        """What a `Host` header says that names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        return f"{self.origin}{self.path}"

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
            raise KspyError(f"{self.origin}: {_why(error)}") from error
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


def parse(url: str, ca_file: str | None = None, *, insecure: bool = False) -> Upstream:
    """Where `url` leads. Raises `KspyError`, which never has the URL's query or password."""
    wanted = "give it as http://HOST:PORT/ or https://HOST:PORT/"
    try:
        parts = urlsplit(url.strip())
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise KspyError(f"--gateway: is no URL: {wanted}") from error
    scheme = _PLAIN.get(parts.scheme, parts.scheme)
    if scheme not in _PORTS or not host or port == 0:
        raise KspyError(f"--gateway: {wanted}")
    if not (parts.netloc + parts.path).isprintable() or " " in parts.path:
        raise KspyError(f"--gateway: the URL has characters that no URL has; {wanted}")
    if (ca_file or insecure) and scheme == "http":
        raise KspyError("--ca and --insecure are about certificates: the URL begins with http:")
    tls = _tls(ca_file, insecure=insecure) if scheme == "https" else None
    return Upstream(scheme, host, port or _PORTS[scheme], parts.path.rstrip("/"), tls)


def is_loopback(host: str) -> bool:
    """Is this a name or address of the very machine?"""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, section 6.3
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def _tls(ca_file: str | None, *, insecure: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        why = "holds no certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise KspyError(f"{ca_file}: cannot be used to check certificates: {why}") from error
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted: {error.verify_message};"
            " --ca FILE names who signed it, --insecure does without"
        )
    if isinstance(error, ssl.SSLError):
        return f"no TLS connection: {error.reason or error}; does it speak http: instead?"
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_SECONDS:.0f} s; is the server running?"
    return f"no server answers: {getattr(error, 'strerror', None) or error}; is it running?"
