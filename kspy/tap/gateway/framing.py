"""Where HTTP/1 heads and bodies begin and end in a stream of bytes (RFC 9112).

Only places are found here; no byte is changed, and of bodies none is kept. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from tornado.httputil import HTTPHeaders, HTTPInputError

HEAD_LIMIT: Final = 1 << 18
_LINE_LIMIT: Final = 1 << 14
_LINE_ENDS: Final = re.compile(rb"[\r\n]*")
_SIZE: Final = re.compile(rb"[0-9a-fA-F]{1,15}")
_LENGTH: Final = re.compile(r"[0-9]{1,15}")

Sink = Callable[[bytes], None]
"""Takes what a body says, piece by piece, without its framing."""


class LostTrackError(Exception):
    """These bytes are not HTTP/1 as it is known here; they can only be passed on."""


class Body(Protocol):
    """A body that is passing."""

    done: bool

    def take(self, data: bytes, at: int) -> int:
        """Go on at `at`; where in `data` what no more belongs to the body begins."""


class Counted:
    """A body with a Content-Length, or, with length None, one that ends with the connection."""

    def __init__(self, length: int | None, sink: Sink | None = None) -> None:
        self._left = length
        self._sink = sink
        self.done = length == 0

    def take(self, data: bytes, at: int) -> int:
        stop = len(data) if self._left is None else min(len(data), at + self._left)
        if self._sink:
            self._sink(data[at:stop])
        if self._left is not None:
            self._left -= stop - at
            self.done = not self._left
        return stop


class Chunked:
    """A body in chunks, with extensions and trailers if it likes (RFC 9112, section 7.1)."""

    def __init__(self, sink: Sink | None = None) -> None:
        self._sink = sink
        self._step = self._size
        self._line = b""
        self._left = 0
        self.done = False

    def take(self, data: bytes, at: int) -> int:
        while at < len(data) and not self.done:
            at = self._step(data, at)
        return at

    def _size(self, data: bytes, at: int) -> int:
        line, at = self._read_line(data, at)
        if line is not None:
            match = _SIZE.match(line)
            if not match:
                raise LostTrackError
            self._left = int(match.group(), 16)
            self._step = self._content if self._left else self._trailer
        return at

    def _content(self, data: bytes, at: int) -> int:
        stop = min(len(data), at + self._left)
        if self._sink:
            self._sink(data[at:stop])
        self._left -= stop - at
        if not self._left:
            self._step = self._content_end
        return stop

    def _content_end(self, data: bytes, at: int) -> int:
        line, at = self._read_line(data, at)
        if line:
            raise LostTrackError
        if line is not None:
            self._step = self._size
        return at

    def _trailer(self, data: bytes, at: int) -> int:
        line, at = self._read_line(data, at)
        self.done = line == b""
        return at

    def _read_line(self, data: bytes, at: int) -> tuple[bytes | None, int]:
        """A line without its end, or None where more has to come; and where to go on."""
        end = data.find(b"\n", at)
        stop = end + 1 if end >= 0 else len(data)
        line = self._line + data[at:stop]
        if len(line) > _LINE_LIMIT:
            raise LostTrackError
        if end < 0:
            self._line = line
            return None, stop
        self._line = b""
        return line.rstrip(b"\r\n"), stop


def head_end(data: bytes, at: int) -> int:
    """Where the head that begins at `at` is over; 0 where more has to come.

    Raises `LostTrackError` where it is longer than any head is.
    """
    before = _LINE_ENDS.match(data, at)  # RFC 9112, 2.2: empty lines
    start = before.end() if before else at
    found = data.find(b"\n\r\n", start)
    stop = found + 3 if found >= 0 else len(data)
    bare = data.find(b"\n\n", start, stop)
    if bare >= 0:
        stop = bare + 2
    if stop - at > HEAD_LIMIT:
        raise LostTrackError
    return stop if found >= 0 or bare >= 0 else 0


def read_head(head: bytes) -> tuple[str, HTTPHeaders]:
    """The start line and the headers. Raises `LostTrackError`."""
    start, _, rest = head.decode("latin-1").lstrip("\r\n").partition("\n")
    try:
        return start.rstrip("\r"), HTTPHeaders.parse(rest)
    except HTTPInputError as error:
        raise LostTrackError from error


def body(headers: Mapping[str, str], sink: Sink | None = None, *, response: bool) -> Body:
    """The body that these headers announce (RFC 9112, section 6.3). Raises `LostTrackError`."""
    coding = headers.get("Transfer-Encoding", "")
    if coding:
        if coding.rpartition(",")[2].strip().lower() == "chunked":
            return Chunked(sink)
        if response:
            return Counted(None, sink)
        raise LostTrackError
    length = headers.get("Content-Length")
    if length is None:
        return Counted(None if response else 0, sink)
    values = {value.strip() for value in length.split(",")}
    value = values.pop()
    if values or not _LENGTH.fullmatch(value):
        raise LostTrackError
    return Counted(int(value), sink)
