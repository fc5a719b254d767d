"""Pictures of terminals, made fit for a README: no font from elsewhere, no spaces that get lost."""

from __future__ import annotations

import re
from typing import Final

FONTS: Final = "Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
SPACE: Final = "&#160;"
CELL: Final = 20 * 0.61  # rich's font size and aspect
_FONT_FACE: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_INDENTED: Final = re.compile(
    rf'x="([\d.]+)"( y="[\d.]+" )textLength="([\d.]+)"([^>]*>)((?:{SPACE})+)'
)


def cleaned(picture: str) -> str:
    """An SVG that rich drew, without what depends on the network or on who shows it."""
    picture = _FONT_FACE.sub("", picture).replace("Fira Code", FONTS.removesuffix(", monospace"))
    lines = _INDENTED.sub(_without_indent, picture).splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _without_indent(match: re.Match[str]) -> str:
    """Some programs drop spaces at the start of a text; so they become a part of its place."""
    x, between, length, rest, spaces = match.groups()
    width = len(spaces) // len(SPACE) * CELL
    return f'x="{float(x) + width:g}"{between}textLength="{float(length) - width:g}"{rest}'
