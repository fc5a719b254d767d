"""What of a thread came when; and what each frame of a message is."""

from __future__ import annotations

from pathlib import Path

import pytest
from conversation import MILLISECOND, START_NS, Conversation, message, of_frames

import kspy
from kspy.analysis.table import Table
from kspy.analysis.waterfall import SHOWN, waterfall
from kspy.tui.detail.hex_view import buffer_sections, frame_sections


def table(path: Path) -> Table:
    with kspy.open(path) as recording:
        found = Table(recording)
        while not found.grow():
            pass
        return found


def test_a_mark_for_each_message_from_its_request_on(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with Conversation(path) as conversation:
        conversation.division_by_zero()
    found = waterfall(table(path), 0, START_NS)
    assert [mark.label for mark in found.marks] == [
        "execute_request",
        "status busy",
        "execute_input",
        "error",
        "execute_reply error",
        "status idle",
    ]
    assert [mark.offset_ns // MILLISECOND for mark in found.marks] == [0, 1, 2, 3, 4, 5]
    assert [mark.failed for mark in found.marks] == [False, False, False, True, True, False]
    assert found.length_ns == 5 * MILLISECOND
    assert not found.skipped


def test_of_a_long_thread_the_beginning_and_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with Conversation(path) as conversation:
        request = conversation.ask("execute_request", {"code": "x"})
        for number in range(SHOWN + 50):
            conversation.publish("stream", {"name": "stdout", "text": str(number)}, request)
    found = waterfall(table(path), 0, START_NS + 1000 * MILLISECOND)
    assert len(found.marks) == SHOWN
    assert found.skipped == 51
    places = [mark.place for mark in found.marks]
    assert places[found.skipped_after] - places[found.skipped_after - 1] == 52
    assert places[-1] == SHOWN + 50
    assert found.length_ns == 1000 * MILLISECOND, "it still waits"


def test_during_playback_only_what_came_by_then(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with Conversation(path) as conversation:
        conversation.division_by_zero()
    found = waterfall(table(path), 0, START_NS + 9 * MILLISECOND, limit=3)
    assert [mark.place for mark in found.marks] == [0, 1, 2]
    assert found.timing.state == "waiting"
    assert found.length_ns == 9 * MILLISECOND


def test_frames_are_named_and_the_signature_is_judged() -> None:
    sections = frame_sections(message("status", {}, buffers=[b"abc"]))
    roles = [section.role for section in sections]
    assert roles[:3] == ["topic", "delimiter", "signature"]
    assert roles[3:] == ["header", "parent_header", "metadata", "content", "buffer 0"]
    assert "right" in sections[2].verdict
    assert [section.size for section in buffer_sections(message("s", {}, buffers=[b"abc"]))] == [3]


@pytest.mark.parametrize("frames", [[], [b"a", b"b"]])
def test_frames_of_no_message_are_numbered(frames: list[bytes]) -> None:
    assert [s.role for s in frame_sections(of_frames(frames))] == [
        f"frame {n}" for n in range(len(frames))
    ]
