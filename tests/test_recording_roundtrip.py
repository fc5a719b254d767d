"""What is written is read back equal: by walking, by the index, and by following."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import Said, entries, events, messages, only_messages, read, tell, write

import kspy
from kspy.recording.chunk import MORE_BYTES
from kspy.recording.index import BLOCK_MESSAGES
from kspy.recording.writer import Writer

stories = st.lists(st.lists(messages | events, max_size=6), max_size=4)
MEBIBYTE = 1 << 20


@settings(max_examples=100)
@given(stories)
def test_any_messages_and_events(chunks: list[list[Said]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any.kspy")
        told = write(path, chunks)
        assert read(path) == told
        with kspy.open(path) as recording:
            assert recording.state == "whole"
            assert [tell(recording[i]) for i in range(len(recording))] == only_messages(told)
            assert list(map(tell, recording.events)) == [s for s in told if len(s) == 4]
            assert list(map(tell, recording.follow())) == told


@settings(max_examples=50)
@given(stories)
def test_the_index_is_what_can_be_found_by_walking(chunks: list[list[Said]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, cut = Path(folder, "any.kspy"), Path(folder, "cut.kspy")
        write(path, chunks)
        index = next(entry for entry in entries(path) if entry.kind == "index")
        cut.write_bytes(path.read_bytes()[: index.offset])
        with kspy.open(path) as whole, kspy.open(cut) as walked:
            assert (whole.state, walked.state) == ("whole", "cut")
            for name in type(whole.columns).__slots__:
                assert getattr(whole.columns, name) == getattr(walked.columns, name), name


@pytest.mark.parametrize("size", [MEBIBYTE - 1, 2 * MEBIBYTE, 2 * MEBIBYTE + 1, 30_000_000])
def test_large_messages(tmp_path: Path, size: int) -> None:
    path = tmp_path / "large.kspy"
    large = bytes(range(256)) * (size // 256 + 1)
    small = Said(1, "shell", "to_kernel", [b"before"])
    buffer = Said(2, "iopub", "to_client", [b"topic", large[:size], b"", b"last"])
    told = write(path, [[small, buffer, small]])
    assert read(path) == told
    pieces = [entry for entry in entries(path) if entry.kind == "more"]
    spilled = size + 15 - MEBIBYTE if size + 15 > 2 * MEBIBYTE else 0
    assert len(pieces) == -(-spilled // MORE_BYTES)
    with kspy.open(path) as recording:
        assert list(recording[1].frame_sizes) == [5, size, 0, 4]
        assert recording[1].frames[3] == b"last"
        assert recording[-1].frames == [b"before"]


def test_many_messages_have_several_indexes(tmp_path: Path) -> None:
    path = tmp_path / "many.kspy"
    n = 2 * BLOCK_MESSAGES + 10
    with Writer(path) as writer:
        for number in range(n):
            writer.write(number, "hb", "to_kernel", [b"%d" % number])
            if number % 10_000 == 0:
                writer.flush()
    assert [entry.kind for entry in entries(path)].count("index") >= 2
    with kspy.open(path) as recording:
        assert len(recording) == n
        for number in (0, 1, BLOCK_MESSAGES, n - 1):
            assert recording[number].frames == [b"%d" % number]
            assert recording[number].seq == recording[number].time_ns == number


def test_places_are_those_of_a_list(tmp_path: Path) -> None:
    path = tmp_path / "ten.kspy"
    write(path, [[Said(t, "hb", "to_kernel", [b"%d" % t])] for t in range(10)])
    with kspy.open(path) as recording:
        assert [message.seq for message in recording[2:8:3]] == [2, 5]
        assert recording[-1].seq == 9
        for beyond in (10, -11):
            with pytest.raises(IndexError, match="has 10 messages"):
                _ = recording[beyond]


def test_numbers_left_out_are_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "gap.kspy"
    ping = Said(5, "hb", "to_kernel", [b"ping"])
    with Writer(path) as writer:
        writer.write(*ping[:4])
        writer.skip(3)
        writer.write(*ping[:4])
        writer.skip(2)
    told = read(path)
    assert [story[0] for story in only_messages(told)] == [0, 4]
    gap, last = (story for story in told if len(story) == 4)
    assert gap == (4, 5, "gap", {"lost": 3, "bytes": 0, "why": "not recorded"})
    assert (last[0], last[3]["lost"]) == (7, 2)


def test_a_recording_says_when_it_is_used_after_it_was_closed(tmp_path: Path) -> None:
    path = tmp_path / "closed.kspy"
    write(path, [[Said(1, "shell", "to_kernel", [bytes(3 * MEBIBYTE)])]])
    with kspy.open(path) as recording:
        message = recording[0]
    for look in (lambda: list(recording), lambda: recording.state, lambda: message.frames):
        with pytest.raises(ValueError, match="is closed"):
            look()
    recording.close()
