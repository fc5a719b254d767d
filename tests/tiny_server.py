"""A server of a few lines in the test's own process: the test decides what it answers."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from tapping import wait_for


class Answer(NamedTuple):
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class TinyServer(ThreadingHTTPServer):
    """`asked` holds a line a request, as `GET /api/kernels`.

    `answer` is called with such a line; None: no answer comes, and the connection stays open.
    """

    daemon_threads = True

    def __init__(self, answer: Callable[[str], Answer | None]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[str] = []
        self.over = threading.Event()
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def wait_asked(self, begins: str) -> None:
        wait_for(lambda: any(line.startswith(begins) for line in self.asked), begins)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that breaks off is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TinyServer

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        line = f"{self.command} {self.path}"
        self.server.asked.append(line)
        answer = self.server.answer(line)
        if answer is None:
            self.server.over.wait()
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 (their names in http.server)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as it is called)
        pass


@contextlib.contextmanager
def tiny_server(
    answer: Callable[[str], Answer | None], tls: ssl.SSLContext | None = None
) -> Iterator[TinyServer]:
    with TinyServer(answer) as server:
        if tls:
            server.scheme = "https"
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
