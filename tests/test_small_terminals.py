"""What is said and chosen in terminals that have hardly any room."""

from __future__ import annotations

import pytest
from piloting import piloted
from textual.pilot import Pilot
from textual.widgets._toast import Toast
from viewing import RECORDINGS, viewing

from kspy.tui.picker import Picker

HELLO = RECORDINGS / "hello.kspy"


SIZES = [(20, 5), (40, 12), (80, 24), (120, 40)]


@pytest.mark.parametrize("size", SIZES)
@piloted
async def test_what_is_said_can_be_read(size: tuple[int, int]) -> None:
    async with viewing(HELLO, "G", "d", size=size, toasts=True) as viewer:
        (toast,) = viewer.app.screen.query(Toast)
        assert toast.size.height <= max(1, 80 // size[0])
        assert toast.region.bottom <= size[1]
        at = toast.region
        lines = (viewer.screen[y][at.x + 1 : at.right].strip() for y in range(at.y, at.bottom))
        assert " ".join(lines) == viewer.said[-1]


@piloted
async def test_no_more_is_said_than_leaves_room() -> None:
    async with viewing(HELLO, "G", size=(80, 24), toasts=True) as viewer:
        for number in range(8):
            viewer.app.notify(f"news {number}")
        await viewer.settle()
        seen = [line for line in viewer.screen if "news" in line]
        assert len(seen) == 3
        assert "news 7" in seen[-1]


@pytest.mark.parametrize("keys", [("question_mark",), ("x",), ("colon", "=9", "enter", "Y")])
@piloted
async def test_what_is_said_covers_no_dialog(keys: tuple[str, ...]) -> None:
    async with viewing(HELLO, *keys, size=(80, 24), toasts=True) as viewer:
        before = viewer.screen
        viewer.app.notify("news")
        await viewer.settle()
        assert [line for line in before[1:] if line.strip()] == [
            line for line in viewer.screen[1:] if line.strip()
        ]
        assert "news" in viewer.screen[0]


@pytest.mark.parametrize("size", SIZES)
@piloted
async def test_each_tab_of_the_inspector_has_its_number(size: tuple[int, int]) -> None:
    async with viewing(HELLO, "G", "enter", "3", size=size) as viewer:
        (tabs,) = (line for line in viewer.screen if "3 Buffers" in line)
        assert all(number in tabs for number in "12345")
        line = viewer.main.inspector.query_one("#tabs")
        pilot: Pilot[object] = viewer.pilot
        await pilot.click(line, offset=(1 + tabs[line.region.x + 1 :].index("5"), 0))
        await viewer.settle()
        assert any("5 Times" in line for line in viewer.screen)


@piloted
async def test_a_choice_is_a_line_however_narrow() -> None:
    async with viewing(HELLO, "G", "x", size=(30, 24)) as viewer:
        what = viewer.app.screen.query(Picker).first()
        assert what.size.height == 2
        assert "the selected message" in what.render_line(0).text
        assert "everything" in what.render_line(1).text


@piloted
async def test_help_is_beneath_its_key_where_it_is_narrow() -> None:
    async with viewing(HELLO, "question_mark", size=(40, 12)) as viewer:
        at = next(number for number, line in enumerate(viewer.screen) if "j  down" in line)
        assert viewer.screen[at + 1].strip().startswith("The next line.")
