"""Code in colours, as far as that takes no time to speak of.

Many of pygments' lexers take time with the square of the text, if the text is made for it: a
message of 180 kB kept one busy for 11 s. So only a beginning is in colours; the rest is plain.
The limits keep the worst of some forty such texts at 100 to 200 ms.
"""

from __future__ import annotations

from typing import Final

from rich.syntax import Syntax
from rich.text import Text

COLOURED: Final = 2_000
"""Characters in colours, for most languages."""
_MORE: Final = {
    "python": 5_000,
    "python3": 5_000,
    "html": 5_000,
    "xml": 5_000,
    "latex": 20_000,
    "json": 20_000,
}


class Code(Syntax):
    """`code` of which a beginning is in colours."""

    def highlight(self, code: str, line_range: tuple[int | None, int | None] | None = None) -> Text:
        head = beginning(code, coloured(str(self._lexer)))
        text = super().highlight(head, line_range)
        if len(head) < len(code):
            text = text[: len(head)]  # lexers end it with a line break
            text.append(code[len(head) :], f"on {self.background_color}")
        return text


def coloured(language: str) -> int:
    """How many characters of code in a language are shown in colours."""
    return _MORE.get(language.lower(), COLOURED)


def beginning(text: str, most: int) -> str:
    """The lines of `text` that have at most so many characters together; at least a part of one."""
    if len(text) <= most:
        return text
    return text[: text.rfind("\n", 0, most) + 1 or most]
