"""What goes wrong with files, terminals and messages: a clear word on the screen, never a crash."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from conversation import Conversation, serialize
from piloting import piloted
from recorded import entries
from viewing import RECORDINGS, hurry, viewing

from kspy.analysis.sanitize import UNSAFE
from kspy.tui.keys import GROUPS
from kspy.wire.message import DECODE_LIMIT

HOSTILE: Final = [
    "\x1b]0;title\x07\x1b[2J\x1b[?1049l\x1b[31mred\x1b[0m"
    "\x9b31m \x90 \x85 \x00 \x08\x08\x08 \r\n \x7f \t",
    "\u202e desrever \u2066 isolated \u200b \ufeff \ud800 \U000e0041 שלום עולם العربية",
    "[bold]not markup[/bold] [link=https://example.org]no[/link] [/] :smile:"
    "👩‍👩‍👧‍👦 👍🏽 🇩🇪 漢字 a\u0301\u0302\u0303" + "\u0301" * 400,
    "x" * 20_000 + "\n" * 2_000,
]
_NONSENSE: Final[list[dict[str, Any]]] = [
    {},
    {"data": 3, "traceback": {}, "text": None, "code": [1, {}]},
]
_TYPES: Final = (
    "execute_result",
    "stream",
    "execute_input",
    "display_data",
    "error",
    "comm_msg",
    "status",
    "made_up",
)


def _frames(kind: str, content: Mapping[str, Any], parent: Mapping[str, Any]) -> list[bytes]:
    """A message that no Jupyter client can make: with halves of characters in it."""
    _, frames = serialize(kind, {}, parent, buffers=[b"\x1b[2J"])
    frames[-2] = json.dumps(content).encode()
    return frames


def hostile(path: Path) -> Path:
    """Every hostile text in every place of every kind of message."""
    with Conversation(path, {"kernel_name": HOSTILE[0]}) as talk:
        for text in HOSTILE:
            request, _ = serialize("execute_request", {})
            talk.raw("shell", "to_kernel", _frames("execute_request", {"code": text}, {}))
            for kind in _TYPES:
                bundle = dict.fromkeys(("text/plain", "text/html", "image/png", text), text)
                content = {
                    "text": text,
                    "name": text,
                    "code": text,
                    "data": bundle,
                    "traceback": [text, text],
                    "ename": text,
                    "evalue": text,
                    "comm_id": text,
                    "execution_state": text,
                    text[:50]: {text[:50]: [text]},
                }
                talk.raw("iopub", "to_client", _frames(kind, content, request))
            talk.event(text[:20] or "none", why=text)
        for nonsense in _NONSENSE:
            for kind in _TYPES:
                talk.publish(kind, nonsense)
        talk.raw("shell", "to_client", [b"no delimiter"])
        talk.raw("shell", "to_client", [b"<IDS|MSG>", b"", b"{", b"\xff", b"{}", b"[1]"])
        talk.raw("hb", "to_client", [])
    return path


@pytest.mark.parametrize("threads", [False, True])
@piloted
async def test_nothing_that_a_terminal_acts_upon_is_drawn(tmp_path: Path, threads: bool) -> None:
    async with viewing(hostile(tmp_path / "a.kspy"), threads=threads) as viewer:
        if threads:
            await viewer.enter("z")
        for tab in "12345":
            await viewer.enter(tab, "g")
            for _ in range(8):
                for line in viewer.screen:
                    assert not UNSAFE.search(line), repr(line)
                    assert "\x1b" not in line
                await viewer.hurry("ctrl+d")
            assert threads or viewer.main.stream.cursor == len(viewer.main.viewing.lines) - 1


@piloted
async def test_every_hostile_message_is_shown_by_every_tab(tmp_path: Path) -> None:
    async with viewing(hostile(tmp_path / "a.kspy"), size=(80, 24)) as viewer:
        lines = len(viewer.main.viewing.lines)
        for tab, step in ("1", 2), ("2", 3):
            await viewer.enter(tab, "g")
            for _ in range(lines // step):
                await viewer.hurry(*["j"] * step)
            await viewer.enter("G")
            assert viewer.main.stream.cursor == lines - 1


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (40, 10), (300, 100)])
@piloted
async def test_any_size_of_terminal(size: tuple[int, int]) -> None:
    async with viewing(RECORDINGS / "rich.kspy", size=size) as viewer:
        await viewer.enter("n", "enter", "2", "escape", "t", "slash", "=error", "enter", "V")
        assert viewer.rows or size[1] < 4
        await viewer.pilot.resize_terminal(120, 40)
        await viewer.settle()
        await viewer.pilot.resize_terminal(20, 5)
        await viewer.settle()


def _copy(folder: Path) -> Path:
    return Path(shutil.copy(RECORDINGS / "rich.kspy", folder))


@piloted
async def test_a_file_that_vanishes(tmp_path: Path) -> None:
    path = _copy(tmp_path)
    async with viewing(path) as viewer:
        path.unlink()
        await viewer.wait_for(lambda: "the file was removed" in viewer.status, "the notice")
        await viewer.enter("G", "enter", "2", "escape", "n")
        await viewer.enter("ctrl+r")
        assert "what was read of the file before stays" in viewer.said[-1]
        assert viewer.rows


@piloted
async def test_a_file_that_shrinks(tmp_path: Path) -> None:
    path = _copy(tmp_path)
    async with viewing(path) as viewer:
        os.truncate(path, 500)
        await viewer.wait_for(lambda: "cut" in viewer.status, "the notice")
        await viewer.enter("G", "k", "k", "enter", "2", "3", "4", "5", "escape", "n", "slash", "=x")
        await viewer.enter("enter")


@piloted
async def test_a_file_that_is_replaced(tmp_path: Path) -> None:
    path = _copy(tmp_path)
    async with viewing(path) as viewer:
        other = Path(shutil.copy(RECORDINGS / "error.kspy", tmp_path / "other"))
        other.rename(path)
        await viewer.wait_for(lambda: "replaced: ctrl+r" in viewer.status, "the notice")
        await viewer.enter("ctrl+r", "n")
        assert "ZeroDivisionError" in viewer.row
        assert "replaced" not in viewer.status


@piloted
async def test_a_file_that_is_written_over_in_place(tmp_path: Path) -> None:
    path = _copy(tmp_path)
    async with viewing(path) as viewer:
        path.write_bytes(b"\x00" * path.stat().st_size)
        await viewer.enter("G", "k", "k", "enter", "2", "4", "escape", "n", "t", "z", "slash", "=x")
        await viewer.enter("enter")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@piloted
async def test_a_file_that_is_cut(tmp_path: Path, share: float) -> None:
    path = _copy(tmp_path)
    os.truncate(path, int(path.stat().st_size * share))
    os.utime(path, (0, 0))
    async with viewing(path) as viewer:
        assert "cut short" in viewer.status


@piloted
async def test_a_message_that_is_too_large_to_be_decoded(tmp_path: Path) -> None:
    path = tmp_path / "large.kspy"
    with Conversation(path) as talk:
        talk.publish("stream", {"name": "stdout", "text": "x" * (DECODE_LIMIT + 1)})
        talk.publish("display_data", {"data": {}}, buffers=[bytes(200 << 20)])
    async with viewing(path) as viewer:
        begun = time.monotonic()
        await viewer.enter("1", "2", "3", "4", "5", "1")
        assert "too large to be decoded" in viewer.inspected
        await viewer.enter("j", "3")
        assert any("210 MB" in line for line in viewer.screen)
        await viewer.enter("Y", "escape", "slash", "=needle", "enter")
        assert time.monotonic() - begun < 60  # a hang, not a speed


@pytest.mark.parametrize("name", ["rich", "widget", "kernel-dies", "two-clients"])
@piloted
async def test_any_keys_in_any_order(tmp_path: Path, name: str) -> None:
    path = Path(shutil.copy(RECORDINGS / f"{name}.kspy", tmp_path))
    chance = random.Random(name)
    keys = [key for group in GROUPS.values() for line in group for key in line.keys.split(",")]
    keys = [key for key in keys if key not in ("q", "ctrl+q", "ctrl+p", "x", "w")]
    async with viewing(path, size=(100, 30)) as viewer:
        for _ in range(80):
            key = chance.choice([*keys, "enter", "escape", "a", "1", "space"])
            await hurry(viewer.pilot, key)
            if chance.random() < 0.1:
                await viewer.hurry("escape", "escape", "escape")  # out of dialogs and entries
        await viewer.settle()


@piloted
async def test_what_is_said_in_passing_is_clean_and_said_once(tmp_path: Path) -> None:
    with Conversation(tmp_path / "a.kspy") as talk:
        talk.publish("\x1b]0;owned\x07\u202etype", {})
    async with viewing(
        tmp_path / "a.kspy", "right_square_bracket", "right_square_bracket"
    ) as viewer:
        assert len(viewer.said) == 1
        assert not UNSAFE.search(viewer.said[0])
        assert "owned" in viewer.said[0]


@piloted
async def test_no_more_than_three_things_are_said_at_once(tmp_path: Path) -> None:
    async with viewing(_copy(tmp_path)) as viewer:
        for number in range(5):
            viewer.app.notify(f"thing {number}")
        await viewer.settle()
        assert viewer.said == ["thing 2", "thing 3", "thing 4"]


@piloted
async def test_damage_that_no_line_shows_is_in_the_status(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with Conversation(path) as talk:
        for number in range(60):
            talk.publish("stream", {"name": "stdout", "text": f"line {number}"})
            talk.writer.flush()
    fiftieth = [entry for entry in entries(path) if entry.kind == "chunk"][50]
    with path.open("r+b") as file:
        file.seek(fiftieth.stop - 20)
        file.write(b"damage")
    async with viewing(path) as viewer:
        assert not [row for row in viewer.rows if "cannot be read" in row]
        assert " damaged " in viewer.status
        await viewer.enter("G")
        assert "cannot be read" in "\n".join(viewer.rows)
        assert "line 59" in viewer.rows[-1]


@piloted
async def test_the_palette_offers_the_themes_of_kspy_alone(tmp_path: Path) -> None:
    async with viewing(_copy(tmp_path), "ctrl+p", "=theme") as viewer:
        await viewer.wait_for(lambda: "kspy-light" in "\n".join(viewer.screen), "the themes")
        screen = "\n".join(viewer.screen)
        assert "nord" not in screen
        assert "textual" not in screen
        await viewer.enter("ctrl+u", "=Theme: kspy-contrast")
        await viewer.wait_for(lambda: "kspy-light" not in "\n".join(viewer.screen), "the theme")
        await viewer.enter("enter")
        await viewer.wait_for(lambda: viewer.app.theme == "kspy-contrast", "its colours")


@piloted
async def test_a_setting_that_names_a_theme_of_somebody_else(tmp_path: Path) -> None:
    async with viewing(_copy(tmp_path), theme="nord") as viewer:
        assert viewer.app.theme == "kspy-dark"
