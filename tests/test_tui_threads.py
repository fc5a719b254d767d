"""Threads in the viewer: folds, states, latencies, and what waits."""

from __future__ import annotations

from pathlib import Path

from conversation import Conversation
from piloting import piloted
from viewing import RECORDINGS, viewing

ERROR = RECORDINGS / "error.kspy"


@piloted
async def test_threads_are_folded_and_unfold() -> None:
    async with viewing(ERROR, "t") as viewer:
        folded = len(viewer.rows)
        await viewer.enter("colon", "=9", "enter")
        assert "▸" in viewer.row
        assert "error" in viewer.row
        await viewer.enter("l")
        assert "▾" in viewer.row
        assert len(viewer.rows) == folded + 5
        await viewer.enter("j", "j", "h")
        assert "▾" in viewer.row  # from an answer to its request
        await viewer.enter("left")
        assert len(viewer.rows) == folded
        await viewer.enter("z")
        assert len(viewer.rows) == folded + 8
        await viewer.enter("z")
        assert len(viewer.rows) == folded


@piloted
async def test_a_fold_in_the_stream_says_what_to_do() -> None:
    async with viewing(ERROR, "l") as viewer:
        assert viewer.said == ["t shows threads, which can be folded"]


@piloted
async def test_the_selected_message_stays_selected_on_the_way_to_threads_and_back() -> None:
    async with viewing(ERROR, "n", "t") as viewer:
        assert "ZeroDivisionError" in viewer.row
        await viewer.enter("t")
        assert "ZeroDivisionError" in viewer.row


@piloted
async def test_a_jump_unfolds_the_thread_that_it_goes_to() -> None:
    async with viewing(ERROR, "t", "n") as viewer:
        assert "ZeroDivisionError" in viewer.row
        assert len([row for row in viewer.rows if "▾" in row]) == 1


@piloted
async def test_with_a_filter_what_matches_is_seen_unfolded_and_folds_come_back() -> None:
    async with viewing(ERROR, "t") as viewer:
        folded = viewer.rows
        await viewer.enter("slash", "=ZeroDivisionError", "enter")
        assert any("iopub   error" in row for row in viewer.rows)
        await viewer.enter("z")
        assert not any("iopub   error" in row for row in viewer.rows)
        await viewer.enter("escape")
        assert viewer.rows == folded


@piloted
async def test_states_and_latencies(tmp_path: Path) -> None:
    path = tmp_path / "states.kspy"
    with Conversation(path) as talk:
        good = talk.ask("execute_request", {"code": "good"})
        talk.status("busy", good)
        talk.reply(good)
        talk.status("idle", good)
        talk.division_by_zero()
        talk.reply(talk.ask("execute_request", {"code": "late"}), {"status": "aborted"})
        talk.ask("execute_request", {"code": "for ever"})
        talk.publish("stream", {"name": "stdout", "text": "of nobody"})
    async with viewing(path, "t", size=(220, 40)) as viewer:
        fine, bad, late, open_, stray = viewer.rows
        assert fine.split()[-7:] == ["ok", "1.0", "ms", "2.0", "ms", "3.0", "ms"]
        assert "1/0" in bad
        assert " error " in bad
        assert " aborted " in late
        assert " waiting " in open_
        assert "of nobody" in stray


@piloted
async def test_what_is_in_no_thread_is_a_line_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "hb.kspy"
    with Conversation(path) as talk:
        talk.raw("hb", "to_kernel", [b"ping"], client=1)
        talk.raw("hb", "to_client", [b"ping"], client=1)
        talk.division_by_zero()
        talk.raw("hb", "to_kernel", [b"ping"], client=1)
        talk.event("heartbeat_lost", waited_ns=3)
    async with viewing(path, "t", "5") as viewer:
        assert [row.split()[2] for row in viewer.rows if " hb " in row] == ["hb"] * 3
        assert len(viewer.rows) == 5
        assert "10 of 10" in viewer.status
        await viewer.enter("g", "l", "z", "E", "g")  # folding what does not fold does nothing
        assert "It is in no thread." in "\n".join(viewer.screen)
        await viewer.enter("G")
        assert "An event has no thread" in "\n".join(viewer.screen)
        await viewer.enter("slash", "=channel:hb", "enter")
        assert len(viewer.rows) == 3


@piloted
async def test_an_open_thread_says_since_when_it_waits(tmp_path: Path) -> None:
    path = tmp_path / "waits.kspy"
    talk = Conversation(path)
    talk.status("busy", talk.ask("execute_request", {"code": "while True: pass"}))
    talk.writer.flush()
    async with viewing(path, "t") as viewer:
        assert "waiting" in viewer.rows[0]
        assert "● busy" in viewer.status
        talk.writer.close()
