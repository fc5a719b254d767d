"""Bookmarks: kept beside the recording, kept by its id, and never lost silently."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conversation import START_NS, Conversation
from hypothesis import given
from hypothesis import strategies as st
from piloting import Coloured, piloted
from textual.widgets import Input, OptionList

from kspy.errors import KspyError
from kspy.recording.bookmarks import LONGEST_NOTE, SUFFIX, Bookmark, Bookmarks
from kspy.tui.bookmarks_screen import BookmarksScreen


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return record(tmp_path / "session.kspy")


def record(path: Path) -> Path:
    with Conversation(path) as talk:
        talk.division_by_zero()
    return path


def beside(recording: Path) -> Path:
    return recording.with_name(recording.name + SUFFIX)


def test_they_are_there_the_next_time(recording: Path) -> None:
    before = recording.read_bytes()
    bookmarks = Bookmarks(recording)
    assert bookmarks.list() == []
    bookmarks.add(3, 300, "here it fails")
    bookmarks.add(0, 5)
    again = Bookmarks(recording)
    assert again.list() == [Bookmark(0, 5), Bookmark(3, 300, "here it fails")]
    assert 3 in again
    assert 4 not in again
    assert again.get(3) == Bookmark(3, 300, "here it fails")
    assert beside(recording).stat().st_mode & 0o777 == 0o600
    assert recording.read_bytes() == before
    assert sorted(recording.parent.iterdir()) == [recording, beside(recording)]


def test_a_note_is_changed_and_a_bookmark_removed(recording: Path) -> None:
    bookmarks = Bookmarks(recording)
    bookmarks.add(1, 10, "a")
    bookmarks.add(1, 10, "b")
    assert [mark.note for mark in bookmarks.list()] == ["b"]
    bookmarks.remove(1)
    bookmarks.remove(1)
    assert len(bookmarks) == 0
    assert not beside(recording).exists(), "nothing is left lying about"


def test_two_viewers_keep_each_others(recording: Path) -> None:
    one, other = Bookmarks(recording), Bookmarks(recording)
    one.add(1, 10, "one")
    other.add(2, 20, "other")
    assert [mark.seq for mark in other.list()] == [1, 2]
    one.reload()
    assert one.list() == other.list()


def test_a_new_recording_of_the_same_name_has_its_own(recording: Path, tmp_path: Path) -> None:
    Bookmarks(recording).add(1, 10, "about the old one")
    old = shutil.copy(recording, tmp_path / "kept")
    recording.unlink()
    record(recording)
    bookmarks = Bookmarks(recording)
    assert bookmarks.list() == []
    bookmarks.add(2, 20, "about the new one")
    bookmarks.remove(2)
    shutil.copy(old, recording)
    assert [mark.note for mark in Bookmarks(recording).list()] == ["about the old one"]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"recordings": {}}',
        b'{"kspy_bookmarks": "1", "recordings": {}}',
        b'{"kspy_bookmarks": 1, "recordings": []}',
    ],
)
def test_a_file_that_is_none_is_said_and_kept(recording: Path, content: bytes) -> None:
    bookmarks = Bookmarks(recording)
    beside(recording).write_bytes(content)
    for refused in (lambda: Bookmarks(recording), lambda: bookmarks.add(1, 1), bookmarks.reload):
        with pytest.raises(KspyError, match=r"session\.kspy\.bookmarks: is no file of bookmarks"):
            refused()
    assert beside(recording).read_bytes() == content


@pytest.mark.parametrize(
    "bookmark", [{"seq": "1", "time_ns": 1}, {"seq": 1}, {"seq": 1, "time_ns": 1, "note": 5}, 7]
)
def test_one_broken_bookmark_is_said_too(recording: Path, bookmark: object) -> None:
    Bookmarks(recording).add(1, 1)
    content = json.loads(beside(recording).read_text())
    (ident,) = content["recordings"]
    content["recordings"][ident].append(bookmark)
    beside(recording).write_text(json.dumps(content))
    with pytest.raises(KspyError, match="is no file of bookmarks"):
        Bookmarks(recording)


@pytest.mark.parametrize("kept", [None, 5, "x", {}, {"seq": 1}])
def test_what_is_no_list_of_bookmarks_is_said_too(recording: Path, kept: object) -> None:
    Bookmarks(recording).add(1, 1)
    content = json.loads(beside(recording).read_text())
    (ident,) = content["recordings"]
    content["recordings"][ident] = kept
    beside(recording).write_text(json.dumps(content))
    with pytest.raises(KspyError, match="is no file of bookmarks"):
        Bookmarks(recording)


def test_a_newer_file_is_not_touched(recording: Path) -> None:
    beside(recording).write_text('{"kspy_bookmarks": 2, "recordings": {}}')
    with pytest.raises(KspyError, match="newer kspy"):
        Bookmarks(recording)


def test_a_folder_that_takes_nothing(recording: Path) -> None:
    bookmarks = Bookmarks(recording)
    shutil.rmtree(recording.parent)
    with pytest.raises(KspyError, match=r"bookmarks cannot be kept: No such file"):
        bookmarks.add(1, 1)
    assert bookmarks.list() == []


def test_what_is_no_recording_has_none(tmp_path: Path) -> None:
    path = tmp_path / "x.kspy"
    path.write_text("no")
    with pytest.raises(KspyError, match="is not a kspy recording"):
        Bookmarks(path)


def test_a_damaged_header_does_not_lose_them(recording: Path) -> None:
    Bookmarks(recording).add(1, 10, "note")
    raw = bytearray(recording.read_bytes())
    raw[:20] = bytes(20)
    recording.write_bytes(raw)
    assert [mark.note for mark in Bookmarks(recording).list()] == ["note"]


@given(st.text(), st.integers(0, 2**63))
def test_any_note_comes_back(tmp_path_factory: pytest.TempPathFactory, note: str, seq: int) -> None:
    recording = record(tmp_path_factory.mktemp("any") / "s.kspy")
    Bookmarks(recording).add(seq, -1, note)
    assert Bookmarks(recording).list() == [Bookmark(seq, -1, note)]


def test_a_note_has_an_end(recording: Path) -> None:
    Bookmarks(recording).add(1, 1, "\ud800" + "x" * 10**6)
    (mark,) = Bookmarks(recording).list()
    assert mark.note == "?" + "x" * (LONGEST_NOTE - 1)


# The screen


class Harness(Coloured[None]):
    def __init__(self, recording: Path, start_ns: int | None = None) -> None:
        super().__init__()
        self.bookmarks = Bookmarks(recording)
        self.start_ns = start_ns
        self.went: list[int | None] = []

    def on_mount(self) -> None:
        self.push_screen(BookmarksScreen(self.bookmarks, self.start_ns), self.went.append)

    @property
    def lines(self) -> list[str]:
        options = self.screen.query_one(OptionList).options
        return [str(option.prompt) for option in options]


@pytest.fixture
def marked(recording: Path) -> Path:
    bookmarks = Bookmarks(recording)
    bookmarks.add(3, START_NS + 3_500_000_000, "it fails\n\x1b[2Jhere [red]")
    bookmarks.add(1, START_NS)
    bookmarks.add(5, START_NS + 9_000_000_000, "the end")
    return recording


@piloted
async def test_enter_goes_there(marked: Path) -> None:
    app = Harness(marked, START_NS)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert [line.split(maxsplit=3) for line in app.lines] == [
            ["1", "+0.000", "s"],
            ["3", "+3.500", "s", "it fails⏎␛[2Jhere [red]"],
            ["5", "+9.000", "s", "the end"],
        ]
        await pilot.press("j", "enter")
        await pilot.pause()
    assert app.went == [3]


@piloted
async def test_escape_goes_nowhere(marked: Path) -> None:
    app = Harness(marked)
    async with app.run_test() as pilot:
        await pilot.press("escape")
        await pilot.pause()
    assert app.went == [None]


@piloted
async def test_d_takes_away_and_e_changes_a_note(marked: Path) -> None:
    app = Harness(marked)
    async with app.run_test() as pilot:
        await pilot.press("j", "d", "e", "space", *"now", "enter")
        await pilot.pause()
        assert [mark.seq for mark in Bookmarks(marked).list()] == [1, 5]
        assert Bookmarks(marked).list()[1].note == "the end now"
        await pilot.press("e", *"no", "escape")
        assert Bookmarks(marked).list()[1].note == "the end now"
        await pilot.press("d", "d", "d")
        assert len(Bookmarks(marked)) == 0
        assert app.screen.has_class("empty")
        await pilot.press("escape")
        await pilot.pause()
    assert app.went == [None]


@piloted
async def test_a_note_of_a_stranger_is_shown_clean_and_kept_as_it_was(marked: Path) -> None:
    app = Harness(marked)
    async with app.run_test() as pilot:
        await pilot.press("j", "e")
        entry = app.screen.query_one(Input)
        assert entry.value == "it fails⏎␛[2Jhere [red]"
        await pilot.press("enter")
        await pilot.pause()
        assert Bookmarks(marked).list()[1].note == "it fails\n\x1b[2Jhere [red]"
        await pilot.press("e", "space", "!", "enter")
        await pilot.pause()
        assert Bookmarks(marked).list()[1].note == "it fails⏎␛[2Jhere [red] !"


@pytest.mark.parametrize("size", [(20, 5), (80, 24)])
@piloted
async def test_many_bookmarks_in_any_terminal(marked: Path, size: tuple[int, int]) -> None:
    bookmarks = Bookmarks(marked)
    for seq in range(50):
        bookmarks.add(seq, START_NS, "宽" * 300)
    app = Harness(marked)
    async with app.run_test(size=size) as pilot:
        await pilot.press("end", "enter")
        await pilot.pause()
    assert app.went == [49]
