"""Long text as lines of so many cells, for texts of megabytes: only where each begins.

Theory of operation: the width of each character on the screen is looked up in a table, and summed
up along the text; a line break is due wherever that sum passes a multiple of the width. So
nothing is done for each line, and a text without line breaks costs the same as any other.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len

from kspy.analysis.sanitize import COLOUR, MARKS_A_CELL, one_line

_BLOCK: Final = 1 << 20
"""Characters that are looked at together: what is needed on the way has 20 times that in bytes."""

_UNKNOWN: Final = 255
_NEWLINE: Final = ord("\n")
_RETURN: Final = ord("\r")

_widths = np.full(0x110000, _UNKNOWN, np.uint8)
_widths[0x20:0x7F] = 1
_widths[_NEWLINE] = 0


def wrap(text: str, room: int, start: int = 0, stop: int | None = None) -> NDArray[np.int64]:
    """Where the lines of `text[start:stop]` begin, and at last its end.

    A line has at most `room` cells when it is shown by `one_line`; line breaks are at its end, and
    take no room. Lines are broken at blocks, too, so that they may be short; never within a colour
    sequence, except where there is nothing but such sequences.
    """
    stop = len(text) if stop is None else stop
    found = [
        _block(text[place : min(place + _BLOCK, stop)], max(room, 1)) + place
        for place in range(start, stop, _BLOCK)
    ]
    return np.concatenate([*found, np.array([stop], np.int64)])


def line_text(text: str, start: int, stop: int) -> str:
    """The line from `start` to `stop`, as `wrap` has found them, without its line break."""
    return text[start:stop].removesuffix("\n").removesuffix("\r")


def _block(text: str, room: int) -> NDArray[np.int64]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    widths = _widths_of(codes, text)
    room = max(room - max(int(widths.max()), 1) + 1, 1)
    newline = codes == _NEWLINE
    first = np.zeros(len(codes), bool)  # is it the first character of a line?
    first[0] = True
    first[1:] = newline[:-1]
    ends = np.cumsum(widths, dtype=np.int32)
    before = np.where(first, ends - widths, 0)
    ends -= np.maximum.accumulate(before)
    lines = np.maximum(ends - 1, 0) // room  # characters without a width stay with the one before
    first[1:] |= lines[1:] > lines[:-1]
    return _shortened(np.flatnonzero(first), len(codes), room * MARKS_A_CELL)


def _widths_of(codes: NDArray[np.uint32], text: str) -> NDArray[np.uint8]:
    widths = _widths[codes]
    if (widths == _UNKNOWN).any():
        for code in np.unique(codes[widths == _UNKNOWN]).tolist():
            _widths[code] = cell_len(one_line(chr(code)))
        widths = _widths[codes]
    widths[:-1][(codes[:-1] == _RETURN) & (codes[1:] == _NEWLINE)] = 0
    if "\x1b[" in text:
        for match in COLOUR.finditer(text):
            widths[match.start() : match.end()] = 0
    return widths


def _shortened(starts: NDArray[np.int64], stop: int, longest: int) -> NDArray[np.int64]:
    """Break the lines that have too many characters for their cells: piles of combining marks."""
    lengths = np.diff(starts, append=stop)
    if int(lengths.max()) <= longest:
        return starts
    more = [
        np.arange(start, start + length, longest)
        for start, length in zip(
            starts[lengths > longest].tolist(), lengths[lengths > longest].tolist(), strict=True
        )
    ]
    return np.unique(np.concatenate([starts, *more]))
