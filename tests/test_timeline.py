"""The timeline: true about where in time messages are, however odd their times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from conversation import MILLISECOND, START_NS, Conversation
from hypothesis import given
from hypothesis import strategies as st
from piloting import Coloured, piloted
from recorded import Said, write
from textual.app import ComposeResult
from textual.pilot import Pilot

import kspy
from kspy.analysis.density import BINS, EVENTS, Bins, Density
from kspy.analysis.table import Table
from kspy.recording.event import Event
from kspy.recording.outcome import ERROR
from kspy.tui.axis import ticks
from kspy.tui.desk import Desk
from kspy.tui.timeline import LEVELS, Timeline, levels
from kspy.wire.frames import CHANNELS

RECORDINGS = Path(__file__).parent.parent / "recordings"
S = 1_000_000_000

moments = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(START_NS, START_NS + 100 * S)
said = st.lists(st.tuples(moments, st.integers(0, EVENTS), st.booleans()), max_size=40)


def count(messages: list[tuple[int, int, bool]], density: Density | None = None) -> Bins:
    density = density or Density()
    times, rows, errors = (list(column) for column in zip(*messages, strict=True))
    density.add(np.array(times, np.int64), np.array(rows), np.array(errors, bool))
    return density.bins


# The histogram


@given(said.filter(bool), st.integers(1, 300))
def test_every_message_is_in_one_column(messages: list[tuple[int, int, bool]], width: int) -> None:
    bins = count(messages)
    found = bins.columns(width)
    for row in range(EVENTS + 1):
        assert found.counts[row].sum() == sum(r == row for _, r, _ in messages)
        assert found.errors[row].sum() == sum(r == row and bad for _, r, bad in messages)
    for moment, row, bad in messages:
        column = bins.column_of(moment, width)
        assert 0 <= column < width
        assert found.counts[row, column] > 0
        assert found.errors[row, column] > 0 or not bad


@given(said.filter(bool), st.integers(1, 300), st.data())
def test_a_columns_time_leads_to_its_first_message(
    messages: list[tuple[int, int, bool]], width: int, data: st.DataObject
) -> None:
    """Who goes to the first message at that time or later is in the column, if any is there."""
    limit = (1 << 62) - 1
    messages = [(min(max(t, -limit), limit), row, bad) for t, row, bad in messages]
    bins = count(messages)
    column = data.draw(st.integers(0, width - 1))
    later = [t for t, _, _ in messages if t >= bins.time_of(column, width)]
    inside = [t for t, _, _ in messages if bins.column_of(t, width) == column]
    if inside:
        assert min(later) == min(inside)
    else:
        assert all(bins.column_of(t, width) > column for t in later)


@given(st.lists(said.filter(bool), min_size=1, max_size=5), st.integers(1, 100))
def test_growing_is_as_counting_all_at_once(
    parts: list[list[tuple[int, int, bool]]], width: int
) -> None:
    density = Density()
    for part in parts:
        grown = count(part, density)
    whole = count([message for part in parts for message in part])
    assert (grown.first_ns, grown.last_ns) == (whole.first_ns, whole.last_ns)
    assert (grown.counts.sum(axis=1) == whole.counts.sum(axis=1)).all()
    assert grown.shift == whole.shift
    if grown.base == whole.base:
        assert (grown.columns(width).counts == whole.columns(width).counts).all()


@given(st.integers(BINS, 1 << 62))
def test_bins_are_fine_enough(span: int) -> None:
    bins = count([(0, 0, False), (span, 0, False)])
    assert BINS // 2 <= (bins.last_ns >> bins.shift) - (bins.first_ns >> bins.shift) < BINS


def test_one_message() -> None:
    bins = count([(START_NS, 0, False)])
    assert bins.span_ns == 0
    assert bins.columns(5).counts[0].tolist() == [1, 0, 0, 0, 0]
    assert bins.time_of(0, 5) == START_NS


def test_nothing() -> None:
    bins = Density().bins
    assert bins.empty
    assert bins.rows == []
    assert bins.columns(3).counts.sum() == 0
    assert bins.column_of(START_NS, 3) == bins.time_of(2, 3) == 0


def test_evenly_spread_messages_are_spread_evenly() -> None:
    bins = count([(START_NS + n * MILLISECOND, 1, False) for n in range(10_000)])
    columns = bins.columns(100).counts[1]
    assert columns.sum() == 10_000
    assert all(95 <= n <= 105 for n in columns.tolist())


def test_a_table_is_counted_as_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "s.kspy"
    density = Density()
    with Conversation(path) as talk:
        talk.event("kernel_started")
        talk.division_by_zero()
        talk.writer.flush()
        with kspy.open(path) as recording:
            table = Table(recording)
            for cells in range(3):
                while not (table.grow() and len(table) == 6 * (cells + 1)):
                    pass
                assert density.behind(table)
                list(density.read(table))
                assert not density.behind(table)
                found = density.bins.columns(40)
                assert found.counts[:EVENTS].sum() == 6 * (cells + 1)
                assert found.errors[:EVENTS].sum() == 2 * (cells + 1)
                assert found.counts[EVENTS].sum() == 1
                talk.division_by_zero()
                talk.writer.flush()


def test_a_kernel_that_died_counts_as_an_error() -> None:
    density = Density()
    density.add_events([Event(0, 5, "kernel_started"), Event(0, 9, "kernel_died")])
    density.add_events([Event(0, 4, "kernel_died", {"exit_status": 0})])
    assert density.bins.columns(2).errors[EVENTS].tolist() == [0, 1]


# Heights and axis


def test_heights_tell_one_message_from_none_and_many_from_few() -> None:
    heights = levels(np.array([0, 1, 2, 10, 999, 1000]), 1000).tolist()
    assert heights == [0, 1, 1, 3, 7, 8]
    assert levels(np.array([0, 1, 8]), 1).tolist() == [0, 1, 8]


@pytest.mark.parametrize(
    ("span", "width", "labels"),
    [
        (0, 80, ["0 s"]),
        (500, 80, ["0.0 µs", "0.1 µs", "0.2 µs", "0.3 µs", "0.4 µs", "0.5 µs"]),
        (40 * MILLISECOND, 80, ["0 ms", "10 ms", "20 ms", "30 ms", "40 ms"]),
        (2 * S, 80, ["0.0 s", "0.5 s", "1.0 s", "1.5 s", "2.0 s"]),
        (72 * S, 60, ["0 s", "30 s", "1 min 00 s"]),
        (600 * S, 60, ["0 min", "5 min", "10 min"]),
        (5400 * S, 60, ["0 min", "30 min", "1 h 00", "1 h 30"]),
        (86400 * S, 80, ["0 h", "5 h", "10 h", "15 h", "20 h"]),
    ],
)
def test_axis(span: int, width: int, labels: list[str]) -> None:
    found = [tick.label for tick in ticks(span, width)]
    assert found == labels


@given(st.integers(0, 1 << 63), st.integers(0, 500))
def test_an_axis_never_has_more_marks_than_room(span: int, width: int) -> None:
    found = ticks(span, width)
    assert 1 <= len(found) <= width // 14 + 2
    assert len({tick.label for tick in found}) == len(found)


# The widget


class Harness(Coloured[None]):
    CSS = "Screen { align: left bottom; }"

    def __init__(self, path: Path, theme: str = "kspy-dark") -> None:
        super().__init__(theme)
        self.table = Table(kspy.open(path))
        while not self.table.grow():
            pass
        self.timeline = Timeline(self.table)
        self.chosen: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.timeline

    def on_mount(self) -> None:
        self.desk = Desk()
        self.timeline.update_density()

    def on_unmount(self) -> None:
        self.desk.close()
        self.table.recording.close()

    def on_timeline_chosen(self, event: Timeline.Chosen) -> None:
        self.chosen.append(event.time_ns)
        self.timeline.cursor_ns = event.time_ns

    @property
    def lines(self) -> list[str]:
        height = self.timeline.size.height
        return [self.timeline.render_line(y).text for y in range(height)]


@contextmanager
def recorded(tmp_path: Path) -> Iterator[tuple[Path, Conversation]]:
    path = tmp_path / "s.kspy"
    with Conversation(path) as talk:
        yield path, talk


async def settled(pilot: Pilot[None], app: Harness) -> None:
    await pilot.pause()
    while app.desk.busy:
        await pilot.pause(0.01)
    await pilot.pause()


@piloted
async def test_a_lane_a_channel_that_occurs(tmp_path: Path) -> None:
    with recorded(tmp_path) as (path, talk):
        talk.raw("hb", "to_kernel", [b"ping"])
        talk.now_ns += 10 * S
        talk.division_by_zero()
    app = Harness(path)
    async with app.run_test(size=(80, 40)) as pilot:
        await settled(pilot, app)
        marks, *lanes, axis = app.lines
        assert [lane.split()[0] for lane in lanes] == ["shell", "iopub", "hb"]
        assert lanes[2][9] == LEVELS[1]
        assert lanes[0].rstrip()[-1] in LEVELS[1:]
        assert marks.strip() == "!"
        assert axis.split("╵")[1:][0].strip() == "0 s"
        assert all(len(line) == 80 for line in app.lines)


@piloted
async def test_a_small_terminal_gets_one_lane(tmp_path: Path) -> None:
    with recorded(tmp_path) as (path, talk):
        talk.status("idle")
        talk.now_ns += S
        talk.division_by_zero()
    app = Harness(path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, app)
        (line,) = app.lines
        assert line[1] == LEVELS[1]
        assert line.rstrip()[-1] == "!"
        app.timeline.compact = False
        await pilot.pause()
        assert len(app.lines) == 4


@piloted
async def test_click_drag_and_keys_choose(tmp_path: Path) -> None:
    with recorded(tmp_path) as (path, talk):
        for _ in range(3):
            talk.status("idle")
            talk.now_ns += S
    app = Harness(path)
    first = START_NS
    last = app.table.time_ns(2)
    async with app.run_test(size=(80, 40)) as pilot:
        await settled(pilot, app)
        await pilot.click(Timeline, offset=(9, 1))
        assert app.chosen == [first]
        app.timeline.focus()
        await pilot.press("right", "l")
        assert [round((t - first) / S) for t in app.chosen] == [0, 1, 2]
        await pilot.press("right")
        assert len(app.chosen) == 3, "there is nothing beyond"
        await pilot.press("left", "left", "left")
        assert [round((t - first) / S) for t in app.chosen[3:]] == [1, 0]
        await pilot.press("end", "home")
        assert abs(app.chosen[-2] - last) < S / 10
        assert app.chosen[-1] == first
        await pilot.click(Timeline, offset=(0, 1))
        assert app.chosen[-1] == first, "the label belongs to the start"


@piloted
async def test_cursor_bookmarks_and_playhead_have_their_columns(tmp_path: Path) -> None:
    with recorded(tmp_path) as (path, talk):
        for _ in range(11):
            talk.status("idle")
            talk.now_ns += S
    app = Harness(path)
    async with app.run_test(size=(80, 40)) as pilot:
        await settled(pilot, app)
        timeline = app.timeline
        timeline.cursor_ns = app.table.time_ns(0)
        timeline.marks = (app.table.time_ns(10), 0, 1 << 62)
        timeline.playhead_ns = app.table.time_ns(5) + S // 2
        await pilot.pause()
        marks, lane, _ = app.lines
        assert marks[9] == "◆", "a time before all others is at the edge"
        assert marks[78] == "◆"
        assert "│" in lane
        assert lane.index("│") == marks.index("│")
        timeline.marks = ()
        assert app.lines[0][9] == "▼"


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (200, 60)])
@pytest.mark.parametrize(
    "times", [[], [START_NS], [START_NS, START_NS], [S, 0, 5 * S], [0, 1 << 62], [(1 << 62) - 1]]
)
@piloted
async def test_odd_times_in_odd_terminals(
    tmp_path: Path, times: list[int], size: tuple[int, int]
) -> None:
    path = tmp_path / "s.kspy"
    write(path, [[Said(time_ns, "iopub", "to_client", [b"x"]) for time_ns in times]])
    app = Harness(path)
    async with app.run_test(size=size) as pilot:
        await settled(pilot, app)
        app.timeline.cursor_ns = START_NS
        app.timeline.playhead_ns = START_NS
        app.timeline.focus()
        await pilot.press("right", "left", "home", "end")
        assert app.lines
        if not times and size == (200, 60):
            assert "when messages come" in app.lines[-1]


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*.kspy")), ids=lambda path: path.stem)
@piloted
async def test_real_recordings(path: Path) -> None:
    app = Harness(path)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot, app)
        channels = {app.table.channel(place) for place in range(len(app.table))}
        lanes = [line.split()[0] for line in app.lines[1:-1]]
        assert lanes == [name for name in CHANNELS if name in channels]
        failed = ERROR in app.table.columns.outcomes
        assert ("!" in app.lines[0]) == failed or path.stem == "kernel-dies"
