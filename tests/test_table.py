"""The table agrees with what the messages themselves say, however it was grown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conversation import Conversation

import kspy
from kspy.analysis import table as table_module
from kspy.analysis.table import Table
from kspy.analysis.thread_table import STATES
from kspy.analysis.timing import is_error, measure
from kspy.recording.outcome import ERROR, OUTCOMES
from kspy.recording.reader import Recording
from kspy.recording.writer import Writer
from kspy.wire.message import Message

RECORDINGS = sorted((Path(__file__).parent.parent / "recordings").glob("*.kspy"))


@pytest.fixture(params=RECORDINGS, ids=lambda path: path.stem)
def recording(request: pytest.FixtureRequest) -> Iterator[Recording]:
    with kspy.open(request.param) as found:
        yield found


def grown(recording: Recording) -> Table:
    table = Table(recording)
    while not table.grow():
        pass
    return table


@pytest.mark.parametrize("batch", [1, 2, 7, 1000])
def test_threads_are_those_of_the_recording(
    recording: Recording, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_module, "_BATCH", batch)
    table = grown(recording)
    threads = recording.threads()
    assert table.thread_count == len(threads)
    for number, thread in enumerate(threads):
        assert list(table.members(number)) == list(thread.places)
        assert table.thread_size(number) == len(thread)
        assert table.timing(number) == measure(thread)


def test_what_it_says_of_a_message_is_what_the_message_says(recording: Recording) -> None:
    table = grown(recording)
    ids = {message.msg_id: place for place, message in enumerate(recording) if message.msg_id}
    for place, message in enumerate(recording):
        assert table.time_ns(place) == message.time_ns
        assert table.channel(place) == message.channel
        assert table.direction(place) == message.direction
        assert table.msg_type(place) == message.msg_type
        assert table.client(place) == (message.client or 0)
        assert table.size(place) == message.size
        assert table.seq(place) == message.seq
        assert table.place_of(message.seq) == place
        assert (table.outcome(place) == ERROR) == is_error(message)
        if message.parent_id in ids:
            assert table.parent(place) == ids[message.parent_id]
    assert table.place_of(len(table)) is None


def test_latencies_and_states_are_those_of_the_threads(recording: Recording) -> None:
    table = grown(recording)
    rows = table.rows(0, len(table))
    for number, thread in enumerate(recording.threads()):
        timing = measure(thread)
        head, reply = table.head(number), table.reply(number)
        assert STATES[rows.states[head]] == timing.state
        if timing.reply_ns is None:
            assert reply is None
        else:
            assert reply is not None
            assert rows.latencies[head] == rows.latencies[reply] == timing.reply_ns
    answered = {table.reply(number) for number in range(table.thread_count)} - {None}
    assert (rows.latencies >= 0).sum() == 2 * len(answered)


def test_events_stand_before_the_message_they_came_before(recording: Recording) -> None:
    table = grown(recording)
    places = [table.event_place(number) for number in range(table.event_count)]
    assert places == sorted(places)
    assert [event.name for event in table.events] == [event.name for event in recording.events]
    for number, place in enumerate(places):
        assert place == len(table) or table.seq(place) >= table.event(number).seq


def test_a_growing_recording_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with kspy.open(RECORDINGS[0]) as source, Writer(path) as writer:
        messages = list(source)
        half = len(messages) // 2
        for message in messages[:half]:
            _copy(writer, message)
        writer.flush()
        with kspy.open(path) as growing:
            table = Table(growing)
            while len(table) < half:
                table.grow()
            for message in messages[half:]:
                _copy(writer, message)
            writer.close()
            while len(table) < len(messages):
                table.grow()
            threads = source.threads()
            assert [list(table.members(n)) for n in range(table.thread_count)] == [
                list(thread.places) for thread in threads
            ]
            assert [table.timing(n) for n in range(table.thread_count)] == [
                measure(thread) for thread in threads
            ]


def test_the_state_of_the_kernel_is_what_it_said_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "states.kspy"
    states = ["starting", "", "busy", *[""] * 20, "idle", "", "busy"]
    with Conversation(path) as talk:
        for state in states:
            if state:
                talk.status(state)
            else:
                talk.publish("stream", {"text": "x"})
    expected: list[str] = []
    for state in states:
        expected.append(state or expected[-1])
    with kspy.open(path) as recording:
        for stretch in (1, 3, 1000):
            monkeypatch.setattr(table_module, "_STRETCH", stretch)
            table = grown(recording)
            assert [OUTCOMES[table.kernel_state(place)] for place in range(len(table))] == expected
    with Conversation(path.with_name("none.kspy")) as talk:
        talk.publish("stream", {"text": "x"})
    with kspy.open(path.with_name("none.kspy")) as recording:
        assert grown(recording).kernel_state(0) == 0


def test_when_the_kernel_had_ended(tmp_path: Path) -> None:
    names = {
        "tap_started": "", "kernel_started": "", "kernel_died": "dead", "kernel_shut_down": "dead",
        "kernel_restarted": "", "kernel_interrupted": "",
    }  # fmt: skip
    later = [("kernel_shut_down", "ended"), ("kernel_died", "ended"), ("tap_stopped", "ended")]
    path = tmp_path / "life.kspy"
    with Conversation(path) as talk:
        for name, _ in [*names.items(), *later]:
            talk.event(name)
    with kspy.open(path) as recording:
        table = grown(recording)
        found = [table.kernel_ended(count) for count in range(table.event_count + 1)]
    assert found == ["", *names.values(), *(state for _, state in later)]


def _copy(writer: Writer, message: Message) -> None:
    writer.write(
        message.time_ns,
        message.channel,
        message.direction,
        message.frames,
        client=message.client or 0,
    )
