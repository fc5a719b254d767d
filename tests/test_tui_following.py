"""A recording that grows while it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conversation import Conversation
from piloting import piloted
from viewing import viewing


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Conversation]:
    with Conversation(tmp_path / "live.kspy") as talk:
        _print(talk, 60)
        yield talk


def _print(talk: Conversation, lines: int, first: int = 0) -> None:
    for number in range(first, first + lines):
        talk.publish("stream", {"name": "stdout", "text": f"line {number}"})
    talk.writer.flush()


def _path(talk: Conversation) -> Path:
    return Path(talk.writer.path)


@piloted
async def test_what_is_new_is_followed_until_one_scrolls_up(talk: Conversation) -> None:
    async with viewing(_path(talk)) as viewer:
        assert "recording" in viewer.status
        assert "following" in viewer.status
        assert viewer.rows[-1].endswith("line 59")
        _print(talk, 3, 60)
        await viewer.wait_for(lambda: viewer.rows[-1].endswith("line 62"), "line 62")
        await viewer.enter("k")
        assert "not following" in viewer.status
        rows = viewer.rows
        _print(talk, 100, 63)
        await viewer.wait_for(lambda: "163 messages" in viewer.status, "all messages")
        assert viewer.rows == rows
        await viewer.enter("end")
        assert viewer.rows[-1].endswith("line 162")
        _print(talk, 1, 163)
        await viewer.wait_for(lambda: viewer.row.endswith("line 163"), "line 163")


@piloted
async def test_a_filter_sees_what_is_new(talk: Conversation) -> None:
    async with viewing(_path(talk), "slash", "=needle", "enter") as viewer:
        assert viewer.rows == []
        talk.publish("stream", {"name": "stdout", "text": "a needle"})
        _print(talk, 1, 60)
        await viewer.wait_for(lambda: "1 of 62" in viewer.status, "the match")
        await viewer.wait_for(lambda: viewer.row.endswith("a needle"), "its summary")


@piloted
async def test_many_at_once_are_counted_where_they_are_not_drawn(talk: Conversation) -> None:
    async with viewing(_path(talk)) as viewer:
        _print(talk, 5_000, 60)
        await viewer.wait_for(lambda: "not drawn" in viewer.status, "what was not drawn")


@piloted
async def test_the_end_of_the_recording_is_said(talk: Conversation) -> None:
    async with viewing(_path(talk)) as viewer:
        talk.writer.close()
        await viewer.wait_for(lambda: "finished" in viewer.status, "its end")
        await viewer.enter("k", "F")
        assert viewer.said == ["the recording does not grow any more: nothing to follow"]


@piloted
async def test_a_reply_that_comes_later_changes_its_request(talk: Conversation) -> None:
    request = talk.ask("execute_request", {"code": "slow()"})
    talk.writer.flush()
    async with viewing(_path(talk), "t") as viewer:
        assert "waiting" in viewer.row
        talk.reply(request)
        talk.writer.flush()
        await viewer.wait_for(lambda: " ok " in viewer.row, "its state")


@piloted
async def test_a_filter_sees_the_last_messages_of_a_recording_that_ends(talk: Conversation) -> None:
    request = talk.ask("execute_request", {"code": "slow()"})
    talk.writer.flush()
    async with viewing(_path(talk), "slash", "=state:ok", "enter", "w") as viewer:
        assert viewer.rows == []
        talk.reply(request)
        talk.publish("stream", {"name": "stdout", "text": "the last"})
        talk.writer.close()
        await viewer.wait_for(lambda: "finished" in viewer.status, "its end")
        await viewer.settle()
        assert "slow()" in viewer.rows[0]
        assert len(viewer.rows) == 2


@piloted
async def test_threads_show_the_last_messages_of_a_recording_that_ends(talk: Conversation) -> None:
    _print(talk, 30_000)
    async with viewing(_path(talk), "t", "z", "G") as viewer:
        talk.ask("execute_request", {"code": "the_last()"})
        talk.writer.close()
        await viewer.wait_for(lambda: "finished" in viewer.status, "its end")
        await viewer.settle()
        await viewer.enter("G")
        assert "the_last()" in viewer.row


@piloted
async def test_the_times_of_a_thread_go_on_while_they_are_looked_at(talk: Conversation) -> None:
    request = talk.ask("execute_request", {"code": "slow()"})
    talk.writer.flush()
    async with viewing(_path(talk), "G", "F", "5", "F") as viewer:
        assert "still waiting" in "\n".join(viewer.screen)
        talk.reply(request)
        talk.writer.flush()
        await viewer.wait_for(
            lambda: "still waiting" not in "\n".join(viewer.screen), "the reply among its times"
        )
