"""The export dialog: what is asked, what is written, what is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exporting import everything, grown
from piloting import Coloured, piloted
from textual.widgets import Input, Static
from viewing import until

import kspy
from kspy.analysis.table import Table
from kspy.analysis.units import size
from kspy.export import chosen as chosen_module
from kspy.tui.desk import Desk
from kspy.tui.export_screen import Choice, ExportScreen
from kspy.tui.picker import Picker

HELLO = Path(__file__).parent.parent / "recordings" / "hello.kspy"


class Host(Coloured[None]):
    """An app with a desk, and the dialog over a screen with a word."""

    def __init__(self, table: Table, path: Path) -> None:
        super().__init__()
        self.dialog = ExportScreen(
            table,
            [
                Choice("the selected message", np.array([9], np.int32)),
                Choice("its thread", table.members(table.thread(9))),
                Choice("everything", np.array(everything(table), np.int32)),
            ],
            path,
        )
        self.results: list[Any] = []
        self.told: list[str] = []

    def compose(self) -> Any:
        yield Static("the screen beneath")

    def on_mount(self) -> None:
        self.desk = Desk()
        self.push_screen(self.dialog, self.results.append)

    def on_unmount(self) -> None:
        self.desk.close()

    def notify(self, message: str, **options: Any) -> None:
        self.told.append(message)

    def problem(self) -> str:
        return str(self.dialog.query_one("#problem", Static).content)


@pytest.fixture
def host(tmp_path: Path) -> Any:
    with kspy.open(HELLO) as recording:
        yield Host(grown(recording), tmp_path / "part.kspy")


@piloted
async def test_the_thread_as_a_recording(host: Host, tmp_path: Path) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "enter")
        await until(lambda: host.results)
    path = tmp_path / "part.kspy"
    assert host.results == [path]
    with kspy.open(path) as part:
        assert part[0].msg_type == "execute_request"
        assert len(part.threads()) == 1
        assert host.told == [f"{len(part)} messages to {path}, {size(path.stat().st_size)}"]


@piloted
async def test_the_name_follows_the_form(host: Host, tmp_path: Path) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        file = host.dialog.query_one(Input)
        assert file.value == str(tmp_path / "part.kspy")
        await pilot.press("tab", "down")
        assert file.value == str(tmp_path / "part.jsonl")
        await pilot.press("down", "enter")
        await until(lambda: host.results)
    assert host.results == [tmp_path / "part.txt"]
    assert "execute_request" in (tmp_path / "part.txt").read_text("utf-8")


@piloted
async def test_the_first_free_number_is_offered(host: Host, tmp_path: Path) -> None:
    for name in ("part.kspy", "part.jsonl", "part-2.jsonl"):
        (tmp_path / name).touch()
    async with host.run_test(size=(80, 24)) as pilot:
        file = host.dialog.query_one(Input)
        assert file.value == str(tmp_path / "part-2.kspy")
        await pilot.press("tab", "down")
        assert file.value == str(tmp_path / "part-3.jsonl")
        (tmp_path / "part-2.kspy").touch()
        await pilot.press("up")
        assert file.value == str(tmp_path / "part-3.kspy")
        file.value = str(tmp_path / "mine-2.kspy")
        await pilot.press("down")
        assert file.value == str(tmp_path / "mine-2.jsonl"), "a number of the user's own stays"


@piloted
async def test_a_name_acts_on_no_terminal(host: Host, tmp_path: Path) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        file = host.dialog.query_one(Input)
        file.value = "a\x1b]0;b\x01c\u202ed.kspy"
        await pilot.pause()
        shown = file.render_line(0).text
        assert "a␛]0;b␁c\ufffdd.kspy" in shown


@piloted
async def test_nothing_is_written_over_without_asking(host: Host, tmp_path: Path) -> None:
    there = tmp_path / "there.kspy"
    there.write_text("mine")
    async with host.run_test(size=(80, 24)) as pilot:
        host.dialog.query_one(Input).value = str(there)
        await pilot.pause()
        await pilot.press("enter")
        assert "there.kspy exists already" in host.problem()
        assert there.read_text() == "mine"
        await pilot.press("enter")
        await until(lambda: host.results)
    assert kspy.open(there).metadata["extract"]["messages"] == 1


@piloted
async def test_a_name_that_is_taken_is_not_offered(tmp_path: Path) -> None:
    (tmp_path / "part.kspy").touch()
    with kspy.open(HELLO) as recording:
        host = Host(grown(recording), tmp_path / "part.kspy")
        async with host.run_test(size=(80, 24)):
            assert host.dialog.query_one(Input).value == str(tmp_path / "part-2.kspy")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "Name a file"),
        ("{}", "no regular file"),
        ("{}/no/such/folder.kspy", "cannot be written: No such file"),
        (str(HELLO), "is the recording itself"),
        ("~nobody-of-that-name/a.kspy", "no such user"),
        ("a\0b", "null"),
        ("{}/" + "n" * 300, "too long"),
    ],
)
@piloted
async def test_what_cannot_be_is_said(host: Host, tmp_path: Path, name: str, problem: str) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        host.dialog.query_one(Input).value = name.format(tmp_path)
        await pilot.pause()
        await pilot.press("enter")
        await until(host.problem)
        assert problem in host.problem()
        assert "\n" not in host.problem()
        await pilot.press("escape")
    assert host.results == [None]
    assert list(tmp_path.iterdir()) == []


@piloted
async def test_escape_stops_and_leaves_nothing(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chosen_module, "STEP_SECONDS", 0)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "down")
        host.dialog.action_export()
        host.dialog.action_leave()
        assert host.problem() == "Stopped."
        await until(lambda: not host.desk.busy)
        assert list(tmp_path.iterdir()) == []
        await pilot.press("escape")
    assert host.results == [None]


@piloted
async def test_the_picture_is_of_the_screen_beneath(host: Host, tmp_path: Path) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.press("tab", "up", "down", "down", "down")
        assert host.dialog.query_one("#what", Picker).disabled
        await pilot.press("enter")
        await until(lambda: host.told)
    svg = (tmp_path / "part.svg").read_text("utf-8").replace("&#160;", " ")
    assert "the screen beneath" in svg
    assert "JSON lines" not in svg


@pytest.mark.parametrize("size_", [(20, 5), (40, 12), (80, 24), (200, 60)])
@piloted
async def test_it_works_on_any_terminal(host: Host, size_: tuple[int, int]) -> None:
    async with host.run_test(size=size_) as pilot:
        await pilot.press("tab", "tab", "enter")
        await until(lambda: host.results)
