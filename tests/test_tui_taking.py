"""Taking something away from the main screen: copies, comparisons, exports, bookmarks."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest
from piloting import piloted
from textual.widgets import Input
from viewing import RECORDINGS, viewing

import kspy
from kspy.recording.bookmarks import Bookmarks
from kspy.tui.bookmarks_screen import BookmarksScreen
from kspy.tui.compare import CompareMessagesScreen, CompareThreadsScreen


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    """A copy, as bookmarks go beside it."""
    return Path(shutil.copy(RECORDINGS / "hello.kspy", tmp_path))


@piloted
async def test_what_a_message_says_is_copied(hello: Path) -> None:
    async with viewing(hello, "colon", "=9", "enter", "y") as viewer:
        assert viewer.app.clipboard == 'print("hello")'
        assert viewer.said == ["copied: code, 14 bytes"]


@piloted
async def test_a_value_of_the_tree_is_copied(hello: Path) -> None:
    async with viewing(hello, "colon", "=9", "enter", "2", "enter", "j", "y") as viewer:
        assert viewer.app.clipboard == 'print("hello")'
        await viewer.enter("j", "y")
        assert viewer.app.clipboard == "false"


@piloted
async def test_the_whole_message_is_copied_as_json(hello: Path) -> None:
    async with viewing(hello, "colon", "=9", "enter", "Y", "m") as viewer:
        assert json.loads(viewer.app.clipboard)["content"]["code"] == 'print("hello")'


@piloted
async def test_path_and_value_are_those_of_the_tree_that_is_seen(hello: Path) -> None:
    async with viewing(hello, "2", "1", "colon", "=9", "enter", "Y") as viewer:
        assert not any("path" in line for line in viewer.screen[12:20])
        await viewer.enter("escape", "2", "enter", "j", "Y", "p")
        assert viewer.app.clipboard == "content.code"


@piloted
async def test_two_messages_and_two_threads_are_compared(hello: Path) -> None:
    async with viewing(hello, "colon", "=9", "enter", "d", "D") as viewer:
        assert viewer.said[0] == "message 9 is marked; d on another one compares the two"
        await viewer.enter("colon", "=15", "enter", "d")
        assert isinstance(viewer.app.screen, CompareMessagesScreen)
        assert any('print("hello")' in line and "6 * 7" in line for line in viewer.screen)
        await viewer.enter("escape", "D")
        assert isinstance(viewer.app.screen, CompareThreadsScreen)
        await viewer.enter("escape")
        assert viewer.app.screen is viewer.main


@piloted
async def test_what_a_filter_shows_is_exported(hello: Path) -> None:
    async with viewing(hello, "slash", "=type:execute_request", "enter", "x") as viewer:
        viewer.app.screen.query("Input").first().value = str(hello.parent / "part.kspy")  # type: ignore[attr-defined]
        assert any("what the filter shows" in line for line in viewer.screen)
        await viewer.enter("down", "down", "enter")
        part = hello.parent / "part.kspy"
        await viewer.wait_for(part.exists, "the file")
        await viewer.settle()
        with kspy.open(part) as recording:
            assert {message.msg_type for message in recording} == {"execute_request"}


@piloted
async def test_bookmarks_are_kept_beside_the_recording(hello: Path) -> None:
    before = hello.read_bytes()
    async with viewing(hello, "colon", "=12", "enter", "m", "=look here", "enter") as viewer:
        assert viewer.row.startswith(" ◆")
        kept = hello.with_name("hello.kspy.bookmarks")
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert hello.read_bytes() == before
    async with viewing(hello, "apostrophe") as viewer:
        assert isinstance(viewer.app.screen, BookmarksScreen)
        assert any("look here" in line for line in viewer.screen)
        await viewer.enter("enter")
        assert "hello⏎" in viewer.row


@piloted
async def test_a_bookmark_hides_no_error(tmp_path: Path) -> None:
    shutil.copy(RECORDINGS / "error.kspy", tmp_path)
    async with viewing(tmp_path / "error.kspy", "n", "m", "=here", "enter") as viewer:
        assert viewer.row.startswith("✗◆")
        assert "!" in viewer.main.timeline.render_line(0).text
        await viewer.enter("t")
        assert "✗◆" in viewer.row


@piloted
async def test_a_note_from_elsewhere_does_nothing_to_the_terminal(hello: Path) -> None:
    marks = Bookmarks(hello)
    with kspy.open(hello) as recording:
        for message in recording:
            marks.add(message.seq, message.time_ns, "a\x1b[31m\u202eb\x07")
    async with viewing(hello, "slash", "=type:execute_request", "enter", "m") as viewer:
        assert viewer.main.prompt.query_one(Input).value == "a\\u202eb␇"
        await viewer.enter("enter")
    assert {mark.note for mark in Bookmarks(hello).list()} == {"a\x1b[31m\u202eb\x07"}


@piloted
async def test_a_bookmark_file_that_is_not_one_is_said_and_kept(hello: Path) -> None:
    kept = hello.with_name("hello.kspy.bookmarks")
    kept.write_text("not json")
    async with viewing(hello, "colon", "=12", "enter", "m") as viewer:
        assert "hello.kspy.bookmarks" in viewer.said[0]
        assert kept.read_text() == "not json"
