"""What is searched for, marked in a line of segments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.segment import Segment
from rich.style import Style


def highlighted(
    segments: Iterable[Segment], matches: re.Pattern[str], look: Style
) -> Iterator[Segment]:
    """The same text, with `look` over what matches; what lies in two segments is not found."""
    for text, style, _ in segments:
        done = 0
        for match in matches.finditer(text):
            if match.start() == match.end():
                continue
            yield Segment(text[done : match.start()], style)
            yield Segment(match.group(), style + look if style else look)
            done = match.end()
        yield Segment(text[done:], style)
