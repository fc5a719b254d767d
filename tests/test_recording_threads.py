"""Threads: a request and everything that answers it; whose parent is whose."""

from __future__ import annotations

from pathlib import Path

from conversation import Conversation, serialize
from recorded import entries

import kspy


def seqs(path: Path) -> list[list[int]]:
    with kspy.open(path) as recording:
        return [list(thread.seqs) for thread in recording.threads()]


def test_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "cell.kspy"
    with Conversation(path) as talk:
        talk.status("starting")
        talk.raw("hb", "to_kernel", [b"ping"])
        talk.division_by_zero()
        talk.raw("shell", "to_kernel", [b"junk"])
    assert seqs(path) == [[0], [2, 3, 4, 5, 6, 7], [8]]
    with kspy.open(path) as recording:
        thread = recording.threads()[1]
        assert (len(thread), thread.request.msg_type) == (6, "execute_request")
        assert thread.messages[-1].content == {"execution_state": "idle"}
        assert [message.msg_type for message in thread.messages[1:3]] == ["status", "execute_input"]


def test_requests_in_flight_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "two.kspy"
    with Conversation(path) as talk:
        first, second = talk.ask("execute_request"), talk.ask("complete_request", client=2)
        talk.status("busy", second)
        talk.reply(first)
        talk.reply(second, client=2)
    assert seqs(path) == [[0, 3], [1, 2, 4]]


def test_an_answer_without_a_parent_belongs_to_the_cell_that_asked(tmp_path: Path) -> None:
    path = tmp_path / "input.kspy"
    with Conversation(path) as talk:
        request = talk.ask("execute_request", {"code": "input()"})
        talk.ask("execute_request", {"code": "other"}, client=2)
        _, question = serialize("input_request", {"prompt": ""}, request)
        _, answer = serialize("input_reply", {"value": "x"})
        talk.raw("stdin", "to_client", question, client=1)
        talk.raw("stdin", "to_kernel", answer, client=2)
        talk.raw("stdin", "to_kernel", answer, client=1)
    assert seqs(path) == [[0, 2, 4], [1], [3]]


def test_an_id_used_twice_means_the_latest(tmp_path: Path) -> None:
    path = tmp_path / "twice.kspy"
    request, frames = serialize("execute_request", {})
    with Conversation(path) as talk:
        for _ in range(2):
            talk.raw("shell", "to_kernel", frames, client=1)
            talk.reply(request)
    assert seqs(path) == [[0, 1], [2, 3]]


def test_nothing_answers_an_output(tmp_path: Path) -> None:
    path = tmp_path / "outputs.kspy"
    output, frames = serialize("stream", {"text": ""})
    comm, opening = serialize("comm_open", {"comm_id": "a"})
    with Conversation(path) as talk:
        talk.raw("iopub", "to_client", frames)
        talk.publish("status", {}, output)
        talk.raw("iopub", "to_client", opening)
        talk.publish("comm_msg", {"comm_id": "a"}, comm)
    assert seqs(path) == [[0], [1], [2, 3]]


def test_parents_are_found_across_chunks_and_beside_lost_ones(tmp_path: Path) -> None:
    path = tmp_path / "lost.kspy"
    with Conversation(path) as talk:
        first = talk.ask("execute_request")
        talk.writer.flush()
        second = talk.ask("execute_request", client=2)
        talk.writer.flush()
        talk.reply(second, client=2)
        talk.writer.flush()
        talk.reply(first)
    assert seqs(path) == [[0, 3], [1, 2]]
    data = bytearray(path.read_bytes())
    chunks = [entry for entry in entries(path) if entry.kind == "chunk"]
    data[chunks[1].stop - 1] ^= 1
    path.write_bytes(data[:-1])
    assert seqs(path) == [[0, 3], [2]]
