"""What the status bar says: gathered from the viewing, and from how it changes."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Final

from kspy.analysis.fields import extracted_of, imported_from, mapping, string
from kspy.analysis.sanitize import one_line
from kspy.errors import KspyError
from kspy.recording.event import Event
from kspy.recording.outcome import OUTCOMES
from kspy.tui.detail.rendering import known_language
from kspy.tui.status_bar import Status
from kspy.tui.stream.stream_view import StreamView
from kspy.tui.viewing import Viewing

_WINDOW_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 1.0
_FACT: Final = 60
"""Characters of one fact about the kernel; longer ones are nonsense."""

_ENDS: Final = {"kernel_died": "dead", "kernel_shut_down": "ended"}
_BEGINNINGS: Final = frozenset(("kernel_started", "kernel_restarted"))


class Reporter:
    """Watches a viewing.

    notice    what is wrong with the file, "" for nothing
    language  what the kernel's code is written in, as pygments knows it
    """

    def __init__(self, viewing: Viewing) -> None:
        self._viewing = viewing
        self._counts: deque[tuple[float, int]] = deque()
        self._drawn = 0
        self._undrawn = 0
        self._kernel: tuple[str, ...] = ()
        self._kernel_known = False
        self._looked_at = 0.0
        self._file = _identity(viewing.path)
        self._largest = 0
        self.notice = ""
        self.language = "python"

    def tick(self) -> None:
        """Count, and see whether the file is still the one that was opened."""
        now = time.monotonic()
        self._counts.append((now, len(self._viewing.table)))
        while self._counts[0][0] < now - _WINDOW_SECONDS and len(self._counts) > 1:
            self._counts.popleft()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            self._look_at_file()

    def _look_at_file(self) -> None:
        found = _identity(self._viewing.path)
        size = self._viewing.recording.size
        if found is None:
            self.notice = "the file was removed"
        elif found != self._file:
            self.notice = "replaced: ctrl+r opens the new file"
        elif size < self._largest:
            self.notice = "the file was cut meanwhile"
        self._largest = max(size, self._largest)

    def drawn(self, stream: StreamView) -> None:
        """Lines have come: those that are further up than the screen were never drawn."""
        total = len(self._viewing.lines)
        new = total - self._drawn
        self._undrawn = max(new - stream.rows, 0) if stream.following and self._drawn else 0
        self._drawn = total

    def status(self, *, following: bool) -> Status:
        viewing = self._viewing
        live = viewing.state == "growing" and viewing.complete
        items = viewing.everything
        length = 0
        if len(items):
            start = viewing.table.item_time_ns(int(items[0]))
            length = viewing.table.item_time_ns(int(items[-1])) - start
        return Status(
            name=viewing.path.name,
            kernel=self._kernel_facts(),
            kernel_state=self._kernel_state(),
            messages=len(viewing.table) if viewing.limit is None else viewing.limit,
            state=viewing.state,
            extract_of=extracted_of(viewing.recording.metadata),
            imported=one_line(imported_from(viewing.recording.metadata))[:_FACT],
            length_ns=length,
            file_bytes=viewing.table.file_bytes,
            rate=self._rate() if live else None,
            undrawn=self._undrawn if live else 0,
            reading=None if viewing.complete else self._percent(),
            following=following,
            notice=self.notice,
        )

    def _percent(self) -> int:
        table = self._viewing.table
        return 100 * table.read_bytes // max(table.file_bytes, 1)

    def _rate(self) -> float:
        if not self._counts:
            return 0.0
        (first, count), (last, total) = self._counts[0], self._counts[-1]
        return (total - count) / (last - first) if last > first else 0.0

    def _kernel_state(self) -> str:
        """What the kernel said of itself last, unless its process has ended since."""
        table, limit = self._viewing.table, self._viewing.limit
        place = (len(table) if limit is None else limit) - 1
        ended = ""
        for number in range(table.event_count - 1, -1, -1):
            if table.event_place(number) > place + 1:
                continue
            name = table.event(number).name
            if name in _BEGINNINGS:
                break
            ended = _ENDS.get(name, ended)  # what was told to end is not said to have died
        if ended:
            return ended
        return OUTCOMES[table.kernel_state(place)] if place >= 0 else ""

    def _kernel_facts(self) -> tuple[str, ...]:
        """`python3`, `ipykernel 7.4.0`, `protocol 5.5`, `python 3.14.0`, as far as is known."""
        if not self._kernel_known:
            metadata = self._viewing.recording.metadata
            parts = [string(metadata, "kernel_name")]
            reply = self._find_reply()
            if reply is not None:
                version = f"{string(reply, 'implementation')} "
                version += string(reply, "implementation_version")
                language = mapping(reply, "language_info")
                self.language = known_language(language)
                parts += [
                    version.strip(),
                    f"protocol {string(reply, 'protocol_version')}",
                    f"{string(language, 'name')} {string(language, 'version')}".strip(),
                ]
                self._kernel_known = True
            self._kernel = tuple(one_line(part[:_FACT]) for part in parts if part)
        return self._kernel

    def _find_reply(self) -> dict[str, object] | None:
        """The content of the first `kernel_info_reply`."""
        columns = self._viewing.table.columns
        if "kernel_info_reply" not in columns.names:
            return None
        try:
            place = columns.types.index(columns.names.index("kernel_info_reply"))
            message = self._viewing.table.item(place)
        except (ValueError, KspyError):
            return None
        return None if isinstance(message, Event) else message.content


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file is there now; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
