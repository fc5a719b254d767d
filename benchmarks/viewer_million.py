"""A million messages in the viewer: opening them, keys, filters."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.rig import folder
from benchmarks.table import Row
from benchmarks.terminal import Screen, Terminal
from benchmarks.viewer import SECONDS, bare, has_rows, key_waits, p95, viewer
from benchmarks.viewer_writer import write
from kspy.recording.reader import Recording

_KEYS: Final = (
    "jjjjjj\x06\x06\x06\x06\x02\x02\x04\x04]]]]eeeE[[GkkkkkkEE\x02\x02gjTTTtjjjj\x06\x06t"
)
"""Lines, screens and half screens, the same type, errors, both ends, forms of time, threads."""
_FILTERS: Final = {
    "type:error": 0.5,
    "channel:shell": 0.5,
    "latency>1ms": 0.5,
    'text:"loss is nan"': 5.0,
    "/x_9+,/": None,
}
"""Each with the seconds it may take."""
_COUNT: Final = re.compile(r"([\d,]+) of ([\d,]+)")


def measure(*, quick: bool = False, profile: bool = False) -> list[Row]:
    messages = 20_000 if quick else 1_000_000
    with folder() as where:
        path = where / "a.kspy"
        write(path, messages)
        rows = [*_opening(path, messages), _keys(path, messages), *_filters(path, messages)]
        return [*rows, *_without_index(path, messages)]


def _opening(path: Path, messages: int) -> list[Row]:
    with viewer(path) as app:
        first_ms = (app.wait(has_rows, SECONDS) - app.started) / 1e6
        app.settle(1, SECONDS)
        mib = app.peak_mib()
    return [
        _opening_row(f"opening {messages:,} messages, to the first rows", first_ms),
        Row(
            "memory of the viewer that shows them, peak",
            f"{mib:.0f} MiB",
            f"an empty Textual app {bare().mib:.0f} MiB",
            mib / bare().mib,
            "≤ 200 MiB",
            mib <= 200,
        ),
    ]


def _opening_row(what: str, first_ms: float) -> Row:
    beside = f"an empty Textual app {bare().first_ms / 1000:.2f} s"
    seconds = first_ms / 1000
    ratio = first_ms / bare().first_ms
    return Row(what, f"{seconds:.2f} s", beside, ratio, "≤ 1.5 s", seconds <= 1.5)


def _keys(path: Path, messages: int) -> Row:
    with _opened(path) as app:
        waits = key_waits(app, _KEYS)
    return key_row(f"a key to the painted screen, {messages:,} messages, p95", waits)


def key_row(what: str, waits: list[float]) -> Row:
    slowest = p95(waits)
    beside = f"a key of an empty Textual app, p50 {bare().key_ms:.1f} ms"
    ratio = slowest / bare().key_ms
    return Row(what, f"{slowest:.0f} ms", beside, ratio, "≤ 50 ms", slowest <= 50)


def _filters(path: Path, messages: int) -> Iterator[Row]:
    read = _reading(path)
    with _opened(path) as app:
        for text, limit in _FILTERS.items():
            seconds = _filter(app, text, messages)
            yield Row(
                f"filter `{text}` over them, to the painted count",
                f"{seconds:.2f} s",
                f"decompressing the file {read:.2f} s",
                seconds / read,
                f"≤ {limit} s" if limit else "",
                seconds <= limit if limit else None,
            )


def _filter(app: Terminal, text: str, messages: int) -> float:
    """Seconds from pasting a filter until the number of matches is shown."""

    def counted(screen: Screen) -> bool:
        found = _COUNT.search(screen.line(1))
        return found is not None and found[1] != found[2] == f"{messages:,}"

    app.press("/")
    app.settle(0.5, SECONDS)
    begun = app.press(f"\x1b[200~{text}\x1b[201~")
    seconds = (app.wait(counted, SECONDS) - begun) / 1e9
    app.settle(0.5, SECONDS)
    app.press("\r")
    app.settle(0.5, SECONDS)
    app.press("\x1b")  # takes the filter away
    app.settle(0.5, SECONDS)
    return seconds


def _reading(path: Path) -> float:
    """Seconds that it takes to decompress all chunks, and do nothing with them."""
    begun = time.perf_counter()
    with Recording(path) as recording:
        recording.grow()
        for number in range(len(recording.known.offsets)):
            recording.chunk(number)
    return time.perf_counter() - begun


def _without_index(path: Path, messages: int) -> Iterator[Row]:
    """As a killed tap leaves it."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 999 // 1000)
    with viewer(path) as app:
        first_ms = (app.wait(has_rows, SECONDS) - app.started) / 1e6
        read = app.wait(lambda screen: "reading" not in screen.line(0), SECONDS)
        read_ms = (read - app.started) / 1e6
    yield _opening_row(
        f"opening {messages:,} messages without an index, to the first rows", first_ms
    )
    beside = f"an empty Textual app {bare().first_ms / 1000:.2f} s"
    yield Row("… until all are read", f"{read_ms / 1000:.1f} s", beside, read_ms / bare().first_ms)


@contextmanager
def _opened(path: Path) -> Iterator[Terminal]:
    with viewer(path) as app:
        app.wait(has_rows, SECONDS)
        app.settle(1, SECONDS)
        yield app
