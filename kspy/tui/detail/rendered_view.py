"""The tab that shows a message as a person wants to see it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.console import Group, RenderableType
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.containers import VerticalScroll
from textual.widgets import Static

from kspy.analysis import units
from kspy.analysis.progress import Progress
from kspy.recording.event import Event
from kspy.tui.desk import Job
from kspy.tui.detail.rendering import Look, render
from kspy.wire.message import DECODE_LIMIT, Message

if TYPE_CHECKING:
    from kspy.tui.app import KspyApp

Work = Generator[Progress, None, list[RenderableType]]

_SOON: Final = 100_000
"""Bytes of a message that is decoded and laid out while the screen waits."""
_ASKED: Final = 16 << 20
"""Bytes from which on it is decoded only when somebody asks for it."""


class RenderedView(VerticalScroll):
    """`language` is the name of the kernel's language, as pygments knows it."""

    DEFAULT_CSS = "RenderedView { padding: 0 1; scrollbar-size-vertical: 1; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", show=False),
        Binding("k", "scroll_up", "Up", show=False),
        Binding("g", "scroll_home", "Start", show=False),
        Binding("G", "scroll_end", "End", show=False),
        Binding("ctrl+d", "page_down", "A screen down", show=False),
        Binding("ctrl+u", "page_up", "A screen up", show=False),
        Binding("enter", "decode", "Decode a large message", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="rendered")
        self.language = "python"
        self._item: Message | Event | None = None
        self._text = Static()
        self._job: Job | None = None
        self._width = 0

    def compose(self) -> Generator[Static, None, None]:
        yield self._text

    def on_mount(self) -> None:
        self.watch(self.app, "theme", self._again, init=False)

    def on_resize(self) -> None:
        if self._width != self.scrollable_content_region.width:
            self._again()

    def _again(self) -> None:
        self.show(self._item)

    def show(self, item: Message | Event | None, *, asked: bool = False) -> None:
        """Show an item; `asked`: however large it is."""
        if self._job:
            self._job.cancel()
            self._job = None
        self._item = item
        self._width = self.scrollable_content_region.width
        size = item.size if isinstance(item, Message) else 0
        if item is None:
            self._put([])
        elif size <= _SOON or size > DECODE_LIMIT:
            self._put(list(render(item, self._look())))
        elif size > _ASKED and not asked:
            self._put([Text(f"{units.size(size)}: enter decodes it.", "dim")])
        else:
            self._put([Text(f"decoding {units.size(size)}…", "dim")])
            self._job = cast("KspyApp", self.app).desk.run(self._render_item(item), self._put)
        self.scroll_home(animate=False)

    def action_decode(self) -> None:
        self.show(self._item, asked=True)

    def _render_item(
        self, item: Message | Event
    ) -> Generator[Progress, None, list[RenderableType]]:
        yield Progress(0, 1)
        return list(render(item, self._look()))

    def _put(self, parts: list[RenderableType]) -> None:
        self._text.update(Group(*parts))

    def _look(self) -> Look:
        theme = self.app.current_theme
        background = Color.parse(theme.background or "black")
        return Look(
            width=max(self.scrollable_content_region.width - 1, 10),
            language=self.language,
            dark=theme.dark,
            colours=not self.app.no_color,
            background=(background.r, background.g, background.b),
        )
