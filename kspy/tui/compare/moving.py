"""The keys by which both lists of a comparison are moved through."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

JUMPS: Final[list[BindingType]] = [
    Binding("n", "jump(1)", "next"),
    Binding("N", "jump(-1)", "before"),
]
MOVES: Final[list[BindingType]] = [
    Binding("j,down", "move(1)", "Down", show=False),
    Binding("k,up", "move(-1)", "Up", show=False),
    Binding("ctrl+f,pagedown", "page(1)", "A screen down", show=False),
    Binding("ctrl+b,pageup", "page(-1)", "A screen up", show=False),
    Binding("ctrl+d", "page(0.5)", "Half a screen down", show=False),
    Binding("ctrl+u", "page(-0.5)", "Half a screen up", show=False),
    Binding("g,home", "end(False)", "The first line", show=False),
    Binding("G,end", "end(True)", "The last line", show=False),
]
