"""Text of several lines from strangers, fit for a terminal: colours stay, all else is shown.

Only SGR sequences (colours, bold, …) are acted upon. Other escape sequences, control characters
and bidi controls become visible, as in one line (`kspy.analysis.sanitize`). A carriage return
does what terminals do: what comes after it is written over the line; so a progress bar is shown
as it was last.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from rich.text import Text

from kspy.analysis.sanitize import COLOUR, UNSAFE, one_line

LONGEST: Final = 200_000
"""Characters that are laid out; nobody reads more in a panel."""
LINES: Final = 2_000
COLOURS: Final = 4_000
"""Changes of colour that are acted upon; what follows is plain."""
_TAB: Final = 8


def block(text: str, *, colours: bool = True) -> Text:
    """`text` as it would look in a terminal, cut where it is very long, which is said then."""
    shown = text[:LONGEST]
    lines = shown.split("\n")
    left_out = len(text) - len(shown)
    if len(lines) > LINES:
        left_out += sum(map(len, lines[LINES:]))
        lines = lines[:LINES]
    clean = "\n".join(map(_line, lines))
    changes = islice(COLOUR.finditer(clean), COLOURS, None)
    end = next((match.start() for match in changes), len(clean)) if colours else 0
    found = Text.from_ansi(clean[:end], no_wrap=False)
    found.append(COLOUR.sub("", clean[end:]))
    if left_out:
        found.append(f"\n… {left_out:,} characters more; the tree has all", "dim italic")
    return found


def clean(text: str) -> str:
    """`text` without colours or anything that a terminal acts upon, its line breaks kept."""
    lines = COLOUR.sub("", text[:LONGEST]).split("\n")[:LINES]
    return "\n".join(one_line(line.rstrip("\r").expandtabs(_TAB)) for line in lines)


def updates(text: str) -> int:
    """How often something in the lines of `text` was written over."""
    return sum(max(len(_written(line.split("\r"))) - 1, 0) for line in text.split("\n"))


def _written(parts: list[str]) -> list[int]:
    """Which of the parts between a line's carriage returns show anything."""
    return [place for place, part in enumerate(parts) if COLOUR.sub("", part)]


def _line(line: str) -> str:
    return "".join(_pieces(_last_written(line)))


def _last_written(line: str) -> str:
    """What is left of a line after its carriage returns, with the colours set before them."""
    parts = line.rstrip("\r").split("\r")
    if len(parts) == 1:
        return parts[0]
    last = (_written(parts) or [len(parts) - 1])[-1]
    return "".join(COLOUR.findall("".join(parts[:last]))) + parts[last]


def _pieces(line: str) -> Iterator[str]:
    done = 0
    for match in COLOUR.finditer(line):
        yield _visible(line[done : match.start()])
        yield match.group()
        done = match.end()
    yield _visible(line[done:])


def _visible(text: str) -> str:
    text = text.expandtabs(_TAB)
    return one_line(text) if UNSAFE.search(text) else text
