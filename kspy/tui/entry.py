"""A line to write in: what it shows is fit for the terminal."""

from __future__ import annotations

import re
from typing import Any

from rich.highlighter import Highlighter
from rich.text import Text
from textual.widgets import Input

from kspy.analysis.sanitize import UNSAFE


class VisibleText(Highlighter):
    """Shows what no terminal may get, a sign for each character: the cursor counts them."""

    def highlight(self, text: Text) -> None:
        text.plain = UNSAFE.sub(_visible, text.plain)


class Entry(Input):
    """An `Input` whose text may come from a file or a paste."""

    def __init__(self, *, highlighter: Highlighter | None = None, **options: Any) -> None:
        """`options` are those of `Input`."""
        super().__init__(highlighter=highlighter or VisibleText(), compact=True, **options)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        # Textual finds no character for this one, and would offer it in the footer.
        return key == "slash" or super().check_consume_key(key, character)


def _visible(match: re.Match[str]) -> str:
    return "".join(
        chr(0x2400 + ord(character)) if ord(character) < 0x20 else "\ufffd"
        for character in match.group()
    )
