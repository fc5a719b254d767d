"""The folder that recordings go to where nobody says a file's name, and what is kept in it.

A recording there is named `<kernel>-<YYYYMMDD-HHMMSS>-<8 characters>.kspy`; the last part is the
beginning of the kernel's id, where it has one. Only files of such a name are ever deleted, so
what a user puts beside them, or renames, stays.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from kspy.errors import KspyError
from kspy.recording.bookmarks import SUFFIX as BOOKMARKS
from kspy.recording.lock import is_being_written
from kspy.tap.limits import Limits

FOLDER_VARIABLE: Final = "KSPY_DATA_DIR"
_ID: Final = 8
_NAME: Final = re.compile(r".+-\d{8}-\d{6}-[0-9A-Za-z]{8}\.kspy")
_KERNEL: Final = 100
"""Bytes of a kernel's name in a file's: most file systems have room for 255 in all."""
_DAY: Final = 86_400


def default_folder() -> Path:
    """Where recordings go unless the user says; `KSPY_DATA_DIR` names another data folder."""
    from platformdirs import user_data_path

    folder = os.environ.get(FOLDER_VARIABLE)
    return (Path(folder).absolute() if folder else user_data_path("kspy")) / "recordings"


@dataclass(frozen=True)
class Kept:
    """A recording in the folder. `changed` is Unix time in seconds; `size` in bytes."""

    path: Path
    size: int
    changed: float


def make_folder(folder: Path) -> None:
    """Have it there, for its owner alone. Raises `KspyError` if it cannot be made."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KspyError(f"{folder}: cannot be made: {error.strerror}") from error


def new_recording(folder: Path, kernel: str, kernel_id: str = "") -> Path:
    """A path for a new recording, of a name that is free; makes the folder, for its owner alone.

    Raises `KspyError` if the folder cannot be made.
    """
    make_folder(folder)
    name = re.sub(r"[^\w.-]+", "-", kernel) or "kernel"
    name = name.encode()[:_KERNEL].decode(errors="ignore")
    known = re.sub(r"[^0-9A-Za-z]+", "", kernel_id)[:_ID]
    while True:
        last = known if len(known) == _ID else secrets.token_hex(_ID // 2)
        path = folder / f"{name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}-{last}.kspy"
        if not os.path.lexists(path):
            return path
        known = ""


def kept(folder: Path) -> list[Kept]:
    """The recordings in `folder`, the newest first; none where it cannot be read."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # gone meanwhile
                status = entry.stat(follow_symlinks=False)
                if _NAME.fullmatch(entry.name) and stat.S_ISREG(status.st_mode):
                    found.append(Kept(Path(entry.path), status.st_size, status.st_mtime))
    return sorted(found, key=lambda recording: (recording.changed, recording.path), reverse=True)


def tidy(folder: Path, limits: Limits) -> None:
    """Delete the oldest finished recordings, with their bookmarks, until `limits` are kept.

    Never one that is being written. What cannot be deleted stays: a recording is a user's, and
    whoever calls this has a session to care for.
    """
    if not limits:
        return
    total = 0
    for place, recording in enumerate(kept(folder)):
        total += recording.size
        over = (
            (limits.last is not None and place >= limits.last)
            or (limits.bytes is not None and total > limits.bytes and place > 0)
            or (limits.days is not None and recording.changed < time.time() - limits.days * _DAY)
        )
        if over and _is_finished(recording.path):
            with contextlib.suppress(OSError):
                recording.path.unlink()
                recording.path.with_name(recording.path.name + BOOKMARKS).unlink(missing_ok=True)


def _is_finished(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return not is_being_written(file)
    finally:
        os.close(file)
