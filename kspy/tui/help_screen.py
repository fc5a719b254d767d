"""The help page: every key, every field of the filter language, every mark. Made from what
declares them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Static

from kspy.analysis.filter import help_lines
from kspy.tui.keys import GROUPS, shown_key
from kspy.tui.palette import Colours
from kspy.tui.stream.row import LEGEND
from kspy.wire.frames import CHANNELS

_KEYS_WIDTH: Final = 26
_NARROW: Final = 60
"""Cells of a terminal in which what a key does stands beneath it."""
_TEXTUAL_S: Final = frozenset(
    ("ctrl+c", "super+c", "ctrl+pageup", "ctrl+pagedown", "super+backspace")
)
"""Keys that all screens or entries have, and nobody asks for."""
_WORDS: Final = {
    "scroll_up": "A line up.",
    "scroll_down": "A line down.",
    "scroll_home": "To the beginning.",
    "scroll_end": "To the end.",
    "page_up": "A screen up.",
    "page_down": "A screen down.",
    "cursor_up": "The line before.",
    "cursor_down": "The next line.",
    "first": "The first line.",
    "last": "The last line.",
    "home": "To the beginning of what is written.",
    "end": "To the end of what is written.",
    "cursor_left_word": "A word to the left.",
    "cursor_right_word": "A word to the right.",
    "delete_left_word": "Delete the word before.",
    "delete_left_all": "Delete all before.",
    "delete_right_all": "Delete all behind.",
    "paste": "Paste what was copied here.",
    "submit": "Done.",
    "command_list('first')": "The first line.",
    "command_list('last')": "The last line.",
    "command_list('page_up')": "A screen up.",
    "command_list('page_down')": "A screen down.",
    "command_list('cursor_up')": "The line before.",
}
"""What the actions are called that Textual's own widgets bring along."""
_UNSAID: Final = frozenset(
    f"{action}{selecting}"
    for action in (
        "scroll_left", "scroll_right", "cursor_left", "cursor_right", "cursor_left_word",
        "cursor_right_word", "home", "end", "delete_left", "delete_right", "delete_right_word",
        "select_all", "cut", "copy",
    )
    for selecting in ("", "(True)")
) - _WORDS.keys()  # fmt: skip
"""Theirs that do what everybody expects, or nothing here."""


class HelpScreen(ModalScreen[None]):
    """`here` are the keys of where help was asked for, `marks` the signs there; `main`: was that
    the main screen?"""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > VerticalScroll {
        width: 92; max-width: 100%; height: 100%; max-height: 100%;
        background: $panel; padding: 1 2; scrollbar-size-vertical: 1;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Back"),
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
    ]

    def __init__(
        self, here: Sequence[tuple[str, str]], *, main: bool, marks: Mapping[str, str]
    ) -> None:
        super().__init__()
        self._marks = marks
        self._here = here
        self._main = main

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(id="help")

    def on_resize(self) -> None:
        self.query_one("#help", Static).update(Group(*self._parts()))

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def _parts(self) -> Iterator[RenderableType]:
        colours, narrow = Colours.of(self.app), self.app.size.width < _NARROW
        yield Text("Keys (escape: back)", "bold")
        if self._here:
            yield Text("\nHere", colours.accent)
            yield _rows(self._here, narrow)
        if self._marks:
            yield Text("\nSigns", colours.accent)
            yield _rows(self._marks.items(), narrow)
        if not self._main:
            return
        for name, keys in GROUPS.items():
            yield Text(f"\n{name}", colours.accent)
            yield _rows(((key.shown, key.help) for key in keys), narrow)
        yield Text("\nFilter", colours.accent)
        yield _rows(help_lines(), narrow)
        yield Text("\nMarks", colours.accent)
        yield _rows(LEGEND.items(), narrow)
        yield Text("\nChannels", colours.accent)
        for channel in CHANNELS:
            yield Text(f"  {channel}", colours.channel(channel))


def keys_here(screen: Screen[Any]) -> list[tuple[str, str]]:
    """The keys of what has the focus, up to the screen, which are not everywhere the same."""
    found: dict[str, str] = {}
    node: DOMNode | None = screen.focused
    main = {name for keys in GROUPS.values() for key in keys for name in key.keys.split(",")}
    while node is not None and node is not screen.app:
        for name, words in _said(node):
            if name not in _TEXTUAL_S and (node is not screen or name not in main):
                found.setdefault(words, "")
                found[words] += f"  {shown_key(name)}"
        node = node.parent
    return [(keys.strip(), words) for words, keys in found.items()]


def _said(node: DOMNode) -> Iterator[tuple[str, str]]:
    """Keys and what they do, kspy's own first; those that only Textual has words for are not."""
    known = list(node._bindings.key_to_bindings.items())
    known.sort(key=lambda item: item[1][0].action in _WORDS)
    for name, bindings in known:
        for binding in bindings:
            words = binding.tooltip
            if not words and binding.action not in _UNSAID:
                scrolls = isinstance(node, Input) and binding.action.startswith(("scroll", "page"))
                words = "" if scrolls else _WORDS.get(binding.action, binding.description)
            if words:
                yield name, words


def _rows(rows: Iterable[tuple[str, str]], narrow: bool) -> Table:
    table = Table.grid(padding=(0, 1))
    if narrow:
        for left, right in rows:
            table.add_row(Text(f" {left}", "bold"))
            table.add_row(Padding(Text(right), (0, 0, 0, 3)))
        return table
    table.add_column(width=_KEYS_WIDTH)
    table.add_column(ratio=1)
    for left, right in rows:
        table.add_row(Text(f"  {left}", "bold"), Text(right))
    return table
