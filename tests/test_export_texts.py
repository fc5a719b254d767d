"""Lines in a file: those that `kspy show` prints."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import kspy as command
from conversation import Conversation
from exporting import everything, grown, run

import kspy
from kspy.errors import KspyError
from kspy.export import chosen as chosen_module
from kspy.export.texts import write_json_lines, write_text, write_whole

RECORDINGS = sorted((Path(__file__).parent.parent / "recordings").glob("*.kspy"))
Write = Callable[..., Any]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
@pytest.mark.parametrize(("write", "options"), [(write_text, []), (write_json_lines, ["--json"])])
def test_the_whole_recording_is_what_show_prints(
    path: Path, write: Write, options: list[str], tmp_path: Path
) -> None:
    with kspy.open(path) as recording:
        table = grown(recording)
        exported = run(write(table, everything(table), tmp_path / "out"))
        assert exported.messages == len(table)
    out = tmp_path / "out"
    assert out.read_text("utf-8") == command("show", *options, path).stdout
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert exported.size == out.stat().st_size


def test_some_lines_keep_their_times(tmp_path: Path) -> None:
    path = RECORDINGS[0]
    with kspy.open(path) as recording:
        table = grown(recording)
        run(write_text(table, [9, 5], tmp_path / "out"))
    shown = command("show", path).stdout.splitlines()
    lines = (tmp_path / "out").read_text("utf-8").splitlines()
    assert len(lines) == 2
    assert set(lines) <= set(shown)


def test_text_of_strangers_is_no_line_of_its_own(tmp_path: Path) -> None:
    with Conversation(tmp_path / "a.kspy") as talk:
        talk.publish("stream", {"name": "stdout", "text": "a\nb\x1b[2J"})
    with kspy.open(tmp_path / "a.kspy") as recording:
        table = grown(recording)
        run(write_text(table, [0], tmp_path / "out.txt"))
        run(write_json_lines(table, [0], tmp_path / "out.jsonl"))
    (line,) = (tmp_path / "out.txt").read_text("utf-8").splitlines()
    assert "\x1b" not in line
    (line,) = (tmp_path / "out.jsonl").read_text("ascii").splitlines()
    assert json.loads(line)["content"]["text"] == "a\nb\x1b[2J"


@pytest.mark.parametrize("write", [write_text, write_json_lines])
def test_a_dropped_export_leaves_nothing(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chosen_module, "STEP_SECONDS", 0)
    with kspy.open(RECORDINGS[0]) as recording:
        table = grown(recording)
        work = write(table, range(9), tmp_path / "out")
        assert next(work).total == 9
        work.close()
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    assert write_whole("<svg/>", path) == 6
    with pytest.raises(KspyError, match="exists already"):
        write_whole("other", path)
    assert path.read_text() == "<svg/>"
    assert write_whole("é", path, overwrite=True) == 2
