"""Every field finds what the messages themselves say: told one by one, decoded, without columns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from conversation import START_NS, Conversation, serialize
from filtering import RECORDINGS, event_names, items, places
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kspy
from kspy.analysis.arrange import stream_items
from kspy.analysis.event_summary import summarize_event
from kspy.analysis.filter import FilterError, parse, whole_threads
from kspy.analysis.filter import run as run_module
from kspy.analysis.filter.fields import FIELDS
from kspy.analysis.filter.select import finish, matching, whole_table
from kspy.analysis.table import Table
from kspy.analysis.timing import is_error, measure
from kspy.recording.event import Event
from kspy.recording.reader import Recording
from kspy.recording.writer import Writer
from kspy.wire.message import Message

MILLISECOND = 1_000_000

Says = Callable[[Message, Recording], bool]


@pytest.fixture(scope="module", params=RECORDINGS, ids=lambda path: path.stem)
def recording(request: pytest.FixtureRequest) -> Iterator[Recording]:
    with kspy.open(request.param) as found:
        yield found


def start(recording: Recording) -> int:
    return next(iter(recording.stories())).time_ns


def state(message: Message, recording: Recording) -> str | None:
    for thread in recording.threads():
        if thread.request.seq == message.seq:
            return measure(thread).state
    return None


def latency(message: Message, recording: Recording) -> int:
    """ns; -1 for what is neither a request that was answered nor its reply."""
    for thread in recording.threads():
        reply_ns = measure(thread).reply_ns
        if reply_ns is not None:
            reply_time = thread.request.time_ns + reply_ns
            is_reply = (
                message.time_ns == reply_time
                and message.parent_id == thread.request.msg_id
                and message.msg_type.endswith("_reply")
                and message.channel == thread.request.channel
            )
            if message.seq == thread.request.seq or is_reply:
                return reply_ns
    return -1


def in_thread_of(number: int, message: Message, recording: Recording) -> bool:
    return any({number, message.seq} <= set(thread.seqs) for thread in recording.threads())


def parent_number(message: Message, recording: Recording) -> int | None:
    found = None
    for other in recording:
        if other.seq < message.seq and other.msg_id and other.msg_id == message.parent_id:
            found = other.seq
    if not message.parent_id and message.msg_type == "input_reply":
        asked = [m.seq for m in recording if m.msg_type == "input_request" and m.seq < message.seq]
        found = asked[-1]
    return found


def says(text: str, message: Message) -> bool:
    def within(value: Any) -> bool:
        if isinstance(value, dict):
            return any(within(key) or within(inner) for key, inner in value.items())
        if isinstance(value, list):
            return any(map(within, value))
        if value is None or isinstance(value, bool):
            return text in {None: "null", True: "true", False: "false"}[value]
        return text in str(value).lower()

    if message.parts is None:
        return any(text.encode() in frame.lower() for frame in message.frames)
    return text in message.msg_type.lower() or within(message.content)


ATOMS: dict[str, Says] = {
    "type:status": lambda m, r: m.msg_type == "status",
    "type:execute_*": lambda m, r: fnmatchcase(m.msg_type, "execute_*"),
    "type:*_re?ly,error": lambda m, r: m.msg_type.endswith("_reply") or m.msg_type == "error",
    "type!=status": lambda m, r: m.msg_type != "status",
    'type:""': lambda m, r: m.msg_type == "",
    "type:/^comm_(open|close)$/": lambda m, r: m.msg_type in ("comm_open", "comm_close"),
    "channel:iopub": lambda m, r: m.channel == "iopub",
    "channel:s*": lambda m, r: m.channel in ("shell", "stdin"),
    "channel!=shell,control": lambda m, r: m.channel not in ("shell", "control"),
    "direction:to_kernel": lambda m, r: m.direction == "to_kernel",
    "direction:*client": lambda m, r: m.direction == "to_client",
    "client:1": lambda m, r: m.client == 1,
    "client>1": lambda m, r: m.client is not None and m.client > 1,
    "client!=1": lambda m, r: m.client is not None and m.client != 1,
    "client:1,2": lambda m, r: m.client in (1, 2),
    "error": lambda m, r: is_error(m),
    "is:request": lambda m, r: m.msg_type.endswith("_request"),
    "is:reply,error": lambda m, r: m.msg_type.endswith("_reply") or is_error(m),
    "is:noise": lambda m, r: m.msg_type in ("status", "iopub_welcome") or m.channel == "hb",
    "is!=noise": lambda m, r: m.msg_type not in ("status", "iopub_welcome") and m.channel != "hb",
    "waiting": lambda m, r: state(m, r) == "waiting",
    "event": lambda m, r: False,
    "state:ok": lambda m, r: state(m, r) == "ok",
    "state:error,aborted": lambda m, r: state(m, r) in ("error", "aborted"),
    "state!=ok": lambda m, r: state(m, r) not in (None, "ok"),
    "latency>10ms": lambda m, r: latency(m, r) > 10 * MILLISECOND,
    "latency<=0.01s": lambda m, r: 0 <= latency(m, r) <= 10 * MILLISECOND,
    "time>400ms": lambda m, r: m.time_ns - start(r) > 400 * MILLISECOND,
    "time<0.2s": lambda m, r: m.time_ns - start(r) < 200 * MILLISECOND,
    "size>=500": lambda m, r: m.size >= 500,
    "size<0.5KB": lambda m, r: m.size < 500,
    "buffers>0": lambda m, r: len(m.buffers) > 0,
    "buffers:0": lambda m, r: len(m.buffers) == 0,
    "buffers>=20b": lambda m, r: sum(map(len, m.buffers)) >= 20,
    "number>=10": lambda m, r: m.seq >= 10,
    "number:3,4,400": lambda m, r: m.seq in (3, 4),
    "thread:10": lambda m, r: in_thread_of(10, m, r),
    "thread:4000": lambda m, r: False,
    "parent:10": lambda m, r: parent_number(m, r) == 10,
    "parent!=10": lambda m, r: parent_number(m, r) not in (None, 10),
    "id:*_1": lambda m, r: m.msg_id.endswith("_1"),
    "session:/^[0-7]/": lambda m, r: m.header.get("session", "")[:1] in set("01234567") - {""},
    "username:*": lambda m, r: bool(m.header.get("username")),
    "comm:c0ff": lambda m, r: str(m.content.get("comm_id", "")).startswith("c0ff"),
    "comm!=c0ffee": lambda m, r: m.content.get("comm_id", "c0ffee") != "c0ffee",
    "comm=c0ff": lambda m, r: False,
    "flag:redelivered": lambda m, r: "redelivered" in m.flags,
    "flag:undecodable,malformed": lambda m, r: not {"undecodable", "malformed"}.isdisjoint(m.flags),
    "flag!=redelivered": lambda m, r: "redelivered" not in m.flags,
    "text:print": lambda m, r: says("print", m),
    "ok": lambda m, r: says("ok", m),
    "1": lambda m, r: says("1", m),
    "true": lambda m, r: says("true", m),
    "e": lambda m, r: says("e", m),
    '"zerodivision"': lambda m, r: says("zerodivision", m),
    "execute_input": lambda m, r: says("execute_input", m),
    "ping": lambda m, r: says("ping", m),
    "null": lambda m, r: says("null", m),
}
"""Filters, and what they say of a message: found out from the message alone, and its thread."""


@pytest.mark.parametrize("text", ATOMS)
def test_a_field_finds_what_the_messages_say(recording: Recording, text: str) -> None:
    found = [item for item in items(text, whole_table(recording)) if item >= 0]
    assert found == [
        place for place, message in enumerate(recording) if ATOMS[text](message, recording)
    ]


def test_every_field_is_tested() -> None:
    tested = " ".join(ATOMS)
    untested = [name for name in FIELDS if f"{name}:" not in tested and f"{name}>" not in tested]
    assert untested == ["event"]  # of messages it is never true; see below


Tree = tuple[str, tuple["Tree", ...]] | str

trees: st.SearchStrategy[Tree] = st.recursive(
    st.sampled_from(list(ATOMS)),
    lambda inner: st.tuples(
        st.sampled_from(["and", "or", "not", "-"]),
        st.lists(inner, min_size=2, max_size=3).map(tuple),
    ),
    max_leaves=6,
)


def written(tree: Tree) -> str:
    if isinstance(tree, str):
        return tree
    how, parts = tree
    if how in ("not", "-"):
        return f"{how} ({written(parts[0])})"
    return "(" + f" {how} ".join(map(written, parts)) + ")"


def true_of(tree: Tree, truths: dict[str, bool]) -> bool:
    if isinstance(tree, str):
        return truths[tree]
    how, parts = tree
    if how in ("not", "-"):
        return not true_of(parts[0], truths)
    every = all if how == "and" else any
    return every(true_of(part, truths) for part in parts)


@pytest.fixture(scope="module")
def truths(recording: Recording) -> list[dict[str, bool]]:
    """Of each message: which of `ATOMS` are true."""
    return [{text: test(m, recording) for text, test in ATOMS.items()} for m in recording]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees)
def test_conditions_put_together(
    recording: Recording, truths: list[dict[str, bool]], tree: Tree
) -> None:
    found = items(written(tree), whole_table(recording))
    assert [item for item in found if item >= 0] == [
        place for place, truth in enumerate(truths) if true_of(tree, truth)
    ]


# Events, order, growing


def test_events_are_found_by_their_name_their_time_and_what_they_say(recording: Recording) -> None:
    table = whole_table(recording)
    names = [event.name for event in recording.events]

    def some(wanted: Callable[[Event], bool]) -> list[str]:
        return [event.name for event in recording.events if wanted(event)]

    def found(text: str) -> list[str]:
        return event_names(items(text, table), table)

    start_ns = start(recording)
    assert found("event") == found("-type:status") == found("") == names
    assert found("event:kernel_*") == [name for name in names if name.startswith("kernel_")]
    assert found("event!=kernel_started") == [name for name in names if name != "kernel_started"]
    assert found("type:status") == found("type!=status") == found("number>=0") == []
    assert found("size>=0") == found("latency>0s") == found("flag:msgpack") == []
    assert found("time<200ms") == some(lambda event: event.time_ns - start_ns < 200 * MILLISECOND)
    assert found("iopub") == some(lambda event: "iopub" in summarize_event(event))
    assert found("kernel_started") == found('"kernel started"') == ["kernel_started"]
    assert "kernel_started" not in found("-kernel_started")
    assert "kernel_started" not in found("text!=kernel_started")


def test_what_is_found_is_in_stream_order(recording: Recording) -> None:
    table = whole_table(recording)
    everything = stream_items(table, 0, len(table), range(table.event_count)).tolist()
    for text in ("", "event", "-type:status", "error or event", "status"):
        found = items(text, table)
        assert found == [item for item in everything if item in set(found)]
        assert found == list(matching(parse(text), table))
    assert items("", table) == everything


@pytest.mark.parametrize("text", ["", "error", "-type:status event", "print or event", "buffers:0"])
@pytest.mark.parametrize("block", [1, 3, 1000])
def test_in_blocks_it_is_the_same(
    recording: Recording, text: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = whole_table(recording)
    expected = items(text, table)
    monkeypatch.setattr(run_module, "BLOCK", block)
    assert items(text, table) == expected
    monkeypatch.setattr("kspy.analysis.filter.select.BLOCK", block)
    assert list(matching(parse(text), table)) == expected


@pytest.mark.parametrize("text", ["", "print or event", "type:status", "number>3", "parent:6"])
def test_what_is_new_is_found_alone(recording: Recording, tmp_path: Path, text: str) -> None:
    path = tmp_path / "copy.kspy"
    wanted = parse(text)
    with Writer(path) as writer:
        found: list[int] = []
        with kspy.open(path) as growing:
            table = Table(growing)
            for story in recording.stories():
                _copy(writer, story)
                writer.flush()
                start, event_start = len(table), table.event_count
                while not (len(table) + table.event_count > start + event_start):
                    table.grow()
                found += finish(wanted.run(table, start, len(table), event_start)).tolist()
    assert found == items(text, whole_table(recording))


def _copy(writer: Writer, story: Message | Event) -> None:
    if isinstance(story, Event):
        writer.event(story.time_ns, story.name, story.data)
    else:
        writer.write(
            story.time_ns, story.channel, story.direction, story.frames, client=story.client or 0
        )


def test_whole_threads(recording: Recording) -> None:
    table = whole_table(recording)
    found = whole_threads(table, finish(parse("type:execute_input").run(table)))
    expected = sorted(
        place
        for thread in recording.threads()
        if any(message.msg_type == "execute_input" for message in thread.messages)
        for place in thread.places
    )
    assert found.tolist() == expected


# Ids, times, oddities


def test_ids_by_their_beginning_or_whole() -> None:
    path = next(path for path in RECORDINGS if path.stem == "two-clients")
    with kspy.open(path) as recording:
        messages = list(recording)
        request = next(m for m in messages if m.msg_type == "execute_request")
        ident, table = request.msg_id, whole_table(recording)
        children = [n for n, m in enumerate(messages) if m.parent_id == ident]
        assert children
        for text in (f":{ident}*", f"={ident}", f"={ident.upper()}", f'="{ident}"'):
            found = items(f"parent{text}", table)
            assert children == [item for item in found if messages[item].parent_id == ident]
        assert items(f"parent={ident}", table) == children
        assert items(f"parent:{ident[:-1]}", table) == [
            n for n, m in enumerate(messages) if m.parent_id.startswith(ident[:-1])
        ]
        assert items(f"parent={ident[:-1]}", table) == []
        assert items(f"id:{ident[:20]}", table) == [
            n for n, m in enumerate(messages) if m.msg_id.startswith(ident[:20])
        ]
        assert items(f"session={request.header['session']}", table) == [
            n
            for n, m in enumerate(messages)
            if m.header.get("session") == request.header["session"]
        ]


def test_digits_in_quotation_marks_are_an_id(tmp_path: Path) -> None:
    path = tmp_path / "ids.kspy"
    with Conversation(path) as talk:
        request, frames = serialize("execute_request", {}, header={"msg_id": "1234"})
        talk.raw("shell", "to_kernel", frames)
        talk.status("busy", {"header": {**request["header"], "msg_id": "1234"}})
    assert places("parent:0", path) == [1]
    assert places('parent:"12"', path) == [1]
    assert places("parent:12", path) == []


def test_times_of_day_are_those_of_who_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "day.kspy"
    with Conversation(path) as talk:  # begins at 21:00:00.123 UTC
        for _ in range(3):
            talk.status("busy")
            talk.now_ns += 3600 * 1_000_000_000
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    try:
        assert START_NS % (86_400 * 10**9) // 10**9 == 21 * 3600
        assert places("time>21:00", path) == [0, 1, 2]
        assert places("time>21:00:00.5", path) == [1, 2]
        assert places("time>=22:00 time<22:30", path) == [1]
        monkeypatch.setenv("TZ", "UTC-5")  # five hours ahead
        time.tzset()
        assert places("time>21:00", path) == []
        assert places("time<3:00", path) == [0]
        assert places("time>0:00 time<3:00:01", path) == [0, 1]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_numbers_are_those_of_the_recording_where_some_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "holes.kspy"
    with Conversation(path) as talk:
        request = talk.ask("execute_request")
        talk.writer.skip(10)
        talk.status("busy", request)
        talk.writer.skip(5)
        talk.status("idle", request)
    assert places("number:11", path) == [1]
    assert places("number>11", path) == [2]
    assert places("parent:0", path) == [1, 2]
    assert places("thread:11", path) == [0, 1, 2]
    assert places("thread:5", path) == []


def test_flags_of_what_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "broken.kspy"
    _, frames = serialize("stream", {"text": "x"})
    with Conversation(path) as talk:
        talk.raw("iopub", "to_client", frames)
        talk.raw("iopub", "to_client", [*frames[:-1], b"{"])
        talk.raw("iopub", "to_client", [b"only", b"two"])
        talk.raw("iopub", "to_client", [*frames[:-1], b"\x81\xa1a\x01"])
        talk.writer.write(talk.now_ns, "iopub", "to_client", frames, flags=1)
        talk.raw("hb", "to_kernel", [b"ping"])
        talk.raw("iopub", "to_client", [])
        talk.raw("iopub", "to_client", frames[: frames.index(b"<IDS|MSG>") + 3])
    with kspy.open(path) as recording:
        expected = [set(message.flags) for message in recording]
    for flag in ("undecodable", "malformed", "msgpack", "bad_signature", "truncated", "oversized"):
        assert places(f"flag:{flag}", path) == [
            n for n, set_ in enumerate(expected) if flag in set_
        ]
    assert places("flag:undecodable", path) == [1]
    assert places("flag:malformed", path) == [2, 6, 7]
    assert places("-flag:*", path) == [0, 5]


def test_a_recording_without_messages(tmp_path: Path) -> None:
    path = tmp_path / "empty.kspy"
    with Writer(path) as writer:
        writer.event(5, "kernel_started", {})
    with kspy.open(path) as recording:
        table = whole_table(recording)
        assert items("", table) == items("event", table) == items("time<1s", table) == [-1]
        assert items("status", table) == items("parent:1 or thread:0 or latency>1s", table) == []


def test_select() -> None:
    path = next(path for path in RECORDINGS if path.stem == "error")
    with kspy.open(path) as recording:
        assert [m.msg_type for m in kspy.select(recording, "error")] == ["error", "execute_reply"]
        assert list(map(repr, kspy.select(recording, ""))) == list(map(repr, recording))
        assert list(kspy.select(recording, "event")) == []
        with pytest.raises(FilterError):
            kspy.select(recording, "tpe:x")


def test_what_the_file_has_lost_matches_no_text_and_is_told_as_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "damaged.kspy"
    with Conversation(path) as talk:
        for number in range(4):
            talk.publish("stream", {"text": f"text {number}"})
            talk.writer.flush()
    data = path.read_bytes()
    with kspy.open(path) as recording:
        offset = recording.columns.offsets[2]
    broken = bytearray(data)
    broken[offset + 40 : offset + 60] = bytes(20)
    path.write_bytes(broken)
    assert places("type:stream", path) == [0, 1, 2, 3]  # the index knows of it
    assert places("text:text", path) == places("-text:nothing", path) == [0, 1, 3]
    with kspy.open(path) as recording:
        assert [m.seq for m in kspy.select(recording, "type:stream")] == [0, 1, 3]
