"""Follow the HTTP of one connection: what was asked for, what was answered, what was opened.

Bytes that go to the client are looked at and nothing more. Those that go to the server come out
of `to_server` as they went in, except for the names of `kspy.tap.gateway.naming`. Where the bytes
are no HTTP/1 that is understood here, it stops looking: the connection goes on without it.

To change a head it must be whole: where names are changed, what has come of one waits for the
rest, and what follows a request that may switch protocols for the answer, which says whether it
is HTTP. All that waits is let go when a side ends, or this stops looking. Pure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from tornado.httputil import (
    HTTPHeaders,
    parse_request_start_line,
    parse_response_start_line,
)

from kspy.tap.gateway.framing import Body, LostTrackError, Sink, body, head_end, read_head

Rename = Callable[[bytes, Mapping[str, str]], bytes]

_NO_BODY: Final = (204, 304)
_PIPELINED: Final = 1000
_HELD: Final = 1 << 18


@dataclass(frozen=True)
class Request:
    """The start of a request; `upgrade` is what its header `Upgrade` says, lower case."""

    method: str
    target: str = field(repr=False)  # its query may hold a token
    upgrade: str


class Watcher(Protocol):
    """Who wants to know what is answered."""

    def answered(self, request: Request, status: int, headers: HTTPHeaders) -> Sink | None:
        """The head of an answer has passed; gives what takes its body, where that is wanted."""

    def complete(self, request: Request) -> None:
        """The body of an answer has passed."""

    def opened(self, request: Request, headers: HTTPHeaders) -> None:
        """What follows is no HTTP: the server has agreed to the request's `upgrade`."""

    def switched(self, data: bytes, *, to_client: bool) -> None:
        """Bytes that followed."""


class Exchange:
    """One connection. `rename` changes the heads of requests; None: they stay as they are."""

    def __init__(self, watcher: Watcher, rename: Rename | None = None) -> None:
        self._watcher = watcher
        self._rename = rename
        self._asked: deque[Request] = deque()
        self._switched = False
        self._blind = False
        self._client_ended = False
        # What the client has sent of a head, or after a request that may switch protocols.
        self._held = bytearray()
        self._pausing = False
        self._request_body: Body | None = None
        self._begun = b""
        self._answer: tuple[Request, Body] | None = None
        # What the server is to be sent; empty where the bytes pass without waiting for this.
        self._released: list[bytes] = []

    @property
    def awaiting(self) -> bool:
        """Is there a request without its whole answer?"""
        return bool(self._asked or self._answer)

    @property
    def is_holding(self) -> bool:
        """Is there something that the server is still to be sent?"""
        return bool(self._rename and self._held)

    @property
    def is_full(self) -> bool:
        """Is so much held that the client should not be read on?"""
        return self._pausing and self.is_holding and len(self._held) >= _HELD

    def to_server(self, data: bytes) -> bytes:
        """The client sent `data`; what the server is to be sent now."""
        if self._blind:
            return data
        if self._switched:
            self._watcher.switched(data, to_client=False)
            return data
        self._requests(data)
        return self._release() if self._rename else data

    def to_client(self, data: bytes) -> bytes:
        """The server sent `data`, all of it for the client; what the server is to be sent now."""
        if self._blind:
            return b""
        if self._switched:
            self._watcher.switched(data, to_client=True)
            return b""
        try:
            self._answers(data)
        except Exception:  # however it was misread: what follows is only passed on
            self._give_up()
        return self._release()

    def client_ended(self) -> bytes:
        """The client says no more; what the server is to be sent now.

        Of what is held, all but what waits for an answer (`is_holding`).
        """
        self._client_ended = True
        if not self._pausing:
            self._let_go()
        return self._release()

    def server_ended(self) -> bytes:
        """The server says no more, no answer either; what it is to be sent now."""
        if self._answer and not self._blind:
            self._watcher.complete(self._answer[0])
        self._give_up()
        return self._release()

    def _release(self) -> bytes:
        if not self._released:
            return b""
        released, self._released = self._released, []
        return b"".join(released)

    def _pass(self, data: bytes) -> None:
        if self._rename and data:
            self._released.append(data)

    def _let_go(self) -> None:
        held, self._held = bytes(self._held), bytearray()
        self._pass(held)

    def _requests(self, data: bytes) -> None:
        if self._pausing and not self._request_body:
            self._held += data
            if not self._rename and len(self._held) > _HELD:
                self._give_up()
            return
        if self._held:
            data = bytes(self._held + data)
            self._held.clear()
        at = 0
        try:
            while at < len(data):
                if self._request_body:
                    stop = self._request_body.take(data, at)
                    if self._rename:
                        self._released.append(data[at:stop])
                    if self._request_body.done:
                        self._request_body = None
                elif self._pausing or not (stop := head_end(data, at)):
                    self._held += data[at:]
                    break
                else:
                    self._pass(self._request(data[at:stop]))
                at = stop
        except Exception:  # however it was misread: what follows is only passed on
            self._held += data[at:]
            self._give_up()

    def _request(self, head: bytes) -> bytes:
        start, headers = read_head(head)
        line = parse_request_start_line(start)
        request_body = body(headers, response=False)
        if len(self._asked) >= _PIPELINED:
            raise LostTrackError
        upgrade = headers.get("Upgrade", "").lower()
        self._asked.append(Request(line.method, line.path, upgrade))
        self._request_body = None if request_body.done else request_body
        self._pausing = bool(upgrade) or line.method == "CONNECT"
        return self._rename(head, headers) if self._rename else head

    def _answers(self, data: bytes) -> None:
        if self._begun:
            data, self._begun = self._begun + data, b""
        at = 0
        while at < len(data) and not self._blind:
            if self._answer:
                request, passing = self._answer
                at = passing.take(data, at)
                if passing.done:
                    self._answer = None
                    self._watcher.complete(request)
                continue
            stop = head_end(data, at)
            if not stop:
                self._begun = data[at:]
                break
            self._head(data[at:stop])
            at = stop
            if self._switched:
                if data[at:]:
                    self._watcher.switched(data[at:], to_client=True)
                break

    def _head(self, head: bytes) -> None:
        """Take the head of an answer."""
        start, headers = read_head(head)
        status = parse_response_start_line(start).code
        if not self._asked:
            raise LostTrackError
        request = self._asked[0]
        if 100 <= status < 200 and status != 101:
            return
        self._asked.popleft()
        if status == 101 or (request.method == "CONNECT" and status < 300):
            self._switch(request, headers)
            return
        sink = self._watcher.answered(request, status, headers)
        if request.method == "HEAD" or status in _NO_BODY:
            self._watcher.complete(request)
        else:
            passing = body(headers, sink, response=True)
            if passing.done:
                self._watcher.complete(request)
            else:
                self._answer = request, passing
        if self._pausing and not self._asked:
            self._resume()

    def _resume(self) -> None:
        """It goes on in HTTP: what the client has sent since is its next requests."""
        self._pausing = False
        self._requests(b"")
        if self._client_ended and not self._pausing:
            self._let_go()

    def _switch(self, request: Request, headers: HTTPHeaders) -> None:
        self._watcher.opened(request, headers)
        if self._held:
            self._watcher.switched(bytes(self._held), to_client=False)
        self._let_go()
        self._pausing = False
        self._switched = True

    def _give_up(self) -> None:
        """Look no more; what was held back passes."""
        self._blind = True
        self._pausing = False
        self._let_go()
        self._begun = b""
        self._asked.clear()
        self._answer = None
