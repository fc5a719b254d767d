"""Jumping to what belongs together: request, reply, parent, errors, the same type, comm, client."""

from __future__ import annotations

from pathlib import Path

from conversation import Conversation
from piloting import piloted
from viewing import RECORDINGS, viewing

HELLO = RECORDINGS / "hello.kspy"
TWO = RECORDINGS / "two-clients.kspy"


@piloted
async def test_from_an_output_to_its_request_reply_and_parent() -> None:
    async with viewing(HELLO, "colon", "=12", "enter") as viewer:
        assert "hello⏎" in viewer.row
        await viewer.enter("r")
        assert 'execute_request      439 B print("hello")' in viewer.row
        await viewer.enter("R")
        assert "execute_reply        709 B ok [1]" in viewer.row
        await viewer.enter("p")
        assert 'execute_request      439 B print("hello")' in viewer.row
        await viewer.enter("p")
        assert viewer.said == ["no parent is known"]
        await viewer.enter("g", "p")
        assert viewer.said[-1] == "an event has no thread"


@piloted
async def test_errors_forward_and_back() -> None:
    async with viewing(RECORDINGS / "error.kspy", "n") as viewer:
        assert "ZeroDivisionError" in viewer.row
        await viewer.enter("e")
        assert "execute_reply" in viewer.row
        assert "error [1]" in viewer.row
        await viewer.enter("n")
        assert viewer.said == ["no error after this"]
        await viewer.enter("E")
        assert "iopub   error" in viewer.row
        await viewer.enter("N")
        assert viewer.said[-1] == "no error before this"


@piloted
async def test_a_kernel_that_died_is_an_error() -> None:
    async with viewing(RECORDINGS / "kernel-dies.kspy", "n") as viewer:
        assert "kernel died" in viewer.row


@piloted
async def test_the_next_and_the_one_before_of_the_same_type() -> None:
    async with viewing(HELLO, "colon", "=10", "enter") as viewer:
        await viewer.enter("right_square_bracket")
        assert "0.389 ← iopub   status               550 B idle" in viewer.row
        await viewer.enter("left_square_bracket", "left_square_bracket")
        assert "0.181 ← iopub   status               554 B idle" in viewer.row


@piloted
async def test_an_event_has_a_type_too() -> None:
    async with viewing(TWO) as viewer:
        await viewer.enter("colon", "=+0.19s", "enter")
        assert "subscribed: everything" in viewer.row
        await viewer.enter("right_square_bracket")
        assert "0.396 subscribed: everything" in viewer.row


@piloted
async def test_the_next_of_the_same_comm_passes_over_other_comms(tmp_path: Path) -> None:
    path = tmp_path / "comms.kspy"
    with Conversation(path) as talk:
        for comm in ("a", "b", "a"):
            talk.publish("comm_msg", {"comm_id": comm, "data": {"n": talk.now_ns % 1000}})
        talk.publish("comm_close", {"comm_id": "b"})
    async with viewing(path, "g", "right_curly_bracket") as viewer:
        assert viewer.main.stream.cursor == 2
        await viewer.enter("right_curly_bracket")
        assert viewer.said == ["no other message of this comm in this direction"]
        await viewer.enter("k", "right_curly_bracket")
        assert "comm_close" in viewer.row


@piloted
async def test_the_next_of_the_same_client() -> None:
    async with viewing(TWO, "slash", "=shared.append", "enter") as viewer:
        await viewer.enter("g", "escape", "right_parenthesis")
        assert viewer.row.split()[4] == "2"
        await viewer.enter("left_parenthesis", "left_parenthesis")
        assert viewer.row.split()[4] == "2"
        assert viewer.main.stream.cursor < 30


@piloted
async def test_a_jump_to_what_the_filter_leaves_out_is_said() -> None:
    async with viewing(HELLO, "slash", "=type:stream", "enter") as viewer:
        await viewer.enter("r")
        assert viewer.said == [
            "the request is not shown: the filter leaves it out (w: whole threads)"
        ]
        await viewer.enter("w", "r")
        assert "execute_request" in viewer.row
