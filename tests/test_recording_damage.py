"""Damage costs what is damaged, and nothing else: cut, flipped, overwritten, nested."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import Happened, Said, Told, entries, only_messages, read, read_everything, write

import kspy
from kspy.recording.repair import repair
from kspy.recording.writer import Writer


def ping(number: int) -> Said:
    return Said(number, "hb", "to_kernel", [b"ping %d" % number])


def status(number: int) -> Said:
    header = b'{"msg_id":"%d","msg_type":"status"}' % number
    frames = [b"status", b"<IDS|MSG>", b"", header, b'{"msg_id":"0"}', b"{}", b"{}"]
    return Said(number, "iopub", "to_client", frames)


SMALL: list[list[Said | Happened]] = [
    [ping(0), status(1)],
    [Happened(2, "kernel_died", {}), ping(2)],
    [status(3)],
    [ping(4)],
]


def kept_elsewhere(path: Path, first: int, stop: int) -> list[Told]:
    """The messages of the chunks that no byte from `first` to `stop` belongs to."""
    kept: list[Told] = []
    told = only_messages(read(path))
    chunks = [entry for entry in entries(path) if entry.kind == "chunk"]
    for entry, stories in zip(chunks, SMALL, strict=True):
        n = sum(isinstance(story, Said) for story in stories)
        if entry.stop <= first or stop <= entry.offset:
            kept += told[:n]
        told = told[n:]
    return kept


def flips(path: Path, target: Path, step: int) -> Iterator[tuple[int, int]]:
    """Write `target` with one bit flipped, and say which, for every `step`th bit."""
    whole = path.read_bytes()
    for bit in range(0, len(whole) * 8, step):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        target.write_bytes(flipped)
        yield divmod(bit, 8)


def test_any_bit(tmp_path: Path) -> None:
    path, flipped = tmp_path / "whole.kspy", tmp_path / "flipped.kspy"
    write(path, SMALL)
    kept = [kept_elsewhere(path, at, at + 1) for at in range(path.stat().st_size)]
    everything = only_messages(read(path))
    for at, bit in flips(path, flipped, 11):
        found = only_messages(read_everything(flipped))
        assert [message for message in found if message not in everything] == [], (at, bit)
        assert [message for message in kept[at] if message not in found] == [], (at, bit)


def test_any_bit_repaired(tmp_path: Path) -> None:
    path, flipped, fixed = (tmp_path / name for name in ("whole", "flipped", "fixed"))
    write(path, SMALL)
    for _ in flips(path, flipped, 61):
        report = repair(flipped, fixed, overwrite=True)
        found = only_messages(read(flipped))
        assert only_messages(read(fixed)) == found
        assert report.messages == len(found)
        with kspy.open(fixed) as recording:
            assert recording.state == "whole"
            assert len(recording) == len(found)
            assert [e for e in recording.events if e.name == "gap"] == report.gaps
            assert recording.metadata["repaired"] is True
            assert recording.state == "whole"


def test_cut_anywhere(tmp_path: Path) -> None:
    path, cut = tmp_path / "whole.kspy", tmp_path / "cut.kspy"
    write(path, SMALL)
    whole = path.read_bytes()
    told = only_messages(read(path))
    stops = [entry.stop for entry in entries(path) if entry.kind == "chunk"]
    counts = [sum(isinstance(story, Said) for story in stories) for stories in SMALL]
    for size in sorted({*range(0, len(whole), 3), *stops, *(stop - 1 for stop in stops)}):
        cut.write_bytes(whole[:size])
        complete = sum(n for n, stop in zip(counts, stops, strict=True) if stop <= size)
        assert only_messages(read_everything(cut)) == told[:complete], size
        if complete:
            with kspy.open(cut) as recording:
                assert recording.state == "cut"
            repair(cut, tmp_path / "fixed.kspy", overwrite=True)
            assert only_messages(read(tmp_path / "fixed.kspy")) == told[:complete]


@settings(max_examples=100)
@given(st.integers(0, 1200), st.integers(0, 300), st.binary(max_size=300))
def test_bytes_overwritten_inserted_or_taken_out(at: int, length: int, junk: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, damaged = Path(folder, "whole.kspy"), Path(folder, "damaged.kspy")
        write(path, SMALL)
        whole = path.read_bytes()
        at = min(at, len(whole))
        damaged.write_bytes(whole[:at] + junk + whole[at + length :])
        kept = kept_elsewhere(path, at, max(at + length, at + 1))
        found = only_messages(read_everything(damaged))
        if any(entry.kind == "chunk" and entry.offset >= at + length for entry in entries(path)):
            assert [message for message in kept if message not in found] == []
        else:
            assert found[: len(kept)] == kept[: len(found)]


def test_a_damaged_chunk_is_a_gap_that_says_how_many(tmp_path: Path) -> None:
    path = tmp_path / "damaged.kspy"
    write(path, SMALL)
    first = next(entry for entry in entries(path) if entry.kind == "chunk")
    data = bytearray(path.read_bytes())
    data[first.stop - 8] ^= 255
    path.write_bytes(data)
    with kspy.open(path) as recording:
        (gap,) = [event for event in recording.events if event.name == "gap"]
        assert gap.seq == 2
        assert gap.data == {
            "lost": 2,
            "bytes": first.stop - first.offset,
            "why": "damaged",
        }
        assert recording.state == "damaged"


def test_a_piece_of_a_large_message_lost(tmp_path: Path) -> None:
    path, fixed = tmp_path / "large.kspy", tmp_path / "fixed.kspy"
    large = random.Random(1).randbytes(12_000_000)
    write(path, [[ping(0), Said(1, "shell", "to_kernel", [b"id", large]), ping(2)]])
    pieces = [entry for entry in entries(path) if entry.kind == "more"]
    data = bytearray(path.read_bytes())
    data[pieces[1].start + 1000] ^= 1
    path.write_bytes(data)
    repair(path, fixed)
    for name in (path, fixed):
        with kspy.open(name) as recording:
            first, cut, last = recording
            assert (first.flags, last.flags) == ((), ())
            assert cut.flags == ("malformed", "truncated")
            assert cut.frames[0] == b"id"
            assert large.startswith(cut.frames[1])
            assert len(cut.frames[1]) > 4_000_000


@pytest.mark.parametrize("damage", ["mark", "length", "header"])
def test_a_recording_within_a_buffer_is_not_taken_for_this_one(tmp_path: Path, damage: str) -> None:
    """Bytes that do not compress are in the file as they are, marks and all."""
    inner, path = tmp_path / "inner.kspy", tmp_path / "outer.kspy"
    write(inner, SMALL)
    hidden = random.Random(2).randbytes(5000) + inner.read_bytes()
    told = only_messages(
        write(path, [[ping(0)], [Said(1, "shell", "to_kernel", [hidden])], [ping(2)]])
    )
    second = [entry for entry in entries(path) if entry.kind == "chunk"][1]
    data = bytearray(path.read_bytes())
    assert data.count(inner.read_bytes()[:40]) == 1
    data[{"mark": second.offset, "length": second.start - 2, "header": 3}[damage]] ^= 4
    path.write_bytes(data)
    found = only_messages(read(path))
    assert [message for message in found if message not in told] == []
    assert {0, 2} <= {message[0] for message in found}


def test_an_older_copy_of_itself_within_a_buffer_is_not_told_twice(tmp_path: Path) -> None:
    path = tmp_path / "itself.kspy"
    with Writer(path) as writer:
        for number in range(3):
            writer.write(*ping(number)[:4])
            writer.flush()
        while path.read_bytes().count(b"chunk") != 3:
            pass
        noise = random.Random(3).randbytes(5000)
        writer.write(3, "shell", "to_kernel", [noise, path.read_bytes()])
        writer.flush()
        writer.write(*ping(4)[:4])
    fourth = [entry for entry in entries(path) if entry.kind == "chunk"][3]
    data = bytearray(path.read_bytes())
    data[fourth.offset] ^= 1
    path.write_bytes(data)
    assert [message[0] for message in only_messages(read(path))] == [0, 1, 2, 4]


def test_the_rest_is_found_however_often_it_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "often.kspy"
    write(path, [[ping(number)] for number in range(300)])
    chunks = [entry for entry in entries(path) if entry.kind == "chunk"]
    data = bytearray(path.read_bytes())
    for entry in chunks[::2]:
        data[entry.offset + random.Random(entry.offset).randrange(8)] ^= 64
    path.write_bytes(data)
    found = [message[0] for message in only_messages(read(path))]
    assert found == list(range(1, 300, 2))
