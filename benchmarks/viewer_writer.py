"""A recording that grows: `python -m benchmarks.viewer_writer FILE FIRST RATE LOG`.

Writes FIRST messages as fast as it can, then RATE a second until its stdin is closed. It then ends
as a killed tap does, without an index. As the tap's recorder does, it closes a chunk after
`CHUNK_MESSAGES` or `CHUNK_NS`. For each chunk, LOG gets the time of the flush, the messages up to
it, and the number of the last cell whose code is in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.messages import Sample, cells
from kspy.recording.writer import Writer
from kspy.tap.recorder import CHUNK_MESSAGES
from kspy.wire.message import ROUTES

_NAP_SECONDS: Final = 0.002
_STEP_NS: Final = 150_000
_READ: Final = "first messages written\n"


class Flush(NamedTuple):
    """time_ns by `time.monotonic_ns`; messages, and cells, that are in the file from then on."""

    time_ns: int
    messages: int
    cell: int


class Log:
    """The flushes of a writer, as it wrote them down."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def wait_for_first(self, seconds: float) -> None:
        """Wait until the first messages are written."""
        until = time.monotonic() + seconds
        while not (self._path.exists() and self._path.read_text().startswith(_READ)):
            if time.monotonic() > until:
                raise RuntimeError("the writer does not write")
            time.sleep(0.05)

    def flushes(self) -> list[Flush]:
        whole = self._path.read_text().rpartition("\n")[0]
        return [Flush(*map(int, line.split())) for line in whole.split("\n")[1:]]


def write(path: Path, messages: int) -> None:
    """A finished recording of so many messages, in chunks as a busy tap writes them."""
    with Writer(path, overwrite=True) as writer:
        feed = _Feed(writer)
        feed.write(messages, time.time_ns() - messages * _STEP_NS)


class _Feed:
    """Writes cells, message by message."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._samples = _samples()
        self.cell = 0

    def write(self, messages: int, time_ns: int = 0) -> None:
        """So many messages, from `time_ns` on, or now; full chunks are flushed."""
        step = _STEP_NS if time_ns else 0
        now = time_ns or time.time_ns()
        writer = self._writer
        for number in range(messages):
            cell, (_, channel, direction, frames) = next(self._samples)
            writer.write_route(now + number * step, ROUTES[channel, direction], frames, 1, 0)
            self.cell = cell
            if writer.seq % CHUNK_MESSAGES == 0:
                writer.flush()


def _samples() -> Iterator[tuple[int, Sample]]:
    """Messages, each with the number of its cell."""
    for number, cell in enumerate(cells(), 1):
        for channel, direction, frames in cell:
            yield number, Sample(0, channel, direction, frames)
