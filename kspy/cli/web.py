"""Serve the viewer to a browser: textual-serve, for this machine and for who started it alone.

textual-serve runs the viewer's command for every page that connects to its WebSocket, and asks
nobody who they are. Loopback keeps other machines out, but not other users of this one, nor the
pages of other sites that a browser has open: any of them may connect to a WebSocket on loopback.
A recording holds code and its results, and the viewer can write files. Therefore here:

- the address holds a secret; whoever opens it gets a cookie, without which nothing is served;
- requests are for this very address (no DNS name that was bound to loopback) and, where they say
  whose page they come from, from a page of ours;
- the page is our own, and may load nothing from elsewhere: textual-serve's asks a font of another
  host, and needs a click before it takes keys.

The command is passed to a shell; so every word of it is quoted.
"""

from __future__ import annotations

import hmac
import secrets
import shlex
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from textual_serve.server import Server

from kspy.analysis.sanitize import one_line
from kspy.errors import KspyError

HOST: Final = "127.0.0.1"
_PAGE: Final = Path(__file__).with_name("page")
_SHUTDOWN_SECONDS: Final = 2.0


def serve(command: Sequence[str], *, title: str, port: int = 0) -> None:
    """Serve what `command` shows until Ctrl-C. Port 0: any. Raises `KspyError` if it is taken."""
    listening = _listen(port)
    server = LoopbackServer(command, title=one_line(title), port=listening.getsockname()[1])
    click.echo(f"open this address in a browser; end with Ctrl-C\n\n  {server.address}\n")
    with listening:
        web.run_app(
            server.make_app(),
            sock=listening,
            print=lambda _: None,
            access_log=None,  # it would hold the secret
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen()  # before its address is said
    except OSError as error:
        listening.close()
        raise KspyError(f"port {port} of {HOST}: {error.strerror}; give another --port") from error
    return listening


class LoopbackServer(Server):
    """textual-serve's server behind a secret."""

    def __init__(self, command: Sequence[str], *, title: str, port: int) -> None:
        line = f"exec {shlex.join(command)}"
        super().__init__(line, HOST, port, title=title, templates_path=_PAGE)
        self._secret = secrets.token_urlsafe(24)
        self._cookie = f"kspy-{port}"  # cookies do not tell ports apart

    @property
    def address(self) -> str:
        """What its user opens."""
        return f"{self.public_url}/?token={self._secret}"

    async def make_app(self) -> web.Application:
        app = await self._make_app()
        app.middlewares.append(self._guard())
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Says nothing: the address was said already."""

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.host != f"{HOST}:{self.port}":
                raise web.HTTPForbidden(text="open the address that kspy view has printed\n")
            origin = request.headers.get("Origin")
            if origin != self.public_url and (origin is not None or request.path == "/ws"):
                raise web.HTTPForbidden(text="asked for by a page of another site\n")
            given = request.cookies.get(self._cookie, "")
            if request.path == "/":
                given = request.query.get("token", given)
            if not hmac.compare_digest(given.encode(), self._secret.encode()):
                raise web.HTTPForbidden(text="open the address that kspy view has printed\n")
            response = await handler(request)
            if not response.prepared:
                self._protect(response)
            return response

        return guard

    def _protect(self, response: web.StreamResponse) -> None:
        response.set_cookie(self._cookie, self._secret, httponly=True, samesite="Strict", path="/")
        own = f"'self' ws://{HOST}:{self.port}"
        response.headers["Content-Security-Policy"] = (
            "default-src 'self'; script-src 'self' 'unsafe-inline';"
            f" style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src {own};"
            " frame-ancestors 'none'; base-uri 'none'"
        )
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
