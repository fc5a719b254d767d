"""The viewer in a terminal, and an app that does nothing, to compare it with."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from benchmarks.bare_app import SHOWN
from benchmarks.process import installed
from benchmarks.terminal import Screen, Terminal, terminal

SECONDS: Final = 60.0
"""After so long without what was waited for, a benchmark gives up."""
_LIST_ROWS: Final = range(3, 34)
_LIST_COLUMNS: Final = 50
_PAUSE_SECONDS: Final = 0.15
_Shown = Sequence[tuple[str, Sequence[str]]]


class Bare(NamedTuple):
    """What an app that does nothing takes: until it is seen, in memory, from a key to its frame."""

    first_ms: float
    mib: float
    key_ms: float


@cache
def bare() -> Bare:
    with terminal([sys.executable, "-m", "benchmarks.bare_app"], {}) as app:
        first = app.wait(lambda screen: any(SHOWN in line for line in screen.lines()), SECONDS)
        app.settle(0.5, SECONDS)
        waits = []
        for _ in range(20):
            pressed = app.press("j")
            waits.append((next(app.frames(SECONDS)) - pressed) / 1e6)
            app.settle(_PAUSE_SECONDS, SECONDS)
        return Bare((first - app.started) / 1e6, app.peak_mib(), median(waits))


@contextmanager
def viewer(path: Path) -> Iterator[Terminal]:
    """`kspy view` of a file, with settings of its own."""
    with (
        TemporaryDirectory() as settings,
        terminal([installed("kspy"), "view", str(path)], {"KSPY_CONFIG_DIR": settings}) as app,
    ):
        yield app


def has_rows(screen: Screen) -> bool:
    """Are there messages in the list?"""
    return any("execute_request" in line[:_LIST_COLUMNS] for line in screen.lines())


def key_waits(app: Terminal, keys: Iterable[str]) -> list[float]:
    """Milliseconds from each key until the list has changed on the screen.

    The list must stand still but for the keys.
    """
    waits = []
    for key in keys:
        for _ in app.frames(_PAUSE_SECONDS):
            pass
        before = _shown(app.screen)
        pressed = app.press(key)
        waits.append((app.wait(partial(_differs, before), SECONDS) - pressed) / 1e6)
    return waits


def p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def _differs(before: _Shown, screen: Screen) -> bool:
    return _shown(screen) != before


def _shown(screen: Screen) -> _Shown:
    return [
        (screen.line(y, 0, _LIST_COLUMNS), tuple(screen.backs(y)[:_LIST_COLUMNS]))
        for y in _LIST_ROWS
    ]
