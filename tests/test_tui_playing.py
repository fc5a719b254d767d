"""Playing a recording back: what was there at each moment, and nothing more."""

from __future__ import annotations

from pathlib import Path

import pytest
from conversation import MILLISECOND, Conversation
from piloting import piloted
from viewing import RECORDINGS, viewing

HELLO = RECORDINGS / "hello.kspy"


@piloted
async def test_steps_show_one_message_more_or_less() -> None:
    async with viewing(HELLO, "g", "full_stop", "full_stop") as viewer:
        shown = viewer.main.viewing.moment
        assert shown is not None
        assert viewer.rows[-1] == viewer.row
        await viewer.enter("full_stop")
        assert viewer.main.viewing.moment == shown + 1
        await viewer.enter("comma", "comma")
        assert viewer.main.viewing.moment == shown - 1
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
        items = len(viewer.main.viewing.everything)
        await viewer.wait_for(lambda: viewer.main.viewing.moment == items, "the end")
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


def _with_events(path: Path) -> None:
    """A second before, between and after two messages: events."""
    with Conversation(path) as talk:
        talk.event("kernel_started")
        talk.now_ns += 1_000 * MILLISECOND
        talk.status("busy")
        talk.now_ns += 1_000 * MILLISECOND
        for name in ("kernel_interrupted", "interrupted_again"):
            talk.event(name)
            talk.now_ns += 1_000 * MILLISECOND
        talk.status("idle")
        for name in ("heartbeat_lost", "heartbeat_back", "kernel_died"):
            talk.now_ns += 1_000 * MILLISECOND
            talk.event(name)


@pytest.mark.parametrize("mode", ["", "t"])
@pytest.mark.parametrize("filter_", ["", "is:event or state:idle"])
@piloted
async def test_events_come_at_their_own_times(tmp_path: Path, mode: str, filter_: str) -> None:
    path = tmp_path / "events.kspy"
    _with_events(path)
    async with viewing(path, *mode, filter_text=filter_) as viewer:
        screen = viewer.main
        every = screen.viewing.lines.tolist()
        seen = []
        await viewer.enter("g", "full_stop", "comma", "comma")
        for _ in range(len(screen.viewing.everything)):
            seen.append((screen.viewing.lines.tolist(), screen.viewing.shown))
            await viewer.enter("full_stop")
        expected = [
            number for number, item in enumerate(screen.viewing.everything) if item in every
        ]
        assert [len(lines) for lines, _ in seen] == [
            sum(1 for place in expected if place <= number) for number in range(len(seen))
        ]
        assert all(len(lines) == shown for lines, shown in seen)
        assert seen[-1][0] == every


@piloted
async def test_the_clock_is_that_of_the_whole_recording(tmp_path: Path) -> None:
    path = tmp_path / "events.kspy"
    _with_events(path)
    async with viewing(path, "g", *["full_stop"] * 4) as viewer:
        playback = viewer.main.playback
        assert playback is not None
        assert playback.length_ns == 7_002 * MILLISECOND
        assert "7.0 s" in viewer.status or "7.00 s" in viewer.status
        moment = viewer.main.viewing.moment
        assert moment is not None
        items = viewer.main.viewing.everything
        since = viewer.main.viewing.table.item_time_ns(int(items[moment - 1]))
        since -= viewer.main.viewing.table.start_ns
        assert playback.elapsed_ns(0.0) == since > 0
        await viewer.enter("G", *["full_stop"] * 9)
        assert playback.elapsed_ns(0.0) == playback.length_ns


@piloted
async def test_the_kernel_dies_when_it_died(tmp_path: Path) -> None:
    path = tmp_path / "events.kspy"
    _with_events(path)
    async with viewing(path, "G", "k", "full_stop", "comma", "comma") as viewer:
        assert "idle" in viewer.status
        await viewer.enter(*["full_stop"] * 2)
        assert "dead" in viewer.status


@piloted
async def test_what_comes_meanwhile_is_played_too(tmp_path: Path) -> None:
    path = tmp_path / "grows.kspy"
    with Conversation(path) as talk:
        talk.status("busy")
        talk.now_ns += 1_000 * MILLISECOND
        talk.status("idle")
        talk.writer.flush()
        async with viewing(path, "g", "full_stop") as viewer:
            playback = viewer.main.playback
            assert playback is not None
            talk.now_ns += 1_000 * MILLISECOND
            talk.status("busy")
            talk.event("kernel_died")
            talk.writer.flush()
            await viewer.wait_for(lambda: len(playback) == 4, "what has come")
            assert playback.length_ns == 2_003 * MILLISECOND
            await viewer.enter(*["full_stop"] * 4)
            assert len(viewer.main.viewing.lines) == 4


@piloted
async def test_a_recording_of_events_alone_is_played(tmp_path: Path) -> None:
    path = tmp_path / "events.kspy"
    with Conversation(path) as talk:
        talk.event("kernel_started")
        talk.now_ns += 1_000 * MILLISECOND
        talk.event("kernel_died")
    async with viewing(path, "g", "full_stop", "comma") as viewer:
        assert len(viewer.main.viewing.lines) == 1
        await viewer.enter("full_stop")
        assert len(viewer.main.viewing.lines) == 2


@piloted
async def test_nothing_to_play_is_said(tmp_path: Path) -> None:
    path = tmp_path / "empty.kspy"
    with Conversation(path):
        pass
    async with viewing(path, "space") as viewer:
        assert viewer.said == ["there is nothing to play back yet"]
        await viewer.enter("P")
        assert viewer.said[-1] == "nothing is being played back (space plays)"
