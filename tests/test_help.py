"""Help: from everywhere, and in kspy's own words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from piloting import piloted
from textual.command import CommandPalette
from textual.containers import ScrollableContainer
from textual.screen import Screen
from textual.widgets import Input, OptionList
from viewing import RECORDINGS, viewing

from kspy.tui.help_screen import HelpScreen, keys_here

HELLO = RECORDINGS / "hello.kspy"
TEXTUAL_S = {
    binding.description  # type: ignore[union-attr]
    for widget in (CommandPalette, Input, OptionList, ScrollableContainer, Screen)
    for binding in widget.BINDINGS
}

PLACES = {
    "filter": ("slash", "=type"),
    "find": ("f",),
    "rendered": ("enter",),
    "tree": ("2", "enter"),
    "frames": ("4", "enter"),
    "times": ("5", "enter"),
    "export": ("x",),
    "export file": ("x", "tab", "tab"),
    "bookmarks": ("m", "=here", "enter", "apostrophe"),
    "copy": ("colon", "=9", "enter", "Y"),
    "palette": ("ctrl+p",),
}


@pytest.mark.parametrize("place", PLACES)
@piloted
async def test_f1_helps_everywhere_in_words_of_kspy(place: str, tmp_path: Path) -> None:
    hello = Path(shutil.copy(HELLO, tmp_path))
    async with viewing(hello, *PLACES[place]) as viewer:
        said = {words for _, words in keys_here(viewer.app.screen)}
        assert not said & TEXTUAL_S
        await viewer.enter("f1")
        assert isinstance(viewer.app.screen, HelpScreen)
        await viewer.enter("escape")
        assert not isinstance(viewer.app.screen, HelpScreen)


@piloted
async def test_keys_are_in_the_footer_while_one_types() -> None:
    async with viewing(HELLO, "slash", "=typ") as viewer:
        for words in ("keep", "complete", "back", "F1 help"):
            assert words in viewer.screen[-1]
        assert "open" not in viewer.screen[-1]
        await viewer.enter("escape", "f")
        assert "done" in viewer.screen[-1]
        assert "back" in viewer.screen[-1]
