"""A Jupyter Server or Kernel Gateway, asked over HTTP: start, describe and delete kernels.

Rule: Jupyter Server's REST API. The token goes into the header `Authorization` alone, so that it
appears in no log and no message; nothing here ever shows it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.simple_httpclient import HTTPTimeoutError

from kspy.analysis.sanitize import one_line
from kspy.errors import KspyError
from kspy.tap.server_url import ServerUrl, why_unreachable

TOKEN_VARIABLES: Final = ("JUPYTER_TOKEN", "JUPYTER_GATEWAY_AUTH_TOKEN")
CONNECT_SECONDS: Final = 20.0
_START_SECONDS: Final = 120.0
"""A server answers when the kernel runs, and may have to find a machine for it first."""
_ANSWER_SECONDS: Final = 30.0
_END_SECONDS: Final = 10.0
"""For what ends something; Jupyter Server waits some 5 s for a kernel that does not end itself."""
_AGAIN_SECONDS: Final = 0.5
_PAGES: Final = re.compile(r"/(?:lab|tree|notebooks|console)(?:/.*)?$")
"""What follows the server's base path in an address copied from a browser."""
_TOKEN: Final = re.compile(r"[!-~]+")
_LONGEST: Final = 200


class Server:
    """`url` is its base, without a query and without a slash at the end."""

    def __init__(
        self, url: str, token: str | None, ca_file: str | None = None, *, insecure: bool = False
    ) -> None:
        """`ca_file` and `insecure` as `ServerUrl.parse` has them.

        Raises `KspyError` for what is no URL of a server, no token, no certificates.
        """
        where = ServerUrl.parse(url, ca_file, insecure=insecure)
        parts = urlsplit(url.strip())
        if "@" in parts.netloc:
            raise KspyError("gateway: a name and password in the URL do not work; use a token")
        self.url = where.origin + _PAGES.sub("", where.path)
        self._tls = where.tls
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
        """What the server says of a kernel that it runs. Raises `NoKernelError` without one."""
        try:
            return await self._ask("GET", f"/api/kernels/{quote(kernel_id, safe='')}")
        except _RefusedError as error:
            if error.code in (400, 404):
                why = f"{self.url}: no kernel there has the id {kernel_id}"
                raise NoKernelError(why) from error
            raise

    async def start(self, name: str | None) -> Mapping[str, Any]:
        """Start a kernel; what the server says of it, its `id` for certain."""
        body = {"name": name} if name else {}
        model = await self._ask("POST", "/api/kernels", body, seconds=_START_SECONDS)
        if not isinstance(model.get("id"), str):
            raise KspyError(f"{self.url}: answers, but not as a Jupyter server does")
        return model

    async def interrupt(self, kernel_id: str) -> None:
        path = f"/api/kernels/{quote(kernel_id, safe='')}/interrupt"
        await self._ask("POST", path, {}, seconds=_END_SECONDS)

    async def restart(self, kernel_id: str) -> None:
        """The server answers when the kernel is there again."""
        path = f"/api/kernels/{quote(kernel_id, safe='')}/restart"
        await self._ask("POST", path, {}, seconds=_START_SECONDS)

    async def delete(self, kernel_id: str) -> None:
        """End a kernel. That it is gone already is no error.

        Jupyter Server fails while it is starting the kernel again after a crash: so, several tries.
        """
        path = f"/api/kernels/{quote(kernel_id, safe='')}"
        deadline = time.monotonic() + _END_SECONDS
        while True:
            try:
                await self._ask("DELETE", path, seconds=_END_SECONDS)
            except _RefusedError as error:
                if error.code == 404:
                    return
                if error.code < 500 or time.monotonic() > deadline:
                    raise
            else:
                return
            await asyncio.sleep(_AGAIN_SECONDS)

    def channels_request(self, kernel_id: str, session: str) -> HTTPRequest:
        """The request that becomes a kernel's WebSocket."""
        scheme = "wss" if self.url.startswith("https") else "ws"
        base = f"{scheme}{self.url[self.url.index(':') :]}/api/kernels/{quote(kernel_id, safe='')}"
        return HTTPRequest(
            f"{base}/channels?session_id={session}",
            headers=dict(self.headers),
            follow_redirects=False,
            connect_timeout=CONNECT_SECONDS,
            request_timeout=_START_SECONDS,
            ssl_options=self._tls,
        )

    def explain(self, error: Exception) -> KspyError:
        """Why the server could not be asked, in one line."""
        if isinstance(error, KspyError):
            return error
        if isinstance(error, HTTPClientError) and error.code != 599:
            return _RefusedError(self.url, error.code, error.response)
        if isinstance(error, HTTPTimeoutError):
            return NoAnswerError(f"{self.url}: does not answer ({error.message})")
        return KspyError(f"{self.url}: {one_line(why_unreachable(error, CONNECT_SECONDS))}")

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        seconds: float = _ANSWER_SECONDS,
    ) -> Mapping[str, Any]:
        """The JSON object that comes back; {} for none."""
        request = HTTPRequest(
            self.url + path,
            method,
            headers=dict(self.headers),
            body=None if body is None else json.dumps(body),
            follow_redirects=False,  # the token is for this server alone
            connect_timeout=min(CONNECT_SECONDS, seconds),
            request_timeout=seconds,
            ssl_options=self._tls,
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


class NoAnswerError(KspyError):
    """The server was asked, and may do it or have done it, but does not say so."""


class NoKernelError(KspyError):
    """The server runs no such kernel, or none any more."""


class _RefusedError(KspyError):
    """The server answered that it does not do it."""

    def __init__(self, url: str, code: int, response: HTTPResponse | None) -> None:
        self.code = code
        hints = {
            401: "; is the token right? (token, or the environment's JUPYTER_TOKEN)",
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
