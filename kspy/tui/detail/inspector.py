"""The inspector: tabs over the selected message or event. Only the tab that is seen is filled."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from rich.text import Text
from textual import events
from textual.containers import Container
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from kspy.analysis import units
from kspy.analysis.conventions import ARROWS
from kspy.analysis.event_summary import summarize_event
from kspy.analysis.filter import Pattern
from kspy.analysis.progress import Progress
from kspy.analysis.sanitize import COLOUR, cut, one_line
from kspy.analysis.summary import summarize
from kspy.analysis.waterfall import Waterfall
from kspy.export.copies import as_path, as_value
from kspy.recording.event import Event
from kspy.tui.detail.copy_menu import LARGE as COPY_LIMIT
from kspy.tui.detail.copy_menu import CopyMenu
from kspy.tui.detail.hex_view import HexView, buffer_sections, frame_sections
from kspy.tui.detail.rendered_view import RenderedView
from kspy.tui.detail.timing_view import TimingView
from kspy.tui.detail.tree.tree_view import JsonTree
from kspy.tui.palette import Colours
from kspy.wire.message import DECODE_LIMIT, Message

if TYPE_CHECKING:
    from kspy.tui.app import KspyApp

Shown = Message | Event | None
Roots = Mapping[str, Any]

TABS: Final = ("View", "Tree", "Buffers", "Frames", "Times")
_IDS: Final = ("rendered", "tree", "buffers", "frames", "timing")
_PAUSE_SECONDS: Final = 0.03
"""While the cursor runs through the list, nothing is laid out for the lines it passes."""
_LARGE: Final = 2 << 20


class Inspector(Container):
    """`show` tells it what is selected; `language` is what the kernel's code is written in."""

    DEFAULT_CSS = """
    Inspector > .line { height: 1; padding: 0 1; }
    Inspector > ContentSwitcher { height: 1fr; }
    Inspector > ContentSwitcher > * { width: 1fr; height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__(id="inspector")
        self.language = "python"
        self._item: Shown = None
        self._place: int | None = None
        self._thread: Callable[[], Waterfall | None] = lambda: None
        self._request: Callable[[], Message | None] = lambda: None
        self._tab = 0
        self._filled: set[int] = set()
        self._timer: Timer | None = None

    def compose(self) -> Iterator[Widget]:
        yield Static("", id="what", classes="line", markup=False)
        yield Static("", id="tabs", classes="line", markup=False)
        with ContentSwitcher(initial=_IDS[0]):
            yield RenderedView()
            yield JsonTree(id="tree")
            yield HexView("This message has no buffers.", id="buffers")
            yield HexView("An event has no frames.", id="frames")
            yield TimingView()

    def on_mount(self) -> None:
        self.watch(self.app, "theme", self._draw_lines, init=False)
        self._draw_lines()

    def show(
        self,
        item: Shown,
        place: int | None = None,
        thread: Callable[[], Waterfall | None] = lambda: None,
        request: Callable[[], Message | None] = lambda: None,
    ) -> None:
        """Show a message in `place`, an event, or nothing.

        `thread` gives the waterfall of its thread, `request` its thread's request; they are
        called when they are needed.
        """
        self._item, self._place, self._thread, self._request = item, place, thread, request
        self._filled.clear()
        if self._timer is None:
            self._timer = self.set_timer(_PAUSE_SECONDS, self._fill)

    @property
    def matches(self) -> Pattern | None:
        """What is marked in the tree."""
        return self.query_one(JsonTree).matches

    @matches.setter
    def matches(self, matches: Pattern | None) -> None:
        self.query_one(JsonTree).matches = matches

    # Tabs

    def select_tab(self, number: int) -> None:
        """From 1; see `TABS`."""
        if not 1 <= number <= len(TABS):
            return
        focused = self.has_focus_within
        self._tab = number - 1
        self.query_one(ContentSwitcher).current = _IDS[self._tab]
        self._fill()
        if focused:
            self.focus_first()

    def focus_first(self) -> None:
        """Give the focus to the tab that is seen."""
        self.query_one(f"#{_IDS[self._tab]}").focus()

    def _fill(self) -> None:
        """Fill the tab that is seen, unless it is."""
        self._timer = None
        if not self.is_mounted or self._tab in self._filled:
            return
        self._filled.add(self._tab)
        self._draw_lines()
        item = self._item
        message = item if isinstance(item, Message) else None
        match _IDS[self._tab]:
            case "rendered":
                view = self.query_one(RenderedView)
                view.language = self.language
                view.show(item)
            case "tree":
                self._fill_tree(item)
            case "buffers":
                sections = buffer_sections(message) if message else []
                self.query_one("#buffers", HexView).show(message, sections)
            case "frames":
                sections = frame_sections(message) if message else []
                self.query_one("#frames", HexView).show(message, sections)
            case "timing":
                self.query_one(TimingView).show(self._thread(), self._place)

    def _fill_tree(self, item: Shown) -> None:
        """Decode and show; what takes long to decode, on the desk."""
        tree = self.query_one(JsonTree)
        if not isinstance(item, Message) or item.size <= _LARGE:
            tree.show(_roots(item))
            return

        def decode() -> Generator[Progress, None, Roots]:
            yield Progress(0, 1)
            return _roots(item)

        def decoded(roots: Roots) -> None:
            if self._item is item:
                tree.show(roots)

        tree.show({"content": f"decoding {units.size(item.size)}…"})
        cast("KspyApp", self.app).desk.run(decode(), decoded)

    def refresh_timing(self) -> None:
        """The thread has gone on: draw it anew, where it is seen."""
        if _IDS[self._tab] == "timing":
            self._filled.discard(self._tab)
            self._fill()

    # The two lines above

    def on_resize(self) -> None:
        self._draw_lines()

    def _draw_lines(self) -> None:
        width = max(self.scrollable_content_region.width - 2, 0)
        self.query_one("#what", Static).update(self._what(width))
        colours = Colours.of(self.app)
        tabs = Text(no_wrap=True)
        names = self._tab_names(width)
        for number, name in enumerate(names):
            chosen = number == self._tab
            tabs.append(f"{number + 1} " if name else f"{number + 1}", colours.dim)
            tabs.append(name, "bold underline" if chosen else colours.dim)
            tabs.append("  " if all(names) else " ")
        self.query_one("#tabs", Static).update(tabs)

    def _tab_names(self, width: int) -> list[str]:
        """The names of the tabs; of those that are not seen, where there is no room, none."""
        if sum(len(name) + 4 for name in TABS) - 2 <= width:
            return list(TABS)
        return [name if number == self._tab else "" for number, name in enumerate(TABS)]

    def _what(self, width: int) -> Text:
        item, colours = self._item, Colours.of(self.app)
        if item is None:
            return Text("Select a message: what it holds is shown here.", colours.dim)
        if isinstance(item, Event):
            return Text(cut(summarize_event(item), width), "bold", no_wrap=True)
        line = Text(f"{ARROWS[item.direction]} {item.channel} ", colours.channel(item.channel))
        line.append(one_line(item.msg_type[:100]), "bold")
        right = f"{item.seq:,} · {units.size(item.size)}"
        line.append(" " * max(width - line.cell_len - len(right), 1))
        line.append(right, colours.dim)
        line.truncate(width)
        line.no_wrap = True
        return line

    def on_click(self, event: events.Click) -> None:
        if event.widget is None or event.widget.id != "tabs":
            return
        at = 0
        names = self._tab_names(event.widget.size.width)
        for number, name in enumerate(names):
            at += (4 if all(names) else 3) + len(name) if name else 2
            if event.x - 1 < at:
                self.select_tab(number + 1)
                return

    # Copying

    @property
    def selected(self) -> tuple[Any, Any] | None:
        """Path and value at the tree's cursor, where the tree is seen."""
        return self.query_one(JsonTree).selected if _IDS[self._tab] == "tree" else None

    def copy_value(self) -> None:
        """Copy the value at the tree's cursor, where the tree is seen; else what it says."""
        item = self._item
        if item is None:
            self.app.notify("nothing is selected")
            return
        selected = self.selected
        if selected is not None:
            what, value = as_path(selected[0]), selected[1]
        else:
            what, value = _main_value(item)
        text = as_value(value)
        count = len(text.encode(errors="replace"))
        size = units.size(count)
        if count > COPY_LIMIT:
            self.app.notify(f"{size}: many terminals refuse so much; Y offers a file too")
            return
        self.app.copy_to_clipboard(text)
        self.app.notify(f"copied: {one_line(what)[:100]}, {size}")

    def copy_menu(self) -> CopyMenu | None:
        """The menu of all that can be copied of the message."""
        if not isinstance(self._item, Message):
            return None
        return CopyMenu(self._item, self._request(), self.selected)


def _main_value(item: Message | Event) -> tuple[str, Any]:
    """What somebody would want who copies a message without saying what of it."""
    if isinstance(item, Event):
        return "the event", summarize_event(item)
    if item.size > DECODE_LIMIT:
        return "what the message says", summarize(item)
    content = item.content
    data = content.get("data")
    if isinstance(content.get("traceback"), list):
        return "traceback", COLOUR.sub("", "\n".join(map(str, content["traceback"])))
    if isinstance(data, dict) and isinstance(data.get("text/plain"), str):
        return "text/plain", data["text/plain"]
    for key in ("code", "text", "value", "prompt"):
        if isinstance(content.get(key), str):
            return key, content[key]
    return "content", content


def _roots(item: Shown) -> Roots:
    """What the tree shows of an item."""
    if item is None:
        return {}
    if isinstance(item, Event):
        return {"event": item.name, "data": dict(item.data)}
    if item.size > DECODE_LIMIT:
        return {"content": f"{units.size(item.size)}: too large to be decoded; see Frames"}
    roots: dict[str, Any] = {
        "content": item.content,
        "header": item.header,
        "parent_header": item.parent_header,
        "metadata": item.metadata,
    }
    if item.buffer_sizes:
        roots["buffers"] = [units.size(size) for size in item.buffer_sizes]
    return roots
