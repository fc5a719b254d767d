"""`kspy view FOLDER`: what is in the folder, and the screen that lists it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from conversation import START_NS, Conversation
from piloting import Coloured, piloted
from textual.pilot import Pilot
from textual.widgets import Input, Static

from kspy.analysis.listing import Listed, Listing
from kspy.analysis.progress import Progress
from kspy.errors import KspyError
from kspy.tui.desk import Desk
from kspy.tui.folder_screen import FolderScreen
from kspy.tui.folder_table import COLUMNS, FolderTable, fitting, needed

RECORDINGS = Path(__file__).parent.parent / "recordings"


def record(path: Path, cells: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with Conversation(path) as talk:
        for _ in range(cells):
            talk.division_by_zero()
    return path


def listed(folder: Path) -> dict[str, Listed]:
    listing = Listing(folder)
    for progress in listing.read():
        assert isinstance(progress, Progress)
    return {file.name: file for file in listing.files}


# The listing


def test_what_is_told_of_a_recording(tmp_path: Path) -> None:
    path = record(tmp_path / "a.kspy", cells=2)
    assert listed(tmp_path)["a.kspy"] == Listed(
        path=path,
        name="a.kspy",
        size=path.stat().st_size,
        changed_ns=path.stat().st_mtime_ns,
        state="whole",
        kernel="python3",
        when_ns=START_NS,
        length_ns=11_000_000,
        messages=12,
        errors=4,
    )


def test_the_real_recordings() -> None:
    found = listed(RECORDINGS)
    assert {name: file.state for name, file in found.items()} == {
        path.name: "whole" for path in RECORDINGS.glob("*.kspy")
    }
    assert found["error.kspy"].errors
    assert found["kernel-dies.kspy"].errors == 1, "a kernel that died is an error to jump to"
    assert not found["hello.kspy"].errors
    assert all(file.kernel and file.length_ns for file in found.values())


def test_folders_one_level_down_count_and_others_do_not(tmp_path: Path) -> None:
    for name in ("a.kspy", "sub/b.kspy", "sub/sub/c.kspy", ".hidden/d.kspy", ".e.kspy", "f.txt"):
        record(tmp_path / name)
    (tmp_path / "folder.kspy").mkdir()
    record(tmp_path / "folder.kspy" / "g.kspy")
    os.mkfifo(tmp_path / "pipe.kspy")
    (tmp_path / "nowhere.kspy").symlink_to("nothing")
    (tmp_path / "round").symlink_to(tmp_path)
    assert set(listed(tmp_path)) == {"a.kspy", "sub/b.kspy"}


def test_what_is_no_whole_recording_is_told_as_it_is(tmp_path: Path) -> None:
    record(tmp_path / "whole.kspy")
    raw = (tmp_path / "whole.kspy").read_bytes()
    (tmp_path / "cut.kspy").write_bytes(raw[:-10])
    (tmp_path / "damaged.kspy").write_bytes(bytes(20) + raw[20:])
    middle = len(raw) // 3
    (tmp_path / "hurt.kspy").write_bytes(raw[:middle] + b"\0\0\0" + raw[middle + 3 :])
    (tmp_path / "text.kspy").write_text("hello")
    (tmp_path / "empty.kspy").touch()
    (tmp_path / "secret.kspy").symlink_to("/proc/self/mem")
    with Conversation(tmp_path / "growing.kspy") as talk:
        talk.division_by_zero()
        talk.writer.flush()
        found = listed(tmp_path)
    states = {name: file.state for name, file in found.items()}
    assert states["whole.kspy"] == "whole"
    assert states["hurt.kspy"] == "damaged", "also where its index is whole"
    assert states["cut.kspy"] == "cut"
    assert states["damaged.kspy"] == "damaged"
    assert states["growing.kspy"] == "growing"
    assert states["text.kspy"] == states["empty.kspy"] == states["secret.kspy"] == "refused"
    assert found["text.kspy"].reason == "is not a kspy recording"
    assert found["cut.kspy"].messages == 6


def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    record(tmp_path / "a.kspy")
    record(tmp_path / "b.kspy")
    listing = Listing(tmp_path)
    list(listing.read())
    record(tmp_path / "c.kspy")
    (tmp_path / "b.kspy").write_text("something else")
    again = Listing(tmp_path, listing)
    assert {f.name: f.state for f in again.files} == {
        "a.kspy": "whole",
        "b.kspy": "unread",
        "c.kspy": "unread",
    }


def test_names_cannot_reach_the_terminal(tmp_path: Path) -> None:
    record(tmp_path / "a\x1b[2J\n\u202e.kspy")
    (name,) = listed(tmp_path)
    assert name.isprintable()


def test_a_folder_that_cannot_be_read() -> None:
    with pytest.raises(KspyError, match="/nonexistent: cannot be read: No such file"):
        Listing("/nonexistent")


# The table's columns


@pytest.mark.parametrize("width", range(1, 250))
def test_columns_fit_and_are_as_wide_as_what_they_hold(width: int) -> None:
    widths = {column.title: 9 for column in COLUMNS} | {"name": 40}
    columns = fitting(width, widths)
    assert columns[0][0] is COLUMNS[0]
    used = 1 + sum(cells for _, cells in columns) + 2 * (len(columns) - 1)
    assert used <= max(width, 2)
    assert all(cells == 9 for _, cells in columns[1:])
    assert columns[0][1] == 40 or used == max(width, 2)


def test_eighty_cells_have_room_for_all_of_the_real_recordings() -> None:
    shown = fitting(80, needed(listed(RECORDINGS).values()))
    assert [column for column, _ in shown] == list(COLUMNS)


def test_long_names_leave_room_for_what_matters(tmp_path: Path) -> None:
    record(tmp_path / f"{'long' * 20}.kspy")
    titles = [column.title for column, _ in fitting(80, needed(listed(tmp_path).values()))]
    assert titles == ["name", "recorded", "length", "messages", "errors", "state"]


# The screen


class Harness(Coloured[Path]):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def on_mount(self) -> None:
        self.desk = Desk()
        self.push_screen(FolderScreen(self.folder, self.desk))

    def on_folder_screen_chosen(self, event: FolderScreen.Chosen) -> None:
        self.exit(event.path)

    def on_unmount(self) -> None:
        self.desk.close()

    @property
    def table(self) -> FolderTable:
        return self.screen.query_one(FolderTable)

    @property
    def names(self) -> list[str]:
        return [file.name for file in self.table.files]

    @property
    def lines(self) -> list[str]:
        return [self.table.render_line(y).text.rstrip() for y in range(self.table.size.height)]


async def settled(pilot: Pilot[Path], app: Harness) -> None:
    await pilot.pause()
    while app.desk.busy or any(file.state == "unread" for file in app.table.files):
        await pilot.pause(0.02)
    await pilot.pause()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    record(tmp_path / "one.kspy", 1)
    record(tmp_path / "three.kspy", 3)
    record(tmp_path / "two.kspy", 2)
    (tmp_path / "broken.kspy").write_text("x")
    for age, path in enumerate(sorted(tmp_path.iterdir())):
        os.utime(path, (2_000_000_000 - age, 2_000_000_000 - age))
    return tmp_path


@piloted
async def test_recordings_are_listed_sorted_and_chosen(folder: Path) -> None:
    app = Harness(folder)
    async with app.run_test(size=(120, 20)) as pilot:
        await settled(pilot, app)
        assert (
            app.names == ["broken.kspy", "one.kspy", "three.kspy", "two.kspy"]
            or app.names[-1] == "broken.kspy"
        )
        titles = [column.title for column in COLUMNS]
        for _ in range(titles.index("messages") - titles.index("recorded")):
            await pilot.press("s")
        assert app.names == ["three.kspy", "two.kspy", "one.kspy", "broken.kspy"]
        assert "messages▾" in app.lines[0]
        await pilot.press("S")
        assert app.names == ["broken.kspy", "one.kspy", "two.kspy", "three.kspy"]
        await pilot.press("g", "j", "enter")
    assert app.return_value == folder / "one.kspy"


@piloted
async def test_a_line_says_what_there_is(folder: Path) -> None:
    app = Harness(folder)
    async with app.run_test(size=(120, 20)) as pilot:
        await settled(pilot, app)
        (line,) = [line for line in app.lines if "three" in line]
        assert line.split()[:2] == ["three", "python3"]
        assert line.split()[-1] == "finished"
        assert " 18 " in line
        (line,) = [line for line in app.lines if "broken" in line]
        assert line.endswith("cannot be shown: is not a kspy recording")


@piloted
async def test_what_cannot_be_shown_is_not_chosen(folder: Path) -> None:
    app = Harness(folder)
    async with app.run_test() as pilot:
        await settled(pilot, app)
        app.table.cursor = app.names.index("broken.kspy")
        await pilot.press("enter")
        await pilot.pause()
        assert app.return_value is None


@piloted
async def test_typing_after_a_slash_filters_by_name(folder: Path) -> None:
    app = Harness(folder)
    async with app.run_test() as pilot:
        await settled(pilot, app)
        await pilot.press("slash", *"T", "w")
        assert app.names == ["two.kspy"]
        await pilot.press("enter", "enter")
    assert app.return_value == folder / "two.kspy"


@piloted
async def test_escape_shows_all_again(folder: Path) -> None:
    app = Harness(folder)
    async with app.run_test() as pilot:
        await settled(pilot, app)
        await pilot.press("slash", *"nosuch")
        assert app.names == []
        assert app.screen.has_class("nothing")
        await pilot.press("escape")
        assert len(app.names) == 4
        assert app.focused is app.table
        assert not app.screen.query_one(Input).display


@piloted
async def test_looking_again_finds_new_ones_and_keeps_the_cursor(folder: Path) -> None:
    app = Harness(folder)
    async with app.run_test() as pilot:
        await settled(pilot, app)
        app.table.cursor = app.names.index("two.kspy")
        record(folder / "four.kspy", 4)
        (folder / "one.kspy").unlink()
        await pilot.press("r")
        await settled(pilot, app)
        assert sorted(app.names) == ["broken.kspy", "four.kspy", "three.kspy", "two.kspy"]
        assert app.table.chosen
        assert app.table.chosen.name == "two.kspy"


@piloted
async def test_a_click_selects_and_another_opens(folder: Path) -> None:
    app = Harness(folder)
    async with app.run_test() as pilot:
        await settled(pilot, app)
        name = app.names[2]
        await pilot.click(FolderTable, offset=(3, 3))
        assert app.table.cursor == 2
        await pilot.click(FolderTable, offset=(3, 3))
    assert app.return_value == folder / name


@piloted
async def test_a_click_on_a_title_sorts(folder: Path) -> None:
    app = Harness(folder)
    async with app.run_test() as pilot:
        await settled(pilot, app)
        await pilot.click(FolderTable, offset=(2, 0))
        assert app.names == sorted(app.names)
        await pilot.click(FolderTable, offset=(2, 0))
        assert app.names == sorted(app.names, reverse=True)


@piloted
async def test_an_empty_folder_says_how_to_make_one(tmp_path: Path) -> None:
    app = Harness(tmp_path)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert "kspy tap --kernel python3" in str(app.screen.query_one("#empty", Static).content)
        shutil.copy(RECORDINGS / "hello.kspy", tmp_path)
        await pilot.press("r")
        await settled(pilot, app)
        assert app.names == ["hello.kspy"]


@piloted
async def test_a_folder_that_vanishes(folder: Path) -> None:
    app = Harness(folder)
    async with app.run_test() as pilot:
        await settled(pilot, app)
        shutil.rmtree(folder)
        await pilot.press("r")
        await pilot.pause()
        assert len(app.names) == 4, "what was known stays"


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (200, 60)])
@piloted
async def test_many_recordings_in_any_terminal(tmp_path: Path, size: tuple[int, int]) -> None:
    for n in range(100):
        shutil.copy(RECORDINGS / "hello.kspy", tmp_path / f"session-{n:03}.kspy")
    app = Harness(tmp_path)
    async with app.run_test(size=size) as pilot:
        await settled(pilot, app)
        await pilot.press("G")
        await pilot.pause()
        assert app.table.cursor == 99
        assert any(app.names[99][:10] in line for line in app.lines)
        await pilot.press("pageup", "g")
        await pilot.pause()
        assert any(app.names[0][:10] in line for line in app.lines)
