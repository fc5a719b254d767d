"""Marks along an axis of time: at round times, as many as there is room for."""

from __future__ import annotations

from itertools import count
from typing import Final, NamedTuple

SECOND: Final = 10**9
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
_ROUND: Final = (1, 2, 5)
_MINUTES: Final = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
_ROOM: Final = 14
"""Cells from one mark to the next, at least."""


class Tick(NamedTuple):
    """`since_ns` is since the start of the axis."""

    since_ns: int
    label: str


def ticks(span_ns: int, width: int) -> list[Tick]:
    """Round times from 0 to `span_ns`, for an axis of `width` cells."""
    if span_ns <= 0:
        return [Tick(0, "0 s")]
    step = _step(-(-span_ns * _ROOM // max(width, 1)))
    return [Tick(at, _label(at, step)) for at in range(0, span_ns + 1, step)]


def _step(least: int) -> int:
    """The first round step that is no shorter than `least`."""
    if least <= 5 * SECOND:
        for power in count():
            for factor in _ROUND:
                if factor * 10**power >= least:
                    return int(factor * 10**power)
    for seconds in _MINUTES:
        if seconds * SECOND >= least:
            return seconds * SECOND
    for power in count():
        for factor in _ROUND:
            if factor * 10**power * HOUR >= least:
                return int(factor * 10**power * HOUR)
    raise AssertionError


def _label(at: int, step: int) -> str:
    if step >= HOUR:
        return f"{at // HOUR:,} h"
    if step >= MINUTE:
        return f"{at // MINUTE} min" if at < HOUR else f"{at // HOUR} h {at % HOUR // MINUTE:02}"
    if at >= MINUTE:
        return f"{at // MINUTE} min {_decimal(at % MINUTE, step, SECOND):0>2} s"
    if step >= SECOND // 10 or at >= SECOND:
        return f"{_decimal(at, step, SECOND)} s"
    if step >= 10**6 // 10:
        return f"{_decimal(at, step, 10**6)} ms"
    return f"{_decimal(at, step, 1000)} µs"


def _decimal(at: int, step: int, unit: int) -> str:
    """`at` in a unit, with as many decimals as the step needs."""
    decimals = 0
    while step < unit and decimals < 9:
        step *= 10
        decimals += 1
    return f"{at / unit:.{decimals}f}"
