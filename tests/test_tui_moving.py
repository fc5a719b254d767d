"""Moving through the list with keys and the mouse: lines, screens, numbers, times, back."""

from __future__ import annotations

import pytest
from piloting import piloted
from textual.events import MouseScrollDown
from viewing import RECORDINGS, viewing

HELLO = RECORDINGS / "hello.kspy"


@piloted
async def test_lines_and_screens() -> None:
    async with viewing(HELLO, size=(120, 24)) as viewer:
        stream = viewer.main.stream
        assert stream.cursor == 0
        await viewer.enter("j", "down", "k")
        assert stream.cursor == 1
        await viewer.enter("pagedown")
        assert stream.cursor == 1 + stream.rows
        await viewer.enter("ctrl+u")
        assert stream.cursor == 1 + stream.rows - round(stream.rows / 2)
        await viewer.enter("G")
        assert stream.cursor == len(viewer.main.viewing.lines) - 1
        assert "kernel ended" in viewer.rows[-1]
        await viewer.enter("j")
        assert "kernel ended" in viewer.row
        await viewer.enter("g", "up")
        assert "tap started" in viewer.row


@pytest.mark.parametrize(
    ("typed", "row"),
    [
        ("11", "print"),
        ("+0.39s", "575 B [2] 6 * 7"),
        ("0.390", "575 B [2] 6 * 7"),
        ("395ms", "execute_result"),
        ("0", "iopub_welcome"),
    ],
)
@piloted
async def test_a_number_or_a_time(typed: str, row: str) -> None:
    async with viewing(HELLO, "colon", f"={typed}", "enter") as viewer:
        assert row in viewer.row


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("4000", "there is no message with that number"),
        pytest.param("9" * 5000, "there is no message with that number", id="a long number"),
        ("soon", "neither a message number nor a time (3.5, 2min, 21:00:05)"),
        pytest.param(
            "1" * 400 + "s",
            "neither a message number nor a time (3.5, 2min, 21:00:05)",
            id="a long time",
        ),
    ],
)
@piloted
async def test_what_is_no_place_is_said(typed: str, said: str) -> None:
    async with viewing(HELLO, "j", "colon", f"={typed}", "enter") as viewer:
        assert said in viewer.prompt
        assert viewer.main.stream.cursor == 1
        await viewer.enter("ctrl+u", "=11", "enter")  # it is still there to be mended
        assert "print" in viewer.row
        assert viewer.prompt == ""


@piloted
async def test_a_time_of_day_is_that_of_the_recording() -> None:
    async with viewing(HELLO, "G", "T", "T") as viewer:
        shown = viewer.row.split()[1]
        await viewer.enter("g", "colon", f"={shown}", "enter")
        assert "kernel ended" in viewer.row


@piloted
async def test_back_and_forward_through_where_one_has_been() -> None:
    async with viewing(HELLO, "j", "colon", "=11", "enter", "G") as viewer:
        assert "kernel ended" in viewer.row
        await viewer.enter("H")
        assert "print" in viewer.row
        await viewer.enter("H")
        assert "kernel started" in viewer.row
        await viewer.enter("H")
        assert viewer.said == ["no place further back"]
        await viewer.enter("L", "alt+right")
        assert "kernel ended" in viewer.row


@piloted
async def test_the_mouse_selects_opens_and_scrolls() -> None:
    async with viewing(HELLO, size=(120, 24)) as viewer:
        stream = viewer.main.stream
        await viewer.pilot.click("#stream", offset=(20, 5))
        assert stream.cursor == 4
        await viewer.pilot.click("#stream", offset=(20, 5))
        await viewer.settle()
        assert viewer.main.has_class("-inspecting")
        await viewer.pilot._post_mouse_events([MouseScrollDown], "#stream", (20, 5), button=0)
        await viewer.settle()
        assert stream.scroll_offset.y == 3
        assert stream.cursor == 4


@piloted
async def test_a_click_on_the_timeline_goes_there() -> None:
    async with viewing(HELLO) as viewer:
        width = viewer.main.timeline.size.width
        await viewer.pilot.click(viewer.main.timeline, offset=(width - 2, 2))
        await viewer.settle()
        assert "kernel ended" in viewer.row or "kernel disconnected" in viewer.row
