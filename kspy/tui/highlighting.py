"""Marking in a painted line what is searched for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.segment import Segment
from rich.style import Style

from kspy.analysis.filter import Pattern


def highlighted(segments: Sequence[Segment], matches: Pattern, look: Style) -> Iterator[Segment]:
    """The same text; what `matches` finds within a segment has `look` too."""
    for text, style, _ in segments:
        done = 0
        for start, stop in matches.spans(text):
            if start == stop:
                continue
            yield Segment(text[done:start], style)
            yield Segment(text[start:stop], style + look if style else look)
            done = stop
        yield Segment(text[done:], style)
