"""Where a Jupyter server is: its URL, whom to trust there, and why it could not be reached.

A URL may come with a user's name, a password or a token in it. None of them is kept here, so none
can be printed or recorded by mistake.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

from kspy.errors import KspyError

_PORTS: Final = {"http": 80, "https": 443}
_PLAIN: Final = {"ws": "http", "wss": "https"}
_WANTED: Final = "give it as http://HOST:PORT/ or https://HOST:PORT/"


@dataclass(frozen=True)
class ServerUrl:
    """`host` is without brackets; `path` is "" or begins with a slash and does not end with one."""

    scheme: str
    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    @classmethod
    def parse(
        cls,
        url: str,
        ca_file: str | None = None,
        *,
        insecure: bool = False,
        called: str = "gateway",
    ) -> Self:
        """Where `url` leads. Raises `KspyError`, which never has the URL's query or password.

        ca_file    certificates to trust, PEM; None: those that the system trusts
        insecure   trust any certificate
        called     what the user knows `url` as
        """
        try:
            parts = urlsplit(url.strip())
            port, host = parts.port, parts.hostname
        except ValueError as error:
            raise KspyError(f"{called}: is no URL: {_WANTED}") from error
        scheme = _PLAIN.get(parts.scheme, parts.scheme)
        if scheme not in _PORTS or not host or port == 0:
            raise KspyError(f"{called}: {_WANTED}")
        if not (parts.netloc + parts.path).isprintable() or " " in parts.path:
            raise KspyError(f"{called}: the URL has characters that no URL has; {_WANTED}")
        if (ca_file or insecure) and scheme == "http":
            raise KspyError("ca and insecure are about certificates: the URL begins with http:")
        tls = _tls(ca_file, insecure=insecure) if scheme == "https" else None
        return cls(scheme, host, port or _PORTS[scheme], parts.path.rstrip("/"), tls)

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


def why_unreachable(error: Exception, seconds: float) -> str:
    """Why there is no connection; `seconds` is how long one was waited for.

    It may hold what the other side says, certificates for instance.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted: {error.verify_message};"
            " --ca FILE (in Python: ca=) names who signed it, --insecure does without"
        )
    if isinstance(error, ssl.SSLError):
        return f"no TLS connection: {error.reason or error}; does it speak http: instead?"
    if isinstance(error, TimeoutError):
        return f"no answer within {seconds:.0f} s; is the server there, and of this scheme?"
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if isinstance(error, ConnectionResetError):
        return f"no server answers: {why}; does it speak https: instead of http:?"
    return f"no server answers: {why}; is it running?"


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
