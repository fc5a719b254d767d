"""Bookmarks of a recording, with notes: a small JSON file beside it, never in it.

    session.kspy
    session.kspy.bookmarks  {"kspy_bookmarks": 1,
                             "recordings": {<id>: [{"seq": …, "time_ns": …, "note": …}]}}

A bookmark is a message's number, which stays the same however much of the file can be read. The
file is kept by the recording's id: where a new recording takes the place of an old one of the
same name, the notes about the old one stay in the file, and come back with it.

Notes are somebody's work. So whatever is wrong with the file, it is never written over with less
than what was in it; every change reads it again first, and replaces it whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from kspy.errors import KspyError
from kspy.recording.format import HEADER_LIMIT, ID_SIZE, decode_header
from kspy.recording.replace import replace_file
from kspy.recording.scan import File, find_ident

SUFFIX: Final = ".bookmarks"
VERSION: Final = 1
LONGEST_NOTE: Final = 10_000
"""Characters."""
_LARGEST: Final = 32 << 20
"""Bytes of a file; beyond, it is none of ours."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A message that somebody wants to find again: its number, its time (ns), and why."""

    seq: int
    time_ns: int
    note: str = ""


class Bookmarks:
    """The bookmarks of the recording at a path, as they were when last read or changed."""

    def __init__(self, recording: str | os.PathLike[str]) -> None:
        """Read them. Raises `KspyError` if recording or bookmarks cannot be read."""
        self.path = Path(os.fspath(recording) + SUFFIX)
        self._id = _ident(os.fspath(recording))
        self._found: dict[int, Bookmark] = {}
        self.reload()

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, seq: object) -> bool:
        return seq in self._found

    def get(self, seq: int) -> Bookmark | None:
        return self._found.get(seq)

    def list(self) -> list[Bookmark]:
        """All, in the order of the messages."""
        return [self._found[seq] for seq in sorted(self._found)]

    def reload(self) -> None:
        """Read them again: another viewer may have changed them. Raises `KspyError`."""
        self._found = self._mine(self._read())

    def add(self, seq: int, time_ns: int, note: str = "") -> None:
        """Add a bookmark, or give it another note. Raises `KspyError` if it cannot be kept."""
        self._change(seq, Bookmark(seq, time_ns, _fit(note)))

    def remove(self, seq: int) -> None:
        """Remove a bookmark, if it is there. Raises `KspyError` if the file cannot be written."""
        self._change(seq, None)

    def _change(self, seq: int, bookmark: Bookmark | None) -> None:
        everything = self._read()
        mine = self._mine(everything)
        if bookmark is None:
            mine.pop(seq, None)
        else:
            mine[seq] = bookmark
        recordings = everything.setdefault("recordings", {})
        if mine:
            recordings[self._id] = [asdict(mine[number]) for number in sorted(mine)]
        else:
            recordings.pop(self._id, None)
        self._write({"kspy_bookmarks": VERSION, **everything})
        self._found = mine

    def _read(self) -> dict[str, Any]:
        """The file's whole content; {} where there is no file."""
        try:
            with self.path.open("rb") as file:
                raw = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise KspyError(f"{self.path}: cannot be read: {error.strerror}") from error
        try:
            if len(raw) > _LARGEST:
                raise ValueError("too large")
            content = json.loads(raw)
            version = content["kspy_bookmarks"]
            recordings = content["recordings"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._broken() from error
        if not isinstance(version, int) or not isinstance(recordings, dict):
            raise self._broken()
        if version > VERSION:
            raise KspyError(f"{self.path}: written by a newer kspy; upgrade kspy to change it")
        found: dict[str, Any] = content
        return found

    def _mine(self, everything: Mapping[str, Any]) -> dict[int, Bookmark]:
        mine: dict[int, Bookmark] = {}
        kept = everything.get("recordings", {}).get(self._id, [])
        if not isinstance(kept, list):
            raise self._broken()
        for fields in kept:
            try:
                bookmark = Bookmark(**fields)
            except TypeError as error:
                raise self._broken() from error
            if not (_is_number(bookmark.seq) and _is_number(bookmark.time_ns)):
                raise self._broken()
            if not isinstance(bookmark.note, str):
                raise self._broken()
            mine[bookmark.seq] = bookmark
        return mine

    def _broken(self) -> KspyError:
        return KspyError(f"{self.path}: is no file of bookmarks; move it away to make new ones")

    def _write(self, everything: Mapping[str, Any]) -> None:
        try:
            if everything["recordings"]:
                replace_file(self.path, json.dumps(everything, indent=1).encode())
            else:
                self.path.unlink(missing_ok=True)
        except OSError as error:
            raise KspyError(
                f"{self.path}: bookmarks cannot be kept: {error.strerror or error}"
            ) from error


def _ident(path: str) -> str:
    """The recording's id, in hex. Raises `KspyError` if it is no recording."""
    file = File(path)
    try:
        header = decode_header(file.read(0, HEADER_LIMIT))
        ident = header.metadata.get("id") if header is not None and header.sound else None
        if not isinstance(ident, bytes) or len(ident) != ID_SIZE:
            ident = find_ident(file)
    finally:
        file.close()
    if ident is None:
        raise KspyError(f"{path}: is not a kspy recording")
    return ident.hex()


def _fit(note: str) -> str:
    """A note that any encoding takes, of a length that a file of many can hold."""
    return note[:LONGEST_NOTE].encode("utf-8", "replace").decode()


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
