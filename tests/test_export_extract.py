"""A smaller recording: every byte of what was chosen, and the truth about the rest."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conversation import Conversation
from exporting import everything, grown, run
from hypothesis import given
from hypothesis import strategies as st
from recorded import Happened, Said, entries, read, tell, write

import kspy
from kspy.analysis.table import Table
from kspy.errors import KspyError
from kspy.export import chosen as chosen_module
from kspy.export.extract import extract
from kspy.recording.event import Event
from kspy.wire.message import Message

RECORDINGS = sorted((Path(__file__).parent.parent / "recordings").glob("*.kspy"))


def untold(story: Message | Event) -> tuple[Any, ...]:
    """A story without its number: an extract has its own."""
    return tell(story)[1:]


@pytest.fixture(params=RECORDINGS, ids=lambda path: path.stem)
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    with kspy.open(request.param) as recording:
        yield grown(recording)


def test_the_whole_recording_is_the_same_again(table: Table, tmp_path: Path) -> None:
    path = tmp_path / "all.kspy"
    exported = run(extract(table, everything(table), path))
    assert read(path) == [tell(story) for story in table.recording.stories()]
    with kspy.open(path) as again:
        assert again.state == "whole"
        metadata = {**again.metadata}
        n = len(table)
        assert metadata.pop("extract") == {"messages": n, "of": n, "state": "whole"}
        assert metadata == {k: v for k, v in table.recording.metadata.items() if k != "kspy"} | {
            "kspy": 1
        }
    assert exported[1:] == (n, table.event_count, 0, path.stat().st_size)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_thread_stays_a_thread(table: Table, tmp_path: Path) -> None:
    for thread in range(table.thread_count):
        members = table.members(thread)
        path = tmp_path / f"{thread}.kspy"
        run(extract(table, members, path))
        with kspy.open(path) as again:
            assert [untold(m) for m in again] == [untold(table.load(p)) for p in members.tolist()]
            assert [m.seq for m in again] == list(range(len(members)))
            assert [len(found) for found in again.threads()] == [len(members)]
            assert again.events == []
            assert again.metadata["extract"]["of"] == len(table)


@given(data=st.data())
def test_any_items_in_any_order(data: st.DataObject, tmp_path_factory: Any) -> None:
    with kspy.open(data.draw(st.sampled_from(RECORDINGS))) as recording:
        table = grown(recording)
        items = data.draw(st.lists(st.sampled_from(everything(table))))
        path = tmp_path_factory.mktemp("any") / "any.kspy"
        run(extract(table, items, path))
        stories = [tell(story) for story in recording.stories()]
        wanted = [tell(table.item(item)) for item in set(items)]
        with kspy.open(path) as again:
            assert [untold(story) for story in again.stories()] == [
                story[1:] for story in stories if story in wanted
            ]


def test_an_extract_of_an_extract_knows_the_first(table: Table, tmp_path: Path) -> None:
    run(extract(table, range(5), tmp_path / "five.kspy"))
    with kspy.open(tmp_path / "five.kspy") as five:
        run(extract(grown(five), [1, 3], tmp_path / "two.kspy"))
    with kspy.open(tmp_path / "two.kspy") as two:
        assert two.metadata["extract"] == {"messages": 2, "of": len(table), "state": "whole"}
        assert [untold(m) for m in two] == [untold(table.load(p)) for p in (1, 3)]


def test_gaps_between_the_chosen_are_kept(tmp_path: Path) -> None:
    said = [Said(n, "shell", "to_kernel", [b"%d" % n]) for n in range(6)]
    gap = Happened(2, "gap", {"lost": 7, "why": "the disk was full"})
    write(tmp_path / "a.kspy", [[*said[:2], gap, Happened(2, "subscribed", {}), *said[2:]]])
    with kspy.open(tmp_path / "a.kspy") as recording:
        table = grown(recording)
        run(extract(table, [1, 2], tmp_path / "around.kspy"))
        run(extract(table, [3, 4], tmp_path / "after.kspy"))
    told = read(tmp_path / "around.kspy")
    assert [story[2] for story in told] == ["shell", "gap", "shell"]
    assert told[1][3] == {"lost": 7, "why": "the disk was full"}
    assert [story[2] for story in read(tmp_path / "after.kspy")] == ["shell", "shell"]


def test_what_cannot_be_read_is_a_gap(tmp_path: Path) -> None:
    said = [Said(n, "shell", "to_kernel", [b"%d" % n]) for n in range(6)]
    path = tmp_path / "a.kspy"
    write(path, [said[:2], said[2:4], said[4:]])
    with kspy.open(path) as recording:
        table = grown(recording)
        damaged = bytearray(path.read_bytes())
        damaged[entries(path)[1].stop - 6] ^= 0xFF
        path.write_bytes(damaged)
        exported = run(extract(table, range(6), tmp_path / "b.kspy"))
    assert exported[1:4] == (4, 0, 2)
    told = read(tmp_path / "b.kspy")
    assert [story[2] for story in told] == ["shell", "shell", "gap", "shell", "shell"]
    assert told[2][3]["lost"] == 2


def test_nothing_is_written_over(tmp_path: Path) -> None:
    source = tmp_path / "source.kspy"
    source.write_bytes(RECORDINGS[0].read_bytes())
    there = tmp_path / "there.kspy"
    there.write_text("mine")
    with kspy.open(source) as recording:
        table = grown(recording)
        with pytest.raises(KspyError, match="exists already"):
            run(extract(table, [0], there))
        with pytest.raises(KspyError, match="is the recording itself"):
            run(extract(table, [0], source, overwrite=True))
        (tmp_path / "link").symlink_to(source)
        with pytest.raises(KspyError, match="is the recording itself"):
            run(extract(table, [0], tmp_path / "link", overwrite=True))
        with pytest.raises(KspyError, match="no regular file"):
            run(extract(table, [0], tmp_path, overwrite=True))
        with pytest.raises(KspyError, match="cannot be written: No such file"):
            run(extract(table, [0], tmp_path / "no" / "folder.kspy"))
        with (
            Conversation(tmp_path / "live.kspy"),
            pytest.raises(KspyError, match="another kspy is recording"),
        ):
            run(extract(table, [0], tmp_path / "live.kspy", overwrite=True))
        assert there.read_text() == "mine"
        run(extract(table, [0], there, overwrite=True))
    assert len(read(there)) == 1
    assert not list(tmp_path.glob(".kspy-*"))


def test_what_comes_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    with kspy.open(RECORDINGS[0]) as recording:
        work = extract(grown(recording), [0, 1], tmp_path / "a.kspy")
        next(work)
        (tmp_path / "a.kspy").write_text("mine")
        with pytest.raises(KspyError, match="exists already"):
            run(work)
    assert [path.name for path in tmp_path.iterdir()] == ["a.kspy"]
    assert (tmp_path / "a.kspy").read_text() == "mine"


def test_a_dropped_export_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen_module, "STEP_SECONDS", 0)
    with kspy.open(RECORDINGS[0]) as recording:
        table = grown(recording)
        work = extract(table, everything(table), tmp_path / "a.kspy")
        assert next(work).done == 1
        assert len(list(tmp_path.iterdir())) == 1
        work.close()
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with kspy.open(RECORDINGS[0]) as recording:
        table = grown(recording)
        with pytest.raises(IndexError):
            run(extract(table, np.array([-1 - table.event_count]), tmp_path / "a.kspy"))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    said = [Said(n, "shell", "to_kernel", [os.urandom(100_000)]) for n in range(30)]
    write(tmp_path / "big.kspy", [said])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with kspy.open(tmp_path / "big.kspy") as recording:
        table = grown(recording)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
        try:
            with pytest.raises(KspyError, match=r"b\.kspy: cannot be written: File too large"):
                run(extract(table, range(30), tmp_path / "b.kspy"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["big.kspy"]
