"""What is typed or pasted into an entry, made fit for the terminal, one sign for each character.

The entry's cursor counts characters, so none may come or go; `kspy.analysis.sanitize.one_line`
shows some as several.
"""

from __future__ import annotations

import re

from rich.highlighter import Highlighter
from rich.text import Text

from kspy.analysis.sanitize import UNSAFE


class VisibleText(Highlighter):
    """For any `Input` whose text may come from a file or from a paste."""

    def highlight(self, text: Text) -> None:
        text.plain = UNSAFE.sub(_visible, text.plain)


def _visible(match: re.Match[str]) -> str:
    return "".join(
        chr(0x2400 + ord(character)) if ord(character) < 0x20 else "\ufffd"
        for character in match.group()
    )
