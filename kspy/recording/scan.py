"""Walk the entries of a `.kspy` file, believing nothing, and find the way again after damage."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple, Protocol

from kspy.errors import KspyError
from kspy.recording.format import (
    CONTENT_LIMIT,
    ENVELOPE_LIMIT,
    decode_envelope,
    mark_pattern,
)

_FIRST_WINDOW: Final = 1 << 12
_WINDOW: Final = 1 << 20
_FAR: Final = 1 << 62
_PAYLOAD_LIMIT: Final = CONTENT_LIMIT + (CONTENT_LIMIT >> 4)


class Entry(NamedTuple):
    """An entry's place in the file: it spans `offset` to `stop`, its payload `start` to `stop`."""

    kind: str
    offset: int
    start: int
    stop: int


class Lost(NamedTuple):
    """Bytes of the file that are no entry."""

    offset: int
    stop: int


class Bytes(Protocol):
    """The file, as far as a scan needs it."""

    def read(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset`; fewer at the end."""

    def size(self) -> int: ...


class File:
    """A file read by position, so that several readers of one never disturb each other.

    Raises `KspyError` where it cannot be read, and `ValueError` once it is closed.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = -1
        with self._errors():
            self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def fileno(self) -> int:
        if self._file < 0:
            raise ValueError(f"{self._path}: the recording is closed")
        return self._file

    def read(self, offset: int, size: int) -> bytes:
        if offset > _FAR:
            return b""
        file = self.fileno()
        parts = []
        with self._errors():
            while size > 0 and (part := os.pread(file, min(size, 1 << 30), offset)):
                parts.append(part)
                offset += len(part)
                size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def size(self) -> int:
        return os.fstat(self.fileno()).st_size

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise KspyError(f"{self._path}: cannot be read: {error.strerror}") from error


def scan(
    file: Bytes, ident: bytes, offset: int, *, growing: bool = False
) -> Iterator[Entry | Lost]:
    """Every entry from `offset` to the end of the file, and what lies between them.

    What is incomplete at the end is left out where the file is `growing`, else it is `Lost`.
    """
    pattern = mark_pattern(ident)
    while (size := file.size()) > offset:
        entry = read_entry(file, ident, offset)
        if entry is None or not _leads_on(file, ident, entry, size):
            stop = find_mark(file, pattern, offset + 1, size)
            if stop is None:
                if entry is not None and entry.stop < size:
                    yield entry
                    offset = entry.stop
                if not growing:
                    yield Lost(offset, size)
                return
            # A wrong length is no reason to lose what it is the length of.
            if entry is None or entry.start >= stop:
                yield Lost(offset, stop)
                offset = stop
                continue
            entry = entry._replace(stop=stop)
        yield entry
        offset = entry.stop


def read_entry(file: Bytes, ident: bytes, offset: int) -> Entry | None:
    """The entry at `offset`, or None where there is none."""
    envelope = decode_envelope(file.read(offset, ENVELOPE_LIMIT), ident)
    if envelope is None:
        return None
    return Entry(envelope.kind, offset, offset + envelope.start, offset + envelope.stop)


def read_payload(file: Bytes, entry: Entry) -> bytes:
    """The payload, or b"" where it is longer than any can be."""
    size = entry.stop - entry.start
    return file.read(entry.start, size) if size <= _PAYLOAD_LIMIT else b""


def find_ident(file: Bytes) -> bytes | None:
    """The recording's id by its first mark, where the header does not tell."""
    pattern = mark_pattern(None)
    found = _search(file, pattern, 0, file.size())
    return found[1][3] if found else None


def find_mark(file: Bytes, pattern: re.Pattern[bytes], offset: int, size: int) -> int | None:
    """Where the next entry begins, from `offset` on."""
    found = _search(file, pattern, offset, size)
    return found[0] if found else None


def _leads_on(file: Bytes, ident: bytes, entry: Entry, size: int) -> bool:
    """Does the entry's length lead to another entry, or to the end of the file?"""
    if entry.stop == size:
        return True
    if entry.stop > size:
        return False
    head = file.read(entry.stop, ENVELOPE_LIMIT)
    pattern = mark_pattern(ident)
    return pattern.match(head) is not None or _is_partial_mark(head, ident)


def _is_partial_mark(head: bytes, ident: bytes) -> bool:
    """Can `head`, the last bytes of the file, be the beginning of a mark?"""
    if len(head) >= ENVELOPE_LIMIT:
        return False
    match = re.match(rb"\x93(?:[\xa1-\xbf][a-z]{0,31}(?:\xc4(?:\x08)?)?)?", head)
    return match is not None and ident.startswith(head[match.end() :][: len(ident)])


def _search(
    file: Bytes, pattern: re.Pattern[bytes], offset: int, size: int
) -> tuple[int, re.Match[bytes]] | None:
    step = _FIRST_WINDOW  # the next mark is most often near
    while offset < size:
        window = file.read(offset, step + ENVELOPE_LIMIT)
        if not window:
            return None
        match = pattern.search(window)
        if match:
            return offset + match.start(), match
        offset += step
        step = min(2 * step, _WINDOW)
    return None
