"""Every screen of the viewer, as it looked when somebody last looked at it and found it right.

After a change that is meant: `pytest tests/test_tui_snapshots.py --snapshot-update`, and look at
the report that pytest names, before and after, as pictures.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from viewing import QUIET_SECONDS, RECORDINGS, enter, settled

from kspy.tui.app import KspyApp


class Look(NamedTuple):
    """A theme and a size of terminal."""

    theme: str
    size: tuple[int, int]


LOOKS: Final = {
    "dark": Look("kspy-dark", (120, 40)),
    "light": Look("kspy-light", (120, 40)),
    "small": Look("kspy-dark", (80, 24)),
}


class Screen(NamedTuple):
    """How to get to it: the keys that are pressed one after the other; `=text` is pasted."""

    recording: str
    keys: tuple[str, ...] = ()
    diff: str = ""


SCREENS: Final = {
    "stream": Screen("two-clients"),
    "threads": Screen("error", ("t", "n", "l")),
    "waiting": Screen("kernel-dies", ("t", "G")),
    "error": Screen("error", ("n",)),
    "inspecting": Screen("error", ("n", "enter")),
    "picture": Screen("rich", ("slash", "=type:display_data", "enter")),
    "code": Screen("rich", ("slash", "=type:execute_request", "enter")),
    "tree": Screen("widget", ("slash", "=type:comm_*", "enter", "2", "enter")),
    "buffers": Screen("widget", ("slash", "=type:comm_open", "enter", "3", "enter")),
    "frames": Screen("hello", ("slash", "=type:execute_request", "enter", "4", "enter")),
    "timing": Screen("error", ("n", "5", "enter")),
    "filter": Screen("hello", ("slash", "=type:exe")),
    "filtered": Screen("hello", ("slash", "=type:execute_*", "enter")),
    "mistake": Screen("hello", ("slash", "=size>big")),
    "nothing": Screen("hello", ("slash", "=zzzzzz", "enter")),
    "found": Screen("hello", ("f", "=hello", "enter")),
    "help": Screen("hello", ("question_mark",)),
    "help-tree": Screen("hello", ("2", "enter", "question_mark")),
    "playback": Screen("hello", ("g", "full_stop", "full_stop", "full_stop")),
    "export": Screen("hello", ("x",)),
    "copy": Screen("hello", ("slash", "=type:execute_request", "enter", "Y")),
    "compare": Screen(
        "hello", ("n", "slash", "=type:execute_request", "enter", "g", "d", "j", "d")
    ),
    "threads-compared": Screen(
        "hello", ("slash", "=type:execute_request", "enter", "g", "D", "j", "D")
    ),
    "sessions": Screen("rich", (), "changed"),
    "sessions-hidden": Screen("rich", ("z",), "changed"),
    "sessions-thread": Screen("rich", ("enter",), "changed"),
    "bookmarks": Screen("hello", ("j", "j", "m", "=look here", "enter", "apostrophe")),
    "folder": Screen("."),
}


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, so that bookmarks and settings go nowhere else; and one place on earth."""
    monkeypatch.setenv("KSPY_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.setenv("TZ", "UTC")
    folder = tmp_path / "recordings"
    shutil.copytree(RECORDINGS, folder, ignore=shutil.ignore_patterns("*.md"))
    monkeypatch.chdir(folder)
    return folder


IN_LIGHT: Final = (
    "stream", "threads", "code", "error", "tree", "help", "mistake", "sessions"
)  # fmt: skip
"""The same colours are in these as in all."""


@pytest.mark.parametrize(
    ("name", "look"),
    [(name, look) for name in SCREENS for look in LOOKS if look != "light" or name in IN_LIGHT],
)
def test_screen(name: str, look: str, recordings: Path, snap_compare: Callable[..., bool]) -> None:
    screen, (theme, size) = SCREENS[name], LOOKS[look]
    path = Path() if screen.recording == "." else Path(f"{screen.recording}.kspy")
    diff = Path(f"{screen.diff}.kspy") if screen.diff else None
    app = KspyApp(path, theme=theme, diff=diff)

    async def walk(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        await enter(pilot, *screen.keys, pause=QUIET_SECONDS)
        await settled(pilot)
        for entry in app.screen.query(Input):
            entry.cursor_blink = False
        app.clear_notifications()
        await pilot.pause()
        assert app.failures == []

    before: Callable[[Pilot[Any]], Awaitable[None]] = walk
    assert snap_compare(app, run_before=before, terminal_size=size)
