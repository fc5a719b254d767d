"""The clock of playback: what is visible when, whatever the times of a recording are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from piloting import Coloured, piloted
from textual.app import ComposeResult

from kspy.replay.playback import SPEEDS, SQUEEZED_NS, Playback, Position
from kspy.tui.playback_bar import PlaybackBar

S = 1_000_000_000
START = 1_795_208_400_123_456_789

times = st.lists(st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(0, 10 * S), max_size=30)
ordered = st.lists(st.integers(0, 20 * S), min_size=1, max_size=30).map(
    lambda found: [START + t for t in sorted(found)]
)


def counts(playback: Playback, *moments: float) -> list[int]:
    return [playback.position(now).count for now in moments]


def test_messages_appear_when_they_came() -> None:
    playback = Playback([START, START + S, START + 3 * S])
    assert counts(playback, 0.0, 50.0) == [1, 1]
    playback.play(100.0)
    assert counts(playback, 100.0, 100.9, 101.0, 102.9) == [1, 1, 2, 2]
    assert playback.position(102.0).time_ns == START + 2 * S
    assert playback.playing
    assert playback.position(103.0) == Position(START + 3 * S, 3)
    assert not playback.playing, "the end stops it"
    assert playback.position(999.0) == Position(START + 3 * S, 3)


def test_pause_keeps_the_moment_and_play_goes_on_from_there() -> None:
    playback = Playback([0, S, 2 * S])
    playback.play(0.0)
    playback.pause(1.5)
    assert playback.position(70.0) == Position(1_500_000_000, 2)
    playback.toggle(100.0)
    assert counts(playback, 100.4, 100.6) == [2, 3]


def test_at_the_end_play_begins_again() -> None:
    playback = Playback([0, S])
    playback.play(0.0)
    assert counts(playback, 2.0) == [2]
    playback.play(10.0)
    assert counts(playback, 10.5, 11.0) == [1, 2]


@pytest.mark.parametrize("speed", SPEEDS)
def test_speeds(speed: float) -> None:
    playback = Playback([0, S])
    playback.set_speed(speed, 0.0)
    playback.play(0.0)
    assert counts(playback, 0.99 / speed, 1.01 / speed) == [1, 2]


def test_faster_and_slower_go_through_the_speeds_without_a_jump() -> None:
    playback = Playback([0, S, 10 * S])
    playback.play(0.0)
    playback.faster(1.5)
    assert playback.speed == 2.0
    assert playback.position(1.5) == Position(1_500_000_000, 2)
    assert playback.position(2.5).time_ns == 3_500_000_000
    for _ in SPEEDS:
        playback.faster(2.5)
    assert playback.speed == 100.0
    for _ in SPEEDS:
        playback.slower(2.5)
    assert playback.speed == 0.1
    assert playback.position(2.5).time_ns == 3_500_000_000


def test_steps_are_a_message_each_even_at_one_moment() -> None:
    playback = Playback([0, S, S, S, 2 * S])
    found = []
    for _ in range(6):
        playback.step(1, 0.0)
        found.append(playback.position(9.0))
    assert [p.count for p in found] == [2, 3, 4, 5, 5, 5]
    assert [p.time_ns // S for p in found] == [1, 1, 1, 2, 2, 2]
    for _ in range(6):
        playback.step(-1, 0.0)
    assert playback.position(0.0) == Position(0, 1)


def test_a_step_pauses() -> None:
    playback = Playback([0, S, 2 * S])
    playback.play(0.0)
    playback.step(1, 0.5)
    assert not playback.playing
    assert playback.position(5.0) == Position(S, 2)


def test_seeking() -> None:
    playback = Playback([START, START + S, START + 3 * S])
    playback.seek_time(START + 2 * S, 0.0)
    assert playback.position(0.0) == Position(START + 2 * S, 2)
    playback.seek_place(0, 0.0)
    assert playback.position(0.0) == Position(START, 1)
    playback.seek_place(99, 0.0)
    assert playback.position(0.0) == Position(START + 3 * S, 3)
    playback.seek_time(0, 0.0)
    assert playback.position(0.0) == Position(START, 1)
    playback.play(0.0)
    playback.seek_time(START + 2 * S, 0.5)
    assert playback.playing
    assert counts(playback, 1.4, 1.6) == [2, 3]


def test_silences_are_squeezed_on_demand_and_the_moment_stays() -> None:
    playback = Playback([0, S // 10, 100 * S, 100 * S + S // 10])
    playback.seek_time(50 * S, 0.0)
    playback.squeeze(True, 0.0)
    assert abs(playback.position(0.0).time_ns - 50 * S) < S
    assert playback.length_ns == 2 * S // 10 + SQUEEZED_NS
    playback.play(0.0)
    assert counts(playback, 0.2, 0.3) == [2, 3]
    playback.squeeze(False, 0.3)
    assert playback.length_ns == 100 * S + S // 10
    assert counts(playback, 0.3, 0.41) == [3, 4]


def test_times_that_go_back_a_little_come_with_the_message_before() -> None:
    playback = Playback([0, S, S - 1000, 2 * S])
    playback.play(0.0)
    assert counts(playback, 0.9999999, 1.0, 1.9, 2.0) == [1, 3, 3, 4]


def test_a_clock_that_was_set_back_does_not_bring_all_the_rest_at_once() -> None:
    hour = 3600 * S
    playback = Playback([hour, hour + S, 0, S, 2 * S])
    assert playback.length_ns == 3 * S
    playback.play(0.0)
    assert counts(playback, 0.5, 1.0, 2.5) == [1, 3, 4]
    assert playback.position(2.5).time_ns == S + S // 2


def test_nothing_to_play() -> None:
    playback = Playback([])
    playback.play(0.0)
    playback.step(1, 0.0)
    playback.seek_time(5, 0.0)
    playback.seek_place(5, 0.0)
    playback.squeeze(True, 0.0)
    assert playback.position(1.0) == Position(0, 0)
    assert not playback.playing
    playback.extend([START])
    assert playback.position(1.0) == Position(START, 1)


def test_a_clock_that_goes_back_is_no_matter() -> None:
    playback = Playback([0, S])
    playback.play(10.0)
    assert counts(playback, 9.0) == [1]


@given(times, st.lists(st.floats(0, 30), max_size=10), st.booleans(), st.sampled_from(SPEEDS))
def test_it_only_goes_on_and_every_message_comes(
    found: list[int], moments: list[float], squeezed: bool, speed: float
) -> None:
    playback = Playback(found, squeezed=squeezed)
    playback.set_speed(speed, 0.0)
    playback.play(0.0)
    shown = counts(playback, *sorted(moments), 1e15)
    assert shown == sorted(shown)
    assert shown[-1] == len(found)
    assert all(0 < count <= len(found) for count in shown) or not found


@given(ordered, st.integers(-S, 22 * S))
def test_what_is_visible_is_what_had_come(found: list[int], moment: int) -> None:
    playback = Playback(found)
    playback.seek_time(START + moment, 0.0)
    position = playback.position(0.0)
    assert position.count == max(1, sum(t <= START + moment for t in found))
    assert position.time_ns == min(max(START + moment, found[0]), found[-1])


@given(ordered, st.integers(0, 20 * S))
def test_squeezing_keeps_the_message(found: list[int], moment: int) -> None:
    playback = Playback(found)
    playback.seek_time(START + moment, 0.0)
    before = playback.position(0.0)
    playback.squeeze(True, 0.0)
    assert playback.position(0.0).count == before.count
    playback.squeeze(False, 0.0)
    assert playback.position(0.0).count == before.count


@given(times, st.integers(0, 30), st.booleans())
def test_every_place_can_be_sought_and_stepped_from(
    found: list[int], place: int, squeezed: bool
) -> None:
    playback = Playback(found, squeezed=squeezed)
    playback.seek_place(place, 0.0)
    count = playback.position(0.0).count
    assert count == min(place + 1, len(found))
    playback.step(-1, 0.0)
    assert playback.position(0.0).count == (max(1, count - 1) if found else 0)


@given(st.lists(st.integers(0, 1 << 40), max_size=20), st.integers(0, 20), st.booleans())
def test_growing_is_as_knowing_all_from_the_start(
    found: list[int], first: int, squeezed: bool
) -> None:
    whole = Playback(found, squeezed=squeezed)
    grown = Playback(found[:first], squeezed=squeezed)
    grown.extend(found[first:])
    assert grown.length_ns == whole.length_ns
    for place in range(len(found)):
        whole.seek_place(place, 0.0)
        grown.seek_place(place, 0.0)
        assert grown.position(0.0) == whole.position(0.0)


def test_a_million_messages() -> None:
    playback = Playback(range(0, 10**6 * 1000, 1000))
    playback.play(0.0)
    assert counts(playback, 0.25, 0.75) == [250_001, 750_001]


# The line on the screen


class Harness(Coloured[None]):
    def compose(self) -> ComposeResult:
        yield PlaybackBar()

    @property
    def line(self) -> str:
        return str(self.query_one(PlaybackBar).render()).rstrip()


@piloted
async def test_the_bar_says_where_it_is_and_hides() -> None:
    app = Harness()
    async with app.run_test(size=(100, 5)) as pilot:
        bar = app.query_one(PlaybackBar)
        assert not bar.display
        playback = Playback([START, START + 72 * S])
        bar.show(playback, 0.0)
        await pilot.pause()
        assert bar.display
        keys = "space play   P end   , . step   - + speed   S silences"
        assert app.line == f" ⏸ 0:00.0 / 1:12.0   1x   {keys}"
        playback.set_speed(0.5, 0.0)
        playback.play(0.0)
        bar.show(playback, 24.8)
        assert app.line.startswith(" ▶ 0:12.4 / 1:12.0   0.5x   space pause   P end")
        playback.squeeze(True, 24.8)
        bar.show(playback, 24.8)
        assert "/ 0:00.5   0.5x   silences cut to 0.5 s   space" in app.line
        bar.show(None)
        await pilot.pause()
        assert not bar.display


@pytest.mark.parametrize("width", [20, 60, 80])
@piloted
async def test_the_bar_names_the_keys_that_there_is_room_for(width: int) -> None:
    app = Harness()
    async with app.run_test(size=(width, 5)) as pilot:
        app.query_one(PlaybackBar).show(Playback([0, 3 * 3600 * S]), 0.0)
        await pilot.pause()
        assert len(app.line) <= max(width, 30)
        assert ("space play" in app.line) == (width > 20)
        assert "0:00.0 / 3:00:00.0" in app.line
