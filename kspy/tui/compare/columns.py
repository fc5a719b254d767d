"""Two columns on the screen: how wide they are, how text breaks in them, how a line is painted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, get_character_cell_size
from rich.color import Color, blend_rgb
from rich.segment import Segment
from rich.style import Style

from kspy.analysis.alignment import Span
from kspy.analysis.sanitize import MARKS_A_CELL
from kspy.tui.palette import Colours

BETWEEN: Final = " │ "
SIGN_WIDTH: Final = 2
_NARROWEST: Final = 8
_TINT: Final = 0.16

Styled = tuple[str, Style]


def column_width(width: int) -> int:
    """Cells of each of two columns, signs included."""
    return max((width - len(BETWEEN)) // 2, SIGN_WIDTH + 1)


def broken(text: str, width: int, hanging: int = 0) -> list[Span]:
    """Where `text` breaks into lines of `width` cells; those after the first have less."""
    rest = max(width - hanging, 1)
    if text.isascii():
        spans = [(0, min(width, len(text)))]
        spans += ((n, min(n + rest, len(text))) for n in range(width, len(text), rest))
        return spans
    spans, start, room, marks = [], 0, width, 0
    for place, character in enumerate(text):
        cells = get_character_cell_size(character)
        marks = 0 if cells else marks + 1
        if cells > room or marks > MARKS_A_CELL:
            spans.append((start, place))
            start, room, marks = place, rest, 0
        room -= cells
    return [*spans, (start, len(text))]


def marked(text: str, spans: Sequence[Span], look: Style, mark: Style) -> list[Styled]:
    """`text` in pieces: those within `spans` with `mark` too."""
    pieces: list[Styled] = []
    at = 0
    for start, stop in spans:
        pieces += [(text[at:start], look), (text[start:stop], look + mark)]
        at = stop
    pieces.append((text[at:], look))
    return [piece for piece in pieces if piece[0]]


def side(pieces: Sequence[Styled], width: int, back: Style) -> list[Segment]:
    """One column: `pieces`, which must fit, and blanks up to `width`."""
    used = sum(cell_len(text) for text, _ in pieces)
    segments = [Segment(text, back + look) for text, look in pieces]
    if used < width:
        segments.append(Segment(" " * (width - used), back))
    return segments


def fitting(pieces: Sequence[Styled], width: int) -> list[Styled]:
    """The pieces of one cell a character, cut where a very narrow terminal ends."""
    kept: list[Styled] = []
    for text, look in pieces:
        if width <= 0:
            break
        kept.append((text if len(text) <= width else text[:width], look))
        width -= len(text)
    return kept


@dataclass(frozen=True, slots=True)
class Looks:
    """The colours of a comparison. Red is for errors alone, so a difference has none of it."""

    colours: Colours
    alone: Style
    word: Style

    @classmethod
    def of(cls, colours: Colours) -> Looks:
        return cls(colours, _tinted(colours), colours.match)

    def between(self, back: Style) -> Segment:
        return Segment(BETWEEN, back + self.colours.dim)


def _tinted(colours: Colours) -> Style:
    """A background for what only one side has: a little of the accent."""
    back, accent = colours.background.bgcolor, colours.accent.color
    if back is None or accent is None or back.triplet is None or accent.triplet is None:
        return Style()
    return Style(bgcolor=Color.from_triplet(blend_rgb(back.triplet, accent.triplet, _TINT)))
