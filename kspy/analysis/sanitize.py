r"""Make text from strangers fit for one line of a terminal.

A message may hold anything: line breaks that tear a table apart, escape sequences that recolour
or retitle the terminal, bidi controls that show code in another order than it runs, surrogates
that no encoding takes. Here all of it becomes visible: as a symbol where there is a usual one,
as `\u....` where there is none. Only colours are dropped, because tracebacks are full of them.
"""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len, get_character_cell_size

COLOUR: Final = re.compile(r"\x1b\[[0-9;:]*m")

UNSAFE: Final = re.compile(
    r"\r\n"
    r"|[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    r"\u00ad\u034f\u061c\u180e"  # shows as nothing, or changes the direction
    r"\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"  # but not ZWNJ and ZWJ: scripts and emoji
    r"\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff"
    r"\U000e0000-\U000e007f]"  # tags: text that no terminal shows
)

_GRAPHEME_JOINER: Final = "\u034f"
"""The only one of them that Python takes for printable."""

SYMBOLS: Final = {"\n": "⏎", "\r\n": "⏎", "\t": "⇥", "\x7f": "␡"}

ELLIPSIS: Final = "…"

MARKS_A_CELL: Final = 8
"""How many characters a cell may cost: letters with a pile of combining marks have no width."""


def one_line(text: str) -> str:
    """`text` as one line without anything that a terminal or an encoder acts upon."""
    if text.isprintable() and _GRAPHEME_JOINER not in text:
        return text
    return UNSAFE.sub(_visible, COLOUR.sub("", text))


def _visible(match: re.Match[str]) -> str:
    found = match.group()
    if found in SYMBOLS:
        return SYMBOLS[found]
    code = ord(found)
    if code < 0x20:
        return chr(0x2400 + code)  # the block "Control Pictures" is in the order of ASCII
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cut(text: str, width: int) -> str:
    """The start of `text` that fits into `width` terminal cells, with an ellipsis where cut.

    Wide characters count as two cells, combining ones as none. `text` must be sanitised.
    """
    if len(text) <= width * MARKS_A_CELL and cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    room = width - 1
    kept = 0
    for character in text[: width * MARKS_A_CELL]:
        room -= get_character_cell_size(character)
        if room < 0:
            break
        kept += 1
    return text[:kept] + ELLIPSIS


def pad(text: str, width: int) -> str:
    """`text` in exactly `width` cells: cut, or filled with spaces on the right."""
    fitting = cut(text, width)
    return fitting + " " * (width - cell_len(fitting))
