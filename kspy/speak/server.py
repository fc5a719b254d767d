"""A Jupyter Server or Kernel Gateway, asked over HTTP: start, describe and delete kernels.

Rule: Jupyter Server's REST API. The token goes into the header `Authorization` alone, so that it
appears in no log and no message; nothing here ever shows it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse

from kspy.analysis.sanitize import one_line
from kspy.errors import KspyError

TOKEN_VARIABLES: Final = ("JUPYTER_TOKEN", "JUPYTER_GATEWAY_AUTH_TOKEN")
CONNECT_SECONDS: Final = 20.0
_START_SECONDS: Final = 120.0
_DELETE_TRIES: Final = 20
_DELETE_SECONDS: Final = 0.5
_SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_PAGES: Final = re.compile(r"/(?:lab|tree|notebooks|console)(?:/.*)?$")
"""What follows the server's base path in an address copied from a browser."""
_TOKEN: Final = re.compile(r"[!-~]+")
_LONGEST: Final = 200


class Server:
    """`url` is its base, without a query and without a slash at the end."""

    def __init__(self, url: str, token: str | None) -> None:
        """Raises `KspyError` for what is no URL of a server, or no token."""
        try:
            parts = urlsplit(url.strip())
            scheme, host, _ = _SCHEMES.get(parts.scheme), parts.hostname, parts.port
        except ValueError as error:
            raise KspyError("--gateway: is no URL") from error
        if not scheme or not host:
            raise KspyError("--gateway: is no URL; it looks like http://localhost:8888/")
        if "@" in parts.netloc:
            raise KspyError("--gateway: a name and password in the URL do not work; use a token")
        path = _PAGES.sub("", parts.path).rstrip("/")
        self.url = urlunsplit((scheme, parts.netloc, path, "", ""))
        if token is None:
            token = next(iter(parse_qs(parts.query).get("token", ())), None)
        if token is None:
            token = next((os.environ[name] for name in TOKEN_VARIABLES if os.environ.get(name)), "")
        if token and not _TOKEN.fullmatch(token):
            raise KspyError("the token holds characters that no token has (it is not shown here)")
        self._token = token

    @property
    def headers(self) -> Mapping[str, str]:
        """What says who we are."""
        if self._token:
            return {"Authorization": f"token {self._token}"}
        # A server without authentication wants the same word twice, as a proof that no other
        # web site sent the request.
        return {"Cookie": "_xsrf=kspy", "X-XSRFToken": "kspy"}

    async def kernelspecs(self) -> Mapping[str, Any]:
        """`{"default": name, "kernelspecs": {name: …}}`; {} where the server does not tell."""
        try:
            return await self._ask("GET", "/api/kernelspecs")
        except _RefusedError as error:
            if error.code in (401, 403):
                raise
            return {}

    async def kernel(self, kernel_id: str) -> Mapping[str, Any]:
        """What the server says of a kernel that it runs."""
        try:
            return await self._ask("GET", f"/api/kernels/{quote(kernel_id, safe='')}")
        except _RefusedError as error:
            if error.code in (400, 404):
                raise KspyError(f"{self.url}: no kernel there has the id {kernel_id}") from error
            raise

    async def start(self, name: str | None) -> Mapping[str, Any]:
        """Start a kernel; what the server says of it, its `id` for certain."""
        model = await self._ask("POST", "/api/kernels", {"name": name} if name else {})
        if not isinstance(model.get("id"), str):
            raise KspyError(f"{self.url}: answers, but not as a Jupyter server does")
        return model

    async def interrupt(self, kernel_id: str) -> None:
        await self._ask("POST", f"/api/kernels/{quote(kernel_id, safe='')}/interrupt", {})

    async def delete(self, kernel_id: str) -> None:
        """End a kernel. That it is gone already is no error.

        Jupyter Server fails while it is starting the kernel again after a crash: so, several tries.
        """
        path = f"/api/kernels/{quote(kernel_id, safe='')}"
        for again in reversed(range(_DELETE_TRIES)):
            try:
                await self._ask("DELETE", path)
            except _RefusedError as error:
                if error.code == 404:
                    return
                if error.code < 500 or not again:
                    raise
            else:
                return
            await asyncio.sleep(_DELETE_SECONDS)

    def channels_request(self, kernel_id: str, session: str) -> HTTPRequest:
        """The request that becomes a kernel's WebSocket."""
        scheme = "wss" if self.url.startswith("https") else "ws"
        base = f"{scheme}{self.url[self.url.index(':') :]}/api/kernels/{quote(kernel_id, safe='')}"
        return HTTPRequest(
            f"{base}/channels?session_id={session}",
            headers=dict(self.headers),
            connect_timeout=CONNECT_SECONDS,
            request_timeout=_START_SECONDS,
        )

    def explain(self, error: Exception) -> KspyError:
        """Why the server could not be asked, in one line."""
        if isinstance(error, KspyError):
            return error
        if isinstance(error, HTTPClientError) and error.code != 599:
            return _RefusedError(self.url, error.code, error.response)
        if isinstance(error, ssl.SSLCertVerificationError):
            why = one_line(error.verify_message)
            return KspyError(
                f"{self.url}: its certificate is not trusted: {why} (SSL_CERT_FILE can name a"
                " file with the authority that signed it)"
            )
        if isinstance(error, ssl.SSLError):
            why = one_line(error.reason or str(error))
            return KspyError(f"{self.url}: no encrypted connection can be made: {why}")
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return KspyError(f"{self.url}: no server answers there: {one_line(str(why))}")

    async def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """The JSON object that comes back; {} for none."""
        request = HTTPRequest(
            self.url + path,
            method,
            headers=dict(self.headers),
            body=None if body is None else json.dumps(body),
            follow_redirects=False,  # the token is for this server alone
            connect_timeout=CONNECT_SECONDS,
            request_timeout=_START_SECONDS,
        )
        try:
            response = await AsyncHTTPClient().fetch(request)
        except Exception as error:
            raise self.explain(error) from error
        try:
            value = json.loads(response.body or b"{}")
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise KspyError(f"{self.url}: answers, but not as a Jupyter server does")
        return value


class _RefusedError(KspyError):
    """The server answered that it does not do it."""

    def __init__(self, url: str, code: int, response: HTTPResponse | None) -> None:
        self.code = code
        hints = {
            401: "; is the token right? (--token, or the environment's JUPYTER_TOKEN)",
            403: "; is the token right, and is this allowed there?",
            404: "; is this the URL of a Jupyter server?",
        }
        hint = hints.get(code, "")
        if 300 <= code < 400:
            hint = "; it sends elsewhere, as servers do that want a login"
        reason = one_line(_reason(response))[:_LONGEST]
        super().__init__(f"{url}: the server refuses: {code} {reason}{hint}")


def _reason(response: HTTPResponse | None) -> str:
    """What a server gives as its reason: `message` of a JSON object, else the status line's."""
    if response is None:
        return ""
    try:
        value = json.loads(response.body or b"")
    except (ValueError, RecursionError):
        value = None
    message = value.get("message") if isinstance(value, dict) else None
    return message if isinstance(message, str) and message else str(response.reason or "")
