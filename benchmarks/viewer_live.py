"""A recording that grows in the viewer: how soon a message is seen, and how soon a key is."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from benchmarks.process import helper
from benchmarks.rig import folder
from benchmarks.table import Row
from benchmarks.terminal import Terminal
from benchmarks.viewer import SECONDS, has_rows, key_waits, p95, viewer
from benchmarks.viewer_million import key_row
from benchmarks.viewer_writer import Log

_BUSY: Final = 10_000
_KEYS: Final = "kkkkkk\x02\x02\x02\x02jjjj\x06\x04\x15[[[[EEkkkTTTjjj\x02\x02"
"""None that goes to the end, and so follows again."""
_CELL: Final = re.compile(r"x_(\d+)")


def measure(*, quick: bool = False, profile: bool = False) -> list[Row]:
    rows = []
    for rate in (100, _BUSY):
        with _growing(rate) as (app, log):
            rows.append(_appearing_row(rate, _appearing(app, log, 2 if quick else 10)))
            if rate == _BUSY:
                app.press("k")  # ends following
                app.wait(lambda screen: "not following" in screen.line(0), SECONDS)
                keys = key_waits(app, _KEYS)
                what = f"a key to the painted screen while {rate:,} messages/s arrive, p95"
                rows.append(key_row(what, keys))
    return rows


@contextmanager
def _growing(rate: int) -> Iterator[tuple[Terminal, Log]]:
    """A viewer of a recording that grows by so many messages a second."""
    with folder() as where:
        path, log = where / "a.kspy", Log(where / "log")
        with helper("benchmarks.viewer_writer", str(path), "1000", str(rate), str(where / "log")):
            log.wait_for_first(SECONDS)
            with viewer(path) as app:
                app.wait(has_rows, SECONDS)
                yield app, log


class _Sight(NamedTuple):
    """For each chunk, ms: from its oldest message until a frame shows its newest; that it took."""

    seen: list[float]
    collected: list[float]


def _appearing(app: Terminal, log: Log, seconds: float) -> _Sight:
    seen: list[tuple[int, int]] = []  # time, cell
    for time_ns in app.frames(seconds):
        cells = [int(found) for line in app.screen.lines() for found in _CELL.findall(line)]
        if cells and (not seen or max(cells) > seen[-1][1]):
            seen.append((time_ns, max(cells)))
    shown = [cell for _, cell in seen]
    sight = _Sight([], [])
    for before, flush in pairwise(log.flushes()):
        place = bisect_left(shown, flush.cell)
        if before.time_ns > seen[0][0] and before.cell < flush.cell and place < len(seen):
            sight.seen.append((seen[place][0] - before.time_ns) / 1e6)
            sight.collected.append((flush.time_ns - before.time_ns) / 1e6)
    return sight


def _appearing_row(rate: int, sight: _Sight) -> Row:
    latest, collected = p95(sight.seen), median(sight.collected)
    return Row(
        f"a message to the painted screen, {rate:,} messages/s, p95",
        f"{latest:.0f} ms",
        f"collecting its chunk, p50 {collected:.0f} ms",
        latest / collected,
        "≤ 250 ms",
        latest <= 250,
    )
