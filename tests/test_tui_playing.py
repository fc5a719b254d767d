"""Playing a recording back: what was there at each moment, and nothing more."""

from __future__ import annotations

from pathlib import Path

from conversation import MILLISECOND, Conversation
from piloting import piloted
from viewing import RECORDINGS, viewing

HELLO = RECORDINGS / "hello.kspy"


@piloted
async def test_steps_show_one_message_more_or_less() -> None:
    async with viewing(HELLO, "g", "full_stop", "full_stop") as viewer:
        shown = viewer.main.viewing.limit
        assert shown is not None
        assert viewer.rows[-1] == viewer.row
        await viewer.enter("full_stop")
        assert viewer.main.viewing.limit == shown + 1
        await viewer.enter("comma", "comma")
        assert viewer.main.viewing.limit == shown - 1
        await viewer.enter("P")
        assert "36 of 36" in viewer.status


@piloted
async def test_the_kernel_is_in_the_state_of_that_moment() -> None:
    async with viewing(HELLO, "colon", "=10", "enter", "full_stop") as viewer:
        assert "● busy" in viewer.status
        await viewer.enter("P")
        assert "● ended" in viewer.status


@piloted
async def test_it_plays_to_the_end_and_begins_again() -> None:
    async with viewing(HELLO, "g", "plus", "plus", "plus", "space") as viewer:
        messages = len(viewer.main.viewing.table)
        await viewer.wait_for(lambda: viewer.main.viewing.limit == messages, "the end")
        await viewer.settle()
        playback = viewer.main.playback
        assert playback is not None
        assert not playback.playing


@piloted
async def test_long_silences_are_squeezed_on_demand(tmp_path: Path) -> None:
    path = tmp_path / "silence.kspy"
    with Conversation(path) as talk:
        talk.status("busy")
        talk.now_ns += 3_600_000 * MILLISECOND
        talk.status("idle")
    async with viewing(path, "g", "S", "space") as viewer:
        await viewer.wait_for(lambda: viewer.main.viewing.limit == 2, "the end of the silence")


@piloted
async def test_a_click_on_the_timeline_seeks() -> None:
    async with viewing(HELLO, "g", "full_stop") as viewer:
        timeline = viewer.main.timeline
        await viewer.pilot.click(timeline, offset=(timeline.size.width - 2, 2))
        await viewer.settle()
        limit = viewer.main.viewing.limit
        assert limit is not None
        assert limit > 20


@piloted
async def test_nothing_to_play_is_said(tmp_path: Path) -> None:
    path = tmp_path / "empty.kspy"
    with Conversation(path):
        pass
    async with viewing(path, "space") as viewer:
        assert viewer.said == ["there is nothing to play back yet"]
        await viewer.enter("P")
        assert viewer.said[-1] == "nothing is being played back (space plays)"
