"""What is kept of a folder of recordings, and what never goes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from conversation import Conversation

from kspy.errors import KspyError
from kspy.tap.limits import Limits
from kspy.tap.recordings_folder import kept, new_recording, tidy

DAY = 86_400


def fill(folder: Path, count: int) -> list[Path]:
    """Recordings a day apart, the oldest first; the last is a minute old."""
    paths = []
    for n in range(count):
        path = new_recording(folder, f"kernel{n}")
        with Conversation(path) as conversation:
            conversation.ask("execute_request", {"code": "1"})
        made = time.time() - (count - 1 - n) * DAY - 60
        os.utime(path, (made, made))
        paths.append(path)
    return paths


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_new_recordings_name_is_free_and_says_kernel_time_and_id(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    path = new_recording(folder, "my kernel/é", "0123abcd-ef01")
    assert path.parent == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert path.name.startswith("my-kernel-é-")
    assert path.name.endswith("-0123abcd.kspy")
    path.touch()
    again = new_recording(folder, "my kernel/é", "0123abcd-ef01")
    assert not again.exists()
    path.unlink()
    again.touch()
    assert [found.path for found in kept(folder)] == [again]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KspyError, match="cannot be made: "):
        new_recording(tmp_path / "file" / "folder", "k")


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        (Limits(), 5),
        (Limits(last=2), 2),
        (Limits(last=9), 5),
        (Limits(days=3), 3),
        (Limits(days=3, last=2), 2),
        (Limits(bytes=1), 1),
        (Limits(bytes=1 << 30), 5),
    ],
)
def test_the_oldest_go(tmp_path: Path, limits: Limits, left: int) -> None:
    paths = fill(tmp_path, 5)
    tidy(tmp_path, limits)
    assert names(tmp_path) == {path.name for path in paths[5 - left :]}


def test_bytes_are_counted_from_the_newest(tmp_path: Path) -> None:
    paths = fill(tmp_path, 5)
    tidy(tmp_path, Limits(bytes=sum(path.stat().st_size for path in paths[-3:])))
    assert names(tmp_path) == {path.name for path in paths[-3:]}


def test_bookmarks_go_with_their_recording_and_nothing_else_does(tmp_path: Path) -> None:
    paths = fill(tmp_path, 3)
    for path in paths:
        path.with_name(f"{path.name}.bookmarks").touch()
    others = {"notes.txt", "mine.kspy", "python3-20260101-000000-0000000.kspy"}
    for name in others:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    link = tmp_path / "python3-20260101-000000-00000000.kspy"
    link.symlink_to(tmp_path / "mine.kspy")
    tidy(tmp_path, Limits(last=1))
    last = paths[-1].name
    assert names(tmp_path) == {last, f"{last}.bookmarks", link.name, *others}


def test_whatever_a_kernel_is_called_its_recording_can_be_made(tmp_path: Path) -> None:
    path = new_recording(tmp_path, "核" * 200, "0123abcd-ef01")
    path.with_name(f"{path.name}.bookmarks").touch()
    path.touch()
    assert path.name.startswith("核" * 30)
    assert [one.path for one in kept(tmp_path)] == [path]


def test_one_that_is_being_written_stays(tmp_path: Path) -> None:
    growing = new_recording(tmp_path, "growing")
    with Conversation(growing) as conversation:
        conversation.ask("execute_request", {"code": "1"})
        os.utime(growing, (0, 0))
        fill(tmp_path, 2)
        tidy(tmp_path, Limits(last=1, days=1))
        assert growing.exists()
        assert len(names(tmp_path)) == 2
    os.utime(growing, (0, 0))
    tidy(tmp_path, Limits(last=1))
    assert not growing.exists()


def test_a_folder_that_is_gone_is_left_alone(tmp_path: Path) -> None:
    tidy(tmp_path / "gone", Limits(last=1))
    assert kept(tmp_path / "gone") == []
