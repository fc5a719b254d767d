"""A recording that grows: `python -m benchmarks.viewer_writer FILE FIRST RATE LOG`.

Writes FIRST messages as fast as it can, then RATE a second until its stdin is closed. It then ends
as a killed tap does, without an index. As the tap's recorder does, it closes a chunk after
`CHUNK_MESSAGES` or `CHUNK_NS`. For each of those chunks, LOG gets the time of the flush, the
messages up to it, and the number of the last cell whose code is in it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from benchmarks.messages import Sample, cells
from benchmarks.process import end_with_stdin
from kspy.recording.writer import Writer
from kspy.tap.chunks import CHUNK_MESSAGES, CHUNK_NS
from kspy.wire.message import ROUTES

_NAP_SECONDS: Final = 0.002
_STEP_NS: Final = 150_000
_READY: Final = "first messages written\n"


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
        while not (self._path.exists() and self._path.read_text().startswith(_READY)):
            if time.monotonic() > until:
                raise RuntimeError("the writer does not write")
            time.sleep(0.05)

    def flushes(self) -> list[Flush]:
        whole = self._path.read_text().rpartition("\n")[0]
        return [Flush(*map(int, line.split())) for line in whole.split("\n")[1:]]


def write(path: Path, messages: int) -> None:
    """A finished recording of so many messages, in chunks as a busy tap writes them."""
    with Writer(path, overwrite=True) as writer:
        _Feed(writer).fill(messages)


def main() -> None:
    path, first, rate, log = sys.argv[1:]
    end_with_stdin()
    writer = Writer(Path(path), overwrite=True)
    feed = _Feed(writer)
    feed.fill(int(first))
    with Path(log).open("w", buffering=1) as lines:
        lines.write(_READY)
        _keep_up(feed, writer, int(rate), lines)


class _Feed:
    """Writes cells, message by message."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._samples = _samples()
        self.cell = 0

    def fill(self, messages: int) -> None:
        """So many messages that have just been, in chunks."""
        time_ns = time.time_ns() - messages * _STEP_NS
        for done in range(0, messages, CHUNK_MESSAGES):
            self.write(min(CHUNK_MESSAGES, messages - done), time_ns + done * _STEP_NS, _STEP_NS)
            self._writer.flush()

    def write(self, messages: int, time_ns: int, step_ns: int = 0) -> None:
        write = self._writer.write_route
        for number in range(messages):
            cell, (_, channel, direction, frames) = next(self._samples)
            write(time_ns + number * step_ns, ROUTES[channel, direction], frames, 1, 0)
            self.cell = cell


def _keep_up(feed: _Feed, writer: Writer, rate: int, log: IO[str]) -> None:
    begun = chunk_begun = time.monotonic_ns()
    written = flushed = 0
    while True:
        now = time.monotonic_ns()
        due = (now - begun) * rate // 10**9
        feed.write(due - written, time.time_ns())
        written = due
        full = written - flushed >= CHUNK_MESSAGES
        if full or (written > flushed and now - chunk_begun >= CHUNK_NS):
            writer.flush()
            log.write(f"{time.monotonic_ns()} {writer.seq} {feed.cell}\n")
            flushed, chunk_begun = written, now
        time.sleep(_NAP_SECONDS)


def _samples() -> Iterator[tuple[int, Sample]]:
    """Messages, each with the number of its cell."""
    for number, cell in enumerate(cells(), 1):
        for channel, direction, frames in cell:
            yield number, Sample(0, channel, direction, frames)


if __name__ == "__main__":
    main()
