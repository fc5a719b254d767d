"""How a request fared: states and latencies, in recordings where a message takes 1 ms."""

from __future__ import annotations

from pathlib import Path

import pytest
from conversation import MILLISECOND, Conversation, serialize

import kspy
from kspy.analysis.timing import Timing, measure


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session.kspy"


def timings(path: Path) -> list[Timing]:
    with kspy.open(path) as recording:
        return [measure(thread) for thread in recording.threads()]


def milliseconds(timing: Timing) -> tuple[float | None, ...]:
    latencies = (timing.iopub_ns, timing.reply_ns, timing.idle_ns, timing.total_ns)
    return tuple(None if ns is None else ns / MILLISECOND for ns in latencies)


def test_a_cell_that_fails(path: Path) -> None:
    with Conversation(path) as talk:
        talk.division_by_zero()
    (timing,) = timings(path)
    assert timing.state == "error"
    assert milliseconds(timing) == (1, 4, 5, 5)


def test_the_reply_may_come_after_idle(path: Path) -> None:
    with Conversation(path) as talk:
        request = talk.ask("kernel_info_request")
        talk.status("busy", request)
        talk.status("idle", request)
        talk.reply(request)
    (timing,) = timings(path)
    assert timing.state == "ok"
    assert milliseconds(timing) == (1, 3, 2, 3)


def test_no_reply_is_waiting_even_when_the_kernel_is_idle(path: Path) -> None:
    with Conversation(path) as talk:
        request = talk.ask("execute_request", {"code": "input()"})
        talk.status("busy", request)
        talk.status("idle", request)
    (timing,) = timings(path)
    assert timing.state == "waiting"
    assert timing.reply_ns is None


def test_an_error_without_a_status(path: Path) -> None:
    with Conversation(path) as talk:
        request = talk.ask("execute_request", {"code": "x"})
        _, frames = serialize("execute_reply", {"ename": "Error", "traceback": []}, request)
        talk.raw("shell", "to_client", frames)
    (timing,) = timings(path)
    assert timing.state == "error"


@pytest.mark.parametrize("status", ["aborted", "abort"])
def test_aborted(path: Path, status: str) -> None:
    with Conversation(path) as talk:
        request = talk.ask("execute_request", {"code": "x"})
        talk.reply(request, {"status": status})
    (timing,) = timings(path)
    assert timing.state == "aborted"
    assert milliseconds(timing) == (None, 1, None, 1)


def test_a_failed_debug_request_is_an_error(path: Path) -> None:
    with Conversation(path) as talk:
        request = talk.ask("debug_request", {"command": "attach"}, channel="control")
        talk.reply(request, {"success": False}, channel="control")
    (timing,) = timings(path)
    assert timing.state == "error"


def test_incomplete_code_is_a_good_answer(path: Path) -> None:
    with Conversation(path) as talk:
        request = talk.ask("is_complete_request", {"code": "for x in y:"})
        talk.reply(request, {"status": "incomplete"})
    (timing,) = timings(path)
    assert timing.state == "ok"


def test_comm_messages_wait_for_idle_and_for_no_reply(path: Path) -> None:
    with Conversation(path) as talk:
        talk.ask("comm_msg", {"comm_id": "a"})
        answered = talk.ask("comm_msg", {"comm_id": "a"})
        talk.status("idle", answered)
    waiting, done = timings(path)
    assert (waiting.state, done.state) == ("waiting", "ok")


def test_what_nobody_asked_for_has_no_state(path: Path) -> None:
    with Conversation(path) as talk:
        talk.status("starting")
    (timing,) = timings(path)
    assert timing == Timing(None, None, None, None)
