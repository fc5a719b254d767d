"""The recordings in a folder: enough of each to tell which is the one looked for.

Of a recording with an index only that is read at first; one without (growing, or cut short) is
read through. When all are listed, those that seem whole are read through too, as damage is found
by that alone. A file that is no recording is listed too, with the reason: it is what somebody
wonders about.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from kspy.analysis.density import is_failure
from kspy.analysis.fields import mapping, string
from kspy.analysis.progress import Progress
from kspy.analysis.sanitize import one_line
from kspy.errors import KspyError
from kspy.recording.outcome import ERROR
from kspy.recording.reader import Recording, State

SUFFIX: Final = ".kspy"
MOST: Final = 5000
"""Files listed of a folder; with more, the newest."""
_STEP_SECONDS: Final = 0.01
_LONGEST: Final = 100

Shown = State | Literal["unread", "refused"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the folder; what is not known (yet) is None or "".

    name       relative to the folder
    when_ns    when its recording began
    length_ns  from the first message or event to the last
    errors     messages and events that say that something failed
    reason     why it is "refused"
    """

    path: Path
    name: str
    size: int
    changed_ns: int
    state: Shown = "unread"
    kernel: str = ""
    when_ns: int | None = None
    length_ns: int | None = None
    messages: int | None = None
    errors: int | None = None
    reason: str = ""


Read = Callable[[Listed, Progress], Generator[Progress, None, Listed]]


class Listing:
    """The files of a folder, and of the folders in it; filled by `read`.

    `files` may be looked at while another thread reads: its items are replaced, never changed.
    """

    def __init__(self, folder: str | os.PathLike[str], before: Listing | None = None) -> None:
        """Find the files; what a listing made `before` knows of unchanged ones is taken over.

        Raises `KspyError` if the folder cannot be read.
        """
        self.folder = Path(folder)
        try:
            with os.scandir(self.folder):
                pass
        except OSError as error:
            raise KspyError(f"{self.folder}: cannot be read: {error.strerror}") from error
        found = list(filter(None, map(self._look, _candidates(self.folder))))
        found.sort(key=lambda file: (-file.changed_ns, file.name))
        self.left_out = max(0, len(found) - MOST)
        known = {file.path: file for file in before.files} if before else {}
        self._checked: set[Listed] = set(before._checked) if before else set()
        self.files: list[Listed] = [_take_over(file, known.get(file.path)) for file in found[:MOST]]

    def _look(self, path: Path) -> Listed | None:
        try:
            about = path.stat()
        except OSError:
            return None  # it is gone, or a link to nothing
        if not stat.S_ISREG(about.st_mode):
            return None
        name = one_line(str(path.relative_to(self.folder)))
        return Listed(path, name, about.st_size, about.st_mtime_ns)

    def read(self) -> Generator[Progress, None, None]:
        """Read one file after the other, then look for damage; progress counts files."""
        total = len(self.files)
        for number, file in enumerate(self.files):
            if file.state == "unread":
                yield Progress(number, total)
                yield from self._try(number, _read, Progress(number, total))
        for number in self.unchecked:
            yield Progress(number, total)
            yield from self._try(number, _check, Progress(number, total))
            self._checked.add(self.files[number])
        yield Progress(total, total)

    @property
    def unchecked(self) -> list[int]:
        """The places of the files that seem whole, and were not read through yet."""
        return [
            number
            for number, file in enumerate(self.files)
            if file.state == "whole" and file not in self._checked
        ]

    def _try(self, number: int, read: Read, progress: Progress) -> Generator[Progress, None, None]:
        file = self.files[number]
        try:
            self.files[number] = yield from read(file, progress)
        except (KspyError, OSError) as error:
            reason = str(error).removeprefix(f"{file.path}: ")
            self.files[number] = replace(file, state="refused", reason=one_line(reason))


def _take_over(file: Listed, before: Listed | None) -> Listed:
    """What was found out before, where it cannot have changed since."""
    if before is None or before.state in ("growing", "unread"):
        return file
    same = (before.size, before.changed_ns) == (file.size, file.changed_ns)
    return before if same else file


def _candidates(folder: Path) -> Iterator[Path]:
    """Recordings by their names: here, and one level below, where taps of a project may be kept."""
    for entry in _entries(folder):
        if entry.name.endswith(SUFFIX) and not entry.name.startswith("."):
            yield Path(entry.path)
        elif _is_folder(entry):
            for inner in _entries(Path(entry.path)):
                if inner.name.endswith(SUFFIX) and not inner.name.startswith("."):
                    yield Path(inner.path)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
    except OSError:
        return False


def _read(file: Listed, progress: Progress) -> Generator[Progress, None, Listed]:
    with Recording(file.path) as recording:
        while not recording.grow(_STEP_SECONDS):
            yield progress
        known = recording.known
        stories = (known.times, [event.time_ns for event in known.events])
        starts, ends = ([times[end] for times in stories if times] for end in (0, -1))
        metadata = recording.metadata
        kernel = string(metadata, "kernel_name")
        language = string(mapping(metadata, "kernel"), "language")
        return replace(
            file,
            size=recording.size,
            state=recording.state,
            kernel=one_line((kernel or language)[:_LONGEST]),
            when_ns=min(starts, default=None),
            length_ns=max(ends, default=0) - min(starts, default=0),
            messages=len(known),
            errors=known.outcomes.count(ERROR) + sum(map(is_failure, known.events)),
        )


def _check(file: Listed, progress: Progress) -> Generator[Progress, None, Listed]:
    """Read through what seems whole: is it?"""
    with Recording(file.path) as recording:
        for _ in recording.check():
            yield progress
        return replace(file, state=recording.state)
