"""The tree on the screen: keys, mouse, what survives the next message, and hostile values."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from piloting import Coloured, piloted
from rich.cells import cell_len
from rich.style import Style
from textual.app import ComposeResult
from textual.events import MouseScrollDown
from textual.geometry import Region
from textual.pilot import Pilot

import kspy
from kspy.analysis.filter import highlights, parse
from kspy.analysis.sanitize import one_line
from kspy.tui.detail.tree.line import LinePainter, Look
from kspy.tui.detail.tree.model import Tree
from kspy.tui.detail.tree.tree_view import JsonTree
from kspy.tui.palette import Colours

RECORDINGS: Final = Path(__file__).parent.parent / "recordings"
HOSTILE: Final[dict[str, Any]] = {
    "content": {
        "title": "\x1b]0;owned\x07",
        "bidi \u202e": "abc \u202e def\u2066",
        "half": "\ud800",
        "wide": "漢字" * 100,
        "marks": "a" + "\u0301" * 100_000,
        "\x1b[2J": [float("nan"), b"\x1b[2J", 10**400],
        "": {"": {"": ""}},
        "k" * 5000: None,
    },
    "metadata": {},
}


class TreeApp(Coloured[None]):
    def __init__(self, roots: dict[str, Any]) -> None:
        super().__init__()
        self.roots = roots

    def compose(self) -> ComposeResult:
        yield JsonTree(id="tree")

    def on_mount(self) -> None:
        tree = self.query_one(JsonTree)
        tree.show(self.roots)
        tree.focus()


def screen(pilot: Pilot[Any]) -> list[str]:
    tree = pilot.app.query_one(JsonTree)
    return [strip.text.rstrip() for strip in tree.render_lines(Region(0, 0, *tree.size))]


SMALL: Final = {
    "content": {"name": "stdout", "data": {"text/plain": "3", "n": [1, True, None]}, "none": {}},
    "header": {"msg_id": "a", "msg_type": "b"},
}


@piloted
async def test_lines_and_path() -> None:
    async with TreeApp(SMALL).run_test(size=(40, 10)) as pilot:
        assert screen(pilot) == [
            "▾ content {3}",
            '    name "stdout"',
            "  ▸ data {2} text/plain, n",
            "    none {}",
            "▸ header  {2} msg_id, msg_type",
            "", "", "", "",
            "content",
        ]  # fmt: skip
        await pilot.press("j", "j", "enter", "j")
        tree = pilot.app.query_one(JsonTree)
        assert screen(pilot)[2:6] == [
            "  ▾ data {2}",
            '      text/plain "3"',
            "    ▸ n          [3]",
            "    none {}",
        ]
        assert tree.path == screen(pilot)[-1] == 'content.data["text/plain"]'
        assert tree.selected == (("content", "data", "text/plain"), "3")


@piloted
async def test_keys() -> None:
    async with TreeApp(SMALL).run_test(size=(40, 8)) as pilot:
        tree = pilot.app.query_one(JsonTree)

        async def after(*keys: str) -> str:
            await pilot.press(*keys)
            return tree.path

        assert await after("G") == "header"
        assert await after("l", "j") == "header.msg_id"
        assert await after("h") == "header"
        assert await after("left") == "header"  # folded now
        assert len(screen(pilot)) == 8
        assert await after("end", "down", "down") == "header"
        assert await after("home", "up") == "content"
        assert await after("z", "j", "j", "j", "j", "j") == "content.data.n[0]"
        assert await after("h", "h", "h", "h") == "content.data"
        assert await after("h") == "content"
        assert await after("pagedown") == "header"
        assert await after("ctrl+u") == "content.name"
        assert await after("pageup", "ctrl+d") == "content.none"
        assert await after("g", "z", "z") == "content"
        assert screen(pilot)[:2] == [
            "▸ content {3} name, data, none",
            "▸ header  {2} msg_id, msg_type",
        ]
        assert await after("space") == "content"
        assert "▸ data" in screen(pilot)[2]


@piloted
async def test_next_message_keeps_folds_and_cursor() -> None:
    with kspy.open(RECORDINGS / "hello.kspy") as recording:
        first, second = [
            {"content": message.content, "header": message.header}
            for message in recording
            if message.msg_type == "status"
        ][:2]
    async with TreeApp(first).run_test(size=(50, 12)) as pilot:
        await pilot.press("G", "enter", "j")
        tree = pilot.app.query_one(JsonTree)
        path = tree.path
        assert path.startswith("header.")
        tree.show(second)
        await pilot.pause()
        assert tree.path == path
        assert tree.selected is not None
        assert tree.selected[1] == second["header"][path.removeprefix("header.")]
        tree.show({"content": {"other": 1}})
        assert tree.path == "content"
        tree.show({})
        assert tree.selected is None
        assert tree.path == ""
        tree.show(first)
        assert tree.path == path
        tree.show({})
        await pilot.press("j", "enter", "l", "h", "z", "G")
        assert tree.selected is None


@piloted
async def test_mouse() -> None:
    async with TreeApp(SMALL).run_test(size=(40, 10)) as pilot:
        tree = pilot.app.query_one(JsonTree)
        await pilot.click(JsonTree, offset=(12, 2))
        assert tree.path == "content.data"
        assert screen(pilot)[2].startswith("  ▸")
        await pilot.click(JsonTree, offset=(2, 2))
        assert screen(pilot)[2].startswith("  ▾")
        await pilot.click(JsonTree, offset=(3, 9))  # the path
        assert tree.path == "content.data"


@piloted
async def test_wheel_and_scrolling() -> None:
    async with TreeApp({"content": list(range(500))}).run_test(size=(30, 10)) as pilot:
        tree = pilot.app.query_one(JsonTree)
        await pilot._post_mouse_events([MouseScrollDown], JsonTree)
        assert tree.scroll_offset.y == 3
        assert tree.cursor == 0
        await pilot.press("G")
        assert screen(pilot)[-2:] == ["    499 499", "content[499]"]
        await pilot.press("g")
        assert screen(pilot)[0] == "▾ content [500]"


@piloted
async def test_long_text_unfolds_into_its_lines() -> None:
    code = "def f():\n    return 1\n" + "x" * 60
    async with TreeApp({"content": {"code": code}}).run_test(size=(30, 12)) as pilot:
        assert screen(pilot)[1] == '  ▸ code "def f():⏎ … 82 chars'
        await pilot.press("j", "enter", "j", "j")
        assert screen(pilot)[1:6] == [
            "  ▾ code 82 chars",
            "    │ def f():",
            "    │     return 1",
            "    │ " + "x" * 24,
            "    │ " + "x" * 24,
        ]
        tree = pilot.app.query_one(JsonTree)
        assert tree.selected == (("content", "code"), code)
        await pilot.resize_terminal(60, 12)
        assert screen(pilot)[4] == "    │ " + "x" * 54
        assert tree.cursor == 3
        await pilot.resize_terminal(60, 5)  # with a scrollbar, of one cell
        await pilot.press("j")
        assert screen(pilot)[3] == "    │ " + "x" * 53
        await pilot.press("k")
        await pilot.press("h")
        assert tree.cursor == 1
        await pilot.press("j", "space")
        assert tree.cursor == 1
        assert "▸" in screen(pilot)[1]


@piloted
async def test_matches_are_highlighted() -> None:
    app: Any = TreeApp(SMALL)
    async with app.run_test(size=(40, 10)) as pilot:
        tree = app.query_one(JsonTree)
        tree.matches = highlights(parse("/out|/"))
        await pilot.pause()
        look = Look.of(app).colours.match.bgcolor
        marked = [
            segment.text
            for segment in tree.render_lines(Region(0, 1, 40, 1))[0]
            if segment.style and segment.style.bgcolor == look
        ]
        assert marked == ["out"]
        tree.matches = None
        assert screen(pilot)[1] == '    name "stdout"'


@pytest.mark.parametrize("width", [1, 2, 5, 20, 80])
@pytest.mark.parametrize("height", [1, 3, 30])
@piloted
async def test_hostile_values(width: int, height: int) -> None:
    async with TreeApp(HOSTILE).run_test(size=(width, height)) as pilot:
        await pilot.press("z", "G", "k", "k", "k", "l", "h", "h")
        for line in screen(pilot):
            assert one_line(line) == line
            assert cell_len(line) <= width
        await pilot.resize_terminal(44, 20)
        await pilot.press("g", "z", "z", "G")
        assert len(screen(pilot)) == 20


values = st.recursive(
    st.none() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text() | st.integers(), inner, max_size=5)
    ),
    max_leaves=20,
)


PLAIN: Final = Look(Colours(*cast(Any, ([*[Style()] * 8, {}]))), Style())


@given(values, st.integers(1, 60))
@settings(deadline=None)
def test_lines_fit_and_act_on_nothing(value: Any, width: int) -> None:
    tree = Tree(width)
    tree.show({"content": value}, ["content"])
    tree.toggle_below(tree.line(0).node)
    painter = LinePainter(tree, PLAIN)
    for line in tree.lines(0, len(tree)):
        text = "".join(segment.text for segment in painter.paint(line))
        assert one_line(text) == text


@piloted
async def test_every_message_of_the_recordings() -> None:
    async with TreeApp({}).run_test(size=(48, 30)) as pilot:
        tree = pilot.app.query_one(JsonTree)
        for path in sorted(RECORDINGS.glob("*.kspy")):
            with kspy.open(path) as recording:
                for message in recording:
                    tree.show({"content": message.content, "header": message.header})
                    tree.action_toggle_below()
                    assert all(cell_len(line) <= 48 for line in screen(pilot))
