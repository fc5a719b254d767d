"""Two sessions compared: what must be the same is, and what must differ does, both ways."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, groupby
from pathlib import Path
from typing import Any

import msgpack
import pytest
from comparing import (
    Talk,
    both_ways,
    cell,
    cells,
    compared,
    display,
    record,
    stream,
    verdicts,
    without,
)
from conversation import MILLISECOND, Conversation, serialize
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from piloting import piloted
from websocket_recordings import over_websocket

import kspy
from kspy.analysis.sameness.requests import may_name
from kspy.analysis.sameness.rules import Rules
from kspy.export.compared.report import Report
from kspy.wire.websocket import Encoding

RECORDINGS = sorted((Path(__file__).parent.parent / "recordings").glob("*.kspy"))
A, B, C = "6a62dbf7f8e245f485ec6ff2a0749af9", "0" * 32, "1" * 32
U, V = "0b1f9a52-6c1e-4d0a-9f4e-2d3c4b5a6978", "9d8c7b6a-5f4e-4a3b-8c2d-1e0f9a8b7c6d"


def one(*outputs: tuple[str, dict[str, Any]], **options: Any) -> Talk:
    """A session of one cell."""

    def talk(to: Conversation) -> None:
        cell(to, "run()", *outputs, **options)

    return talk


def steps(found: Report) -> list[tuple[str, str, list[str]]]:
    return [
        (message.msg_type, message.verdict, [value.path for value in message.differences])
        for thread in found.threads
        for message in thread.messages
    ]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_each_recording_is_the_same_as_itself(path: Path) -> None:
    found = compared(path, path)
    assert found.same
    assert found.threads
    assert compared(path, path, Rules.strict()).same


def test_no_recording_is_the_same_as_another() -> None:
    for old, new in combinations(RECORDINGS, 2):
        assert not compared(old, new).same, (old, new)
        assert not compared(new, old).same, (old, new)


# What differs


@pytest.mark.parametrize(
    ("old", "new", "expected", "messages"),
    [
        (
            one(stream("1")),
            one(stream("2")),
            ["differs"],
            [("stream", "differs", ["content.text"])],
        ),
        (
            one(display("1"), display("2"), display("3")),
            one(display("1"), display("3")),
            ["differs"],
            [("display_data", "only in a", [])],
        ),
        (
            one(display("1"), display("2")),
            one(display("2"), display("1")),
            ["order changed"],
            [("display_data", "order changed", [])],
        ),
        (
            one(stream("x"), display("1")),
            one(display("1"), stream("x")),
            ["order changed"],
            None,
        ),
        (
            one(stream("x")),
            one(stream("x", "stderr")),
            ["differs"],
            [("stream", "differs", ["content.name"])],
        ),
        (one(stream("x")), one(), ["differs"], [("stream", "only in a", [])]),
        (cells("a", "b", "c"), cells("a", "c"), ["only in a"], []),
        (cells("a", "b"), cells("b", "a"), ["order changed"], []),
        (
            cells("x = 1", "y = 2", "z = 3"),
            cells("x = 1", "y = 4", "z = 3"),
            ["differs"],
            None,
        ),
    ],
)
def test_what_differs(
    tmp_path: Path, old: Talk, new: Talk, expected: list[str], messages: list[Any] | None
) -> None:
    assert both_ways(tmp_path, old, new) == expected
    found = compared(tmp_path / "a.kspy", tmp_path / "b.kspy")
    if messages is not None:
        assert steps(found) == messages


def test_edited_code_is_the_same_request_changed(tmp_path: Path) -> None:
    old = record(tmp_path / "a.kspy", cells("import os", "df.head()", "print(1)"))
    new = record(tmp_path / "b.kspy", cells("import os", "new()", "df.head(5)", "print(1)"))
    found = compared(old, new)
    assert verdicts(found) == ["same", "only in b", "differs", "same"]
    assert [thread.what for thread in found.threads][1:3] == ["new()", "df.head()"]


def test_a_request_that_was_moved_and_answered_otherwise(tmp_path: Path) -> None:
    def swapped(to: Conversation) -> None:
        cell(to, "b", stream("b\n"))
        cell(to, "c", stream("c\n"))
        cell(to, "a", stream("other\n"))

    old = record(tmp_path / "a.kspy", cells("a", "b", "c"))
    found = compared(old, record(tmp_path / "b.kspy", swapped))
    (differing,) = (thread for thread in found.threads if thread.verdict != "same")
    assert differing.verdict == "differs"
    assert differing.moved
    assert "differs, order changed" in str(found)


# Rule by rule: without it there is a difference, with it there is none; and what it must not hide


def answered(*order: str, late: bool = False) -> Talk:
    """Two requests that are sent at once, and answered in this order."""

    def talk(to: Conversation) -> None:
        requests = {code: to.ask("execute_request", {"code": code}) for code in ("first", "second")}
        for n, code in enumerate(order):
            to.status("busy", requests[code])
            to.reply(requests[code], {"status": "ok"})
            if not (late and n == 0):
                to.status("idle", requests[code])
        if late:
            to.status("idle", requests[order[0]])

    return talk


FROZEN = (
    "0.00s - Debugger warning: It seems that frozen modules are being used, which may\n"
    "0.01s - make the debugger miss breakpoints. Please pass -Xfrozen_modules=off\n"
)


def split_stream(*pieces: str) -> Talk:
    return one(*map(stream, pieces))


def reply_first(to: Conversation) -> None:
    cell(to, "run()", stream("x"))


def reply_last(to: Conversation) -> None:
    cell(to, "run()", stream("x"), reply_last=True)


def with_heartbeat(to: Conversation) -> None:
    to.raw("hb", "to_kernel", [b"ping"])
    to.raw("hb", "to_client", [b"ping"])
    cell(to, "run()")


def unasked(msg_type: str, **content: Any) -> Talk:
    def talk(to: Conversation) -> None:
        to.publish(msg_type, content)
        cell(to, "run()")

    return talk


def waiting(times: int) -> Talk:
    def talk(to: Conversation) -> None:
        for n in range(times):
            request = to.ask("kernel_info_request")
            if n == times - 1:
                to.reply(request, {"protocol_version": "5.3"})
        cell(to, "run()")

    return talk


def shut_down(to: Conversation) -> None:
    cell(to, "run()")
    nobody, _ = serialize("shutdown_request", {})
    to.status("busy", nobody)
    to.publish("shutdown_reply", {"status": "ok", "restart": False}, nobody)
    to.status("idle", nobody)


def shut_down_by_client(*, idle: bool) -> Talk:
    def talk(to: Conversation) -> None:
        request = to.ask("shutdown_request", {"restart": False}, "control")
        to.status("busy", request)
        to.reply(request, {"status": "ok", "restart": False}, "control")
        if idle:
            to.status("idle", request)

    return talk


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("stream pieces", split_stream("a", "\n"), split_stream("a\n")),
        ("stream pieces", split_stream("one two"), split_stream("one ", "tw", "o")),
        ("channel order", reply_first, reply_last),
        ("heartbeats", with_heartbeat, one()),
        ("greetings", unasked("iopub_welcome", subscription=""), one()),
        ("starting", unasked("status", execution_state="starting"), one()),
        ("readiness", waiting(3), waiting(1)),
        ("ending", shut_down, one()),
        ("ending", shut_down_by_client(idle=True), shut_down_by_client(idle=False)),
        ("addresses", one(display("<A at 0x7f3a5c0d2e10>")), one(display("<A at 0x7f3a5c0d2e50>"))),
        ("ids", one(display("x", display_id=A)), one(display("x", display_id=B))),
        ("execution times", one(stream("Wall time: 3 ms")), one(stream("Wall time: 4 ms"))),
        (
            "cell files",
            one(stream("/tmp/ipykernel_1/2.py:1: X")),
            one(stream("/tmp/ipykernel_3/4.py:1: X")),
        ),
        ("uuids", one(display(f"<div id={U}>")), one(display(f"<div id={V}>"))),
        ("styles", one(display('<a id="T_61bb0">')), one(display('<a id="T_b1087">'))),
        ("progress bars", one(stream("1it [00:00, ?it/s]")), one(stream("1it [00:02, ?it/s]"))),
        (
            "profiles",
            one(stream("function calls in 0.003 seconds")),
            one(stream("function calls in 0.100 seconds")),
        ),
        ("debugger", unasked("debug_event", event="module"), one()),
        ("debugger", one(("debug_event", {"event": "module"})), one()),
        ("debugger warnings", unasked("stream", name="stderr", text=FROZEN), one()),
        ("debugger warnings", one(stream(FROZEN, "stderr")), one()),
    ],
)
def test_what_varies_by_nature(tmp_path: Path, rule: str, old: Talk, new: Talk) -> None:
    assert both_ways(tmp_path, old, new) == []
    assert both_ways(tmp_path, old, new, without(rule)) != []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (split_stream("one two"), split_stream("one ", "too")),
        (split_stream("a", "b"), split_stream("b", "a")),
        (one(stream("a"), display("1"), stream("b")), one(stream("ab"), display("1"))),
        (one(display("<A at 0x7f3a5c0d2e10>")), one(display("<B at 0x7f3a5c0d2e10>"))),
        (unasked("stream", name="stdout", text="1"), one()),
        (unasked("debug_event", event="stopped"), one()),
        (one(("debug_event", {"event": "stopped"})), one()),
        (unasked("status", execution_state="starting"), unasked("stream", name="a", text="b")),
        (waiting(1), one()),
        (unasked("stream", name="stderr", text=f"{FROZEN}more"), one()),
        (one(stream(f"{FROZEN}more", "stderr")), one()),
        (one(stream("\n")), one()),
        (one(stream("\n")), one(stream("   \n\n"))),
        (split_stream("a", "\n", "b"), split_stream("ab")),
        (unasked("stream", name="stdout", text="\n"), one()),
        (unasked("status", execution_state="restarting"), one()),
        (unasked("status", execution_state="dead"), one()),
        (answered("first", "second"), answered("second", "first")),
        (answered("first", "second"), answered("first", "second", late=True)),
        (one(stream("Wall time: 3 ms x")), one(stream("Wall time: 3 ms y"))),
    ],
)
def test_what_no_rule_hides(tmp_path: Path, old: Talk, new: Talk) -> None:
    assert both_ways(tmp_path, old, new) != []


def test_what_nobody_asked_for_overtakes_on_other_channels_alone(tmp_path: Path) -> None:
    def late(*types: str) -> Talk:
        def talk(to: Conversation) -> None:
            for msg_type in types:
                nobody, _ = serialize("execute_request", {})
                if msg_type == "execute_reply":
                    to.reply(nobody, {"execution_count": 1})
                else:
                    to.publish(msg_type, {"data": {}, "metadata": {}}, nobody)

        return talk

    first, second, reply = "display_data", "execute_result", "execute_reply"
    assert both_ways(tmp_path, late(first, second, reply), late(reply, first, second)) == []
    assert both_ways(tmp_path, late(first, second), late(second, first)) == ["order changed"]


def test_kernel_info_between_other_requests_is_no_waiting(tmp_path: Path) -> None:
    def asked(times: int) -> Talk:
        def talk(to: Conversation) -> None:
            cell(to, "run()")
            for _ in range(times):
                to.reply(to.ask("kernel_info_request"))

        return talk

    assert both_ways(tmp_path, asked(1), asked(2)) == ["only in b"]


def test_after_a_restart_clients_wait_again(tmp_path: Path) -> None:
    def restarted(times: int) -> Talk:
        def talk(to: Conversation) -> None:
            cell(to, "run()")
            to.event("kernel_restarted", pid=1)
            waiting(times)(to)

        return talk

    assert both_ways(tmp_path, restarted(1), restarted(3)) == []


# Ids, through the whole session


def comms(*opened: str, then: str) -> Talk:
    def talk(to: Conversation) -> None:
        for n, comm in enumerate(opened):
            content = {"comm_id": comm, "target_name": f"t{n}", "data": {}}
            cell(to, f"open({n})", ("comm_open", content))
        cell(to, "say()", ("comm_msg", {"comm_id": then, "data": {"x": 1}}))

    return talk


def test_a_comm_id_may_be_another_but_not_be_used_wrongly(tmp_path: Path) -> None:
    assert both_ways(tmp_path, comms(A, B, then=A), comms(B, C, then=B)) == []
    assert both_ways(tmp_path, comms(A, B, then=A), comms(B, C, then=C)) == ["differs"]
    assert both_ways(tmp_path, comms("x", "y", then="x"), comms("x", "y", then="y")) == ["differs"]


def naming(*named: int | str, formed: str = "{}", late: bool = False) -> Talk:
    """Cells of which each publishes the id of another one's request, or a text."""

    def talk(to: Conversation) -> None:
        ids: list[str] = []
        for n, name in enumerate(named):
            request, frames = serialize("execute_request", {"code": f"say({n})"})
            if not late:
                to.raw("shell", "to_kernel", frames, 1)
            ids.append(request["header"]["msg_id"])
            to.status("busy", request)
            state = {"msg_id": formed.format(ids[name] if isinstance(name, int) else name)}
            to.publish("comm_msg", {"comm_id": A, "data": {"state": state}}, request)
            to.status("idle", request)

    return talk


@pytest.mark.parametrize("formed", ["{}", '<div class="{}">'])
def test_a_request_that_is_named_has_to_be_the_same_one(tmp_path: Path, formed: str) -> None:
    first = naming(0, 1, 0, formed=formed)
    assert both_ways(tmp_path, first, naming(0, 1, 0, formed=formed)) == []
    assert both_ways(tmp_path, first, naming(0, 1, 0, formed=formed), without("message ids")) != []
    assert both_ways(tmp_path, first, naming(0, 1, 1, formed=formed)) == ["differs"]
    assert both_ways(tmp_path, first, naming(0, B, 0, formed=formed)) == ["differs"]
    assert both_ways(tmp_path, first, naming(0, "", 0, formed=formed)) == ["differs"]
    if formed == "{}":
        assert both_ways(tmp_path, naming(0, late=True), naming(0, late=True)) == []
        assert both_ways(tmp_path, naming(0, late=True), naming(B, late=True)) == ["differs"]


@pytest.mark.parametrize("msg_id", [A, f"{A}_12_3", "ffffffff-1111-2222-3333-444444444444"])
def test_the_id_of_the_old_request_is_not_that_of_the_new_one(tmp_path: Path, msg_id: str) -> None:
    def named(own: str, told: str) -> Talk:
        def talk(to: Conversation) -> None:
            request, frames = serialize("comm_msg", {"data": {}}, header={"msg_id": own})
            to.raw("shell", "to_kernel", frames, 1)
            to.publish("comm_msg", {"data": {"state": {"msg_id": told}}}, request)
            to.publish("stream", {"name": "stdout", "text": told}, request)
            to.status("idle", request)

        return talk

    assert both_ways(tmp_path, named(msg_id, msg_id), named(C, C)) == []
    assert both_ways(tmp_path, named(msg_id, msg_id), named(C, msg_id)) == ["differs"]


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize(
    ("form", "names"),
    [
        ('File "/tmp/ipykernel_1/{}.py", line 1', ("34", "35", "36")),
        ("<ipython-input-{}>", ("1-ab", "2-cd", "3-ef")),
        ('<style>#T_{0}_row0 {{}}</style><table id="T_{0}">', ("61bb0", "b1087", "00000")),
        ('<div id="{}">', (U, V, V.replace("a", "b"))),
    ],
)
def test_a_name_in_texts_stands_for_one_thing(
    tmp_path: Path, form: str, names: tuple[str, str, str], hidden: bool
) -> None:
    def shown(*which: int) -> Talk:
        return one(*(display(form.format(names[n])) for n in which))

    first, second = (1, 2) if not hidden else (0, 1)  # hidden: the first ones are the same bytes
    assert both_ways(tmp_path, shown(0, 1, 0), shown(first, second, first)) == []
    assert both_ways(tmp_path, shown(0, 1, 0), shown(first, second, second)) == ["differs"]
    assert both_ways(tmp_path, shown(0, 0, 1), shown(first, second, second)) == ["differs"]


@pytest.mark.parametrize(
    ("old", "new"), [((U, U), (U, V)), ((U, V), (U, U)), ((U, U), (V, U)), ((U, V, U), (U, V, V))]
)
def test_what_is_the_same_at_sight_is_remembered(
    tmp_path: Path, old: tuple[str, ...], new: tuple[str, ...]
) -> None:
    def said(*names: str) -> Talk:
        def talk(to: Conversation) -> None:
            for n, name in enumerate(names):
                cell(to, f"say({n})", stream(f"key {name}\n"))

        return talk

    def tagged(*names: str) -> Talk:
        def talk(to: Conversation) -> None:
            for n, name in enumerate(names):
                _, frames = serialize("display_data", {"data": {"text/plain": str(n)}})
                frames[-2] = b'{"of": "%s"}' % name.encode()
                to.raw("iopub", "to_client", frames)

        return talk

    for talk in (said, tagged):
        assert both_ways(tmp_path, talk(*old), talk(*new)) == ["differs"]


def test_the_file_of_a_cell_is_that_cell_s_though_another_was_edited(tmp_path: Path) -> None:
    def shown(*names: int) -> Talk:
        def talk(to: Conversation) -> None:
            for n, name in enumerate(names):
                cell(to, f"run({n})", stream(f'File "/tmp/ipykernel_9/{name}.py", line 1'))

        return talk

    def at_once(*names: int) -> Talk:
        return one(stream(" ".join(f"/tmp/ipykernel_9/{name}.py" for name in names)))

    for talk in (shown, at_once):
        assert both_ways(tmp_path, talk(1, 1, 3), talk(2, 1, 3)) == []
        assert both_ways(tmp_path, talk(1, 2, 1), talk(3, 2, 3)) == []
        assert both_ways(tmp_path, talk(1, 1, 3), talk(2, 1, 2)) == ["differs"]
        assert both_ways(tmp_path, talk(1, 1), talk(1, 2)) == ["differs"]


def test_what_no_rule_counts_may_contradict_itself(tmp_path: Path) -> None:
    def said(*engines: str) -> Talk:
        def talk(to: Conversation) -> None:
            for n, engine in enumerate(engines):
                cell(to, f"say({n})", ("execute_reply", {"engine_info": {"engine_uuid": engine}}))

        return talk

    assert both_ways(tmp_path, said(U, V, U), said(V, V, U)) == []


def test_in_an_extract_a_request_may_be_named_that_is_not_in_it(tmp_path: Path) -> None:
    def session(*cells: str) -> Talk:
        def talk(to: Conversation) -> None:
            for own in cells:
                code = {"code": f"say({own})"}
                request, frames = serialize("execute_request", code, header={"msg_id": own})
                to.raw("shell", "to_kernel", frames, 1)
                to.publish("comm_msg", {"data": {"state": {"msg_id": A}}}, request)
                to.status("idle", request)

        return talk

    assert both_ways(tmp_path, session(A, B), session(B)) == ["only in a"]

    def asking(*cells: str) -> Talk:
        """Then a client names the first one."""

        def talk(to: Conversation) -> None:
            session(*cells)(to)
            content = {"comm_id": "c", "data": {"state": {"msg_id": A, "html": f"<i id={A}>"}}}
            request, frames = serialize("comm_msg", content, header={"msg_id": C})
            to.raw("shell", "to_kernel", frames, 1)
            to.status("idle", request)

        return talk

    assert both_ways(tmp_path, asking(A, B), asking(B)) == ["only in a"]
    assert both_ways(tmp_path, asking(A), session(A)) == ["only in a"]


def test_the_id_of_another_session_names_nothing_in_this_one(tmp_path: Path) -> None:
    def named(own: str) -> Talk:
        def talk(to: Conversation) -> None:
            request, frames = serialize("execute_request", {"code": "x"}, header={"msg_id": own})
            to.raw("shell", "to_kernel", frames, 1)
            to.status("idle", request)
            content = {"comm_id": "c", "data": {"state": {"msg_id": A}}}
            to.raw("shell", "to_kernel", serialize("comm_msg", content)[1], 1)

        return talk

    assert both_ways(tmp_path, named(A), named(A)) == []
    assert both_ways(tmp_path, named(A), named(B)) == ["differs"]


def test_code_may_name_a_request(tmp_path: Path) -> None:
    def looking(own: str, other: str, named: str) -> Talk:
        def talk(to: Conversation) -> None:
            for msg_id, code in ((own, "1"), (other, f"outputs_of('{named}').show()")):
                header = {"msg_id": msg_id}
                request, frames = serialize("execute_request", {"code": code}, header=header)
                to.raw("shell", "to_kernel", frames, 1)
                to.publish("execute_input", {"code": code, "execution_count": 1}, request)
                to.status("idle", request)

        return talk

    assert both_ways(tmp_path, looking(A, B, A), looking(U, V, U)) == []
    assert both_ways(tmp_path, looking(A, B, A), looking(U, V, V)) == ["differs"]
    assert both_ways(tmp_path, looking(A, B, C), looking(U, V, U)) == ["differs"]


def test_a_short_id_is_in_any_text() -> None:
    content = b'{"text": "1 of 10"}'
    assert not may_name(content, "1", "1")
    assert not may_name(content, "1", "2")
    assert may_name(b'{"id": "%s"}' % A.encode(), A, B)
    assert may_name(b'{"msg_id": "x"}', "", "")
    assert not may_name(b'{"msg_id": "%s"}' % A.encode(), B, B), "an extract and its session"


# Clients


def two_clients(first: int, second: int, order: str) -> Talk:
    def talk(to: Conversation) -> None:
        codes = {"1": iter("ab"), "2": iter("cd")}
        for client in order:
            number = first if client == "1" else second
            cell(to, next(codes[client]), client=number)

    return talk


def test_clients_are_told_apart_by_what_they_ask(tmp_path: Path) -> None:
    assert both_ways(tmp_path, two_clients(1, 2, "1122"), two_clients(1, 2, "2121")) == []
    assert both_ways(tmp_path, two_clients(1, 2, "1212"), two_clients(7, 3, "1122")) == []
    assert both_ways(tmp_path, two_clients(1, 2, "1122"), two_clients(1, 1, "1122")) == []


def test_the_order_within_a_client_counts(tmp_path: Path) -> None:
    def talk(codes: str) -> Talk:
        def run(to: Conversation) -> None:
            for code in codes:
                cell(to, code, client=1)
                cell(to, code.upper(), client=2)

        return run

    assert both_ways(tmp_path, talk("ab"), talk("ba")) == ["order changed", "order changed"]


# Events


def dying(**data: Any) -> Talk:
    def talk(to: Conversation) -> None:
        cell(to, "run()")
        to.event("kernel_died", **data)

    return talk


def test_a_death_is_a_difference(tmp_path: Path) -> None:
    assert both_ways(tmp_path, dying(signal=9), dying(signal=9)) == []
    assert both_ways(tmp_path, dying(signal=9), one()) == ["only in a"]
    assert both_ways(tmp_path, dying(signal=9), dying(signal=11)) == ["only in a", "only in b"]
    found = compared(tmp_path / "a.kspy", tmp_path / "b.kspy")
    assert [thread.event for thread in found.threads][1:] == ["kernel_died", "kernel_died"]
    assert "kernel died: signal SIGKILL" in str(found)


def test_a_kernel_that_was_told_to_end_did_not_die(tmp_path: Path) -> None:
    def ended(to: Conversation) -> None:
        cell(to, "run()")
        to.event("kernel_shut_down")
        to.event("kernel_died", signal=15)

    assert both_ways(tmp_path, ended, one()) == []


def test_where_nothing_is_known_of_the_process_no_death_is_missed(tmp_path: Path) -> None:
    imported = {"kernel_name": "", "imported": {"from": "har"}}
    old = record(tmp_path / "a.kspy", dying(signal=9))
    new = record(tmp_path / "b.kspy", one(), imported)
    assert compared(old, new).same
    assert any("imported" in note for note in compared(old, new).notes)


def test_gaps_and_ends_are_said(tmp_path: Path) -> None:
    def gap(to: Conversation) -> None:
        cell(to, "run()")
        to.event("gap", lost=3, why="the disk was full")

    old, new = record(tmp_path / "a.kspy", gap), record(tmp_path / "b.kspy", one())
    found = compared(old, new)
    assert found.same
    assert found.notes == ("a: gap: 3 messages missing (the disk was full)",)
    whole = new.read_bytes()
    new.write_bytes(whole[:-20])
    assert "b: was cut short; what came later was never written" in compared(old, new).notes


# Time


def taking(milliseconds: int, msg_type: str = "execute_request") -> Talk:
    def talk(to: Conversation) -> None:
        request = to.ask(msg_type, {"code": "run()"} if msg_type == "execute_request" else {})
        to.now_ns += milliseconds * MILLISECOND
        to.reply(request)

    return talk


@pytest.mark.parametrize(
    ("old", "new", "factor", "verdict", "told"),
    [
        (100, 500, None, "same", True),
        (100, 150, None, "same", False),
        (2, 90, None, "same", False),
        (100, 500, 3.0, "slower", True),
        (500, 100, 3.0, "faster", True),
        (100, 250, 3.0, "same", False),
        (2, 90, 3.0, "slower", False),
    ],
)
def test_time(
    tmp_path: Path, old: int, new: int, factor: float | None, verdict: str, told: bool
) -> None:
    a, b = (record(tmp_path / f"{n}.kspy", taking(n)) for n in (old, new))
    found = compared(a, b, factor=factor)
    assert verdicts(found) == [verdict]
    assert found.same == (verdict == "same")
    assert (("slower" in str(found)) or ("faster" in str(found))) == (told or verdict != "same")


def test_how_long_a_kernel_takes_to_start_is_not_told(tmp_path: Path) -> None:
    a, b = (record(tmp_path / f"{n}.kspy", taking(n, "kernel_info_request")) for n in (1, 500))
    assert compared(a, b).same
    assert "slower" not in str(compared(a, b))
    assert not compared(a, b, factor=2.0).same


# Parts of sessions


def test_a_part_of_the_old_session(tmp_path: Path) -> None:
    old = record(tmp_path / "a.kspy", cells("a", "b", "c"))
    new = record(tmp_path / "b.kspy", cells("b"))
    assert verdicts(compared(old, new, old_threads={1})) == ["same"]
    assert verdicts(compared(old, new, old_threads={0, 1})) == ["only in a", "same"]


def test_a_thread_of_which_little_was_recorded(tmp_path: Path) -> None:
    def idle(to: Conversation) -> None:
        for code in "ab":
            to.status("idle", to.ask("execute_request", {"code": code}))

    assert both_ways(tmp_path, idle, idle) == []


def test_only_some_threads_are_told_of(tmp_path: Path) -> None:
    old = record(tmp_path / "a.kspy", cells("a", "b", "c"))
    new = record(tmp_path / "b.kspy", cells("x", "b", "y"))
    assert verdicts(compared(old, new, only=({0, 1}, set()))) == ["differs", "same"]
    assert verdicts(compared(old, new, only=(set(), {1}))) == ["same"]


# What cannot be read


def raw(frames: Callable[[], list[bytes]]) -> Talk:
    def talk(to: Conversation) -> None:
        cell(to, "run()")
        to.raw("iopub", "to_client", frames())

    return talk


def test_messages_that_are_none(tmp_path: Path) -> None:
    assert both_ways(tmp_path, raw(lambda: [b"x"]), raw(lambda: [b"x"])) == []
    assert both_ways(tmp_path, raw(lambda: [b"x"]), raw(lambda: [b"y"])) == ["differs"]


def test_content_that_does_not_decode(tmp_path: Path) -> None:
    def broken(content: bytes) -> Talk:
        def frames() -> list[bytes]:
            _, made = serialize("stream", {})
            return [*made[:-1], content]

        return raw(frames)

    assert both_ways(tmp_path, broken(b"{no"), broken(b"{no")) == []
    assert both_ways(tmp_path, broken(b"{no"), broken(b"{yes")) == ["differs"]


def test_another_packer_says_the_same(tmp_path: Path) -> None:
    def packed(text: str) -> Talk:
        def frames() -> list[bytes]:
            message, made = serialize("stream", {})
            parts: tuple[Any, ...] = (message["header"], {}, {}, {"name": "stdout", "text": text})
            return [*made[:3], *(msgpack.packb(part, default=str) for part in parts)]

        return raw(frames)

    assert both_ways(tmp_path, packed("1"), packed("1")) == []
    assert both_ways(tmp_path, packed("1"), packed("2")) == ["differs"]


def test_buffers_count(tmp_path: Path) -> None:
    def buffers(*them: bytes) -> Talk:
        def talk(to: Conversation) -> None:
            request = cell(to, "run()")
            to.publish("comm_msg", {"comm_id": A, "data": {}}, request, them)

        return talk

    assert both_ways(tmp_path, buffers(b"1", b"2"), buffers(b"1", b"2")) == []
    assert both_ways(tmp_path, buffers(b"1", b"2"), buffers(b"1", b"3")) == ["differs"]
    assert both_ways(tmp_path, buffers(b"1", b"2"), buffers(b"1")) == ["differs"]


def test_what_is_damaged_is_not_compared(tmp_path: Path) -> None:
    with Conversation(tmp_path / "a.kspy") as to:
        cell(to, "a")
        to.writer.flush()
        cell(to, "b", stream("x" * 1000))
        to.writer.flush()
        cell(to, "c")
    whole = (tmp_path / "a.kspy").read_bytes()
    at = whole.index(b"chunk", whole.index(b"chunk", whole.index(b"chunk") + 1) + 1)
    damaged = bytearray(whole)
    damaged[at - 60] ^= 0xFF
    (tmp_path / "b.kspy").write_bytes(damaged)
    a, b = tmp_path / "a.kspy", tmp_path / "b.kspy"
    for old, new in ((a, b), (b, a), (b, b)):
        found = compared(old, new)
        assert not found.same
        assert verdicts(found) == ["same", "not compared", "same"]
        assert "is damaged" in str(found)
        assert "not all compared: 1 of 3 threads" in str(found)


def test_a_thread_of_very_many_messages(tmp_path: Path) -> None:
    def many(step: int) -> Talk:
        return one(*(stream("x" * step) for _ in range(2100 // step)))

    assert both_ways(tmp_path, many(1), many(3)) == []
    assert both_ways(tmp_path, many(1), many(11)) == ["differs"]


# Real sessions


@pytest.mark.parametrize("encoding", ["json", "v1"])
def test_a_session_over_a_websocket_says_the_same(tmp_path: Path, encoding: Encoding) -> None:
    for path in RECORDINGS:
        other = tmp_path / path.name
        over_websocket(path, other, encoding)
        assert compared(path, other).same
        assert compared(other, path).same


CODES = ("print(object())", "import sys; print(1, file=sys.stderr)", "1 / 0", "%time 6 * 7")


@piloted
async def test_a_real_session_twice(tmp_path: Path) -> None:
    for name in "ab":
        async with kspy.connect(kernel="python3", record=tmp_path / f"{name}.kspy") as kernel:
            await (await kernel.request("kernel_info_request")).done()  # as kspy may have, too
            for code in CODES:
                async for _ in await kernel.request("execute_request", {"code": code}):
                    pass
    found = compared(tmp_path / "a.kspy", tmp_path / "b.kspy")
    assert found.same, str(found)
    assert found.counts["same"] == len(CODES) + 1


def test_there_is_an_end_to_what_is_told_of_a_thread(tmp_path: Path) -> None:
    def shown(text: str) -> Talk:
        return one(*(display(f"{text} {n}") for n in range(1200)))

    old, new = record(tmp_path / "a.kspy", shown("x")), record(tmp_path / "b.kspy", shown("y"))
    (thread,) = compared(old, new).threads
    assert len(thread.messages) + thread.more == 1200
    assert "more messages" in str(compared(old, new))


# Any two sessions

outputs = st.lists(st.tuples(st.sampled_from("12d"), st.sampled_from("ab")), max_size=4)
sessions = st.lists(st.tuples(st.sampled_from("xyz"), outputs), max_size=6)
Session = list[tuple[str, list[tuple[str, str]]]]


def talk_of(session: Session) -> Talk:
    def talk(to: Conversation) -> None:
        for code, told in session:
            made = (display(t) if kind == "d" else stream(t, kind) for kind, t in told)
            cell(to, code, *made)

    return talk


def joined(session: Session) -> list[Any]:
    """A session, with the neighbouring pieces of a stream as one text."""
    return [
        (
            code,
            [
                (kind, "".join(text for _, text in group) if kind != "d" else [*group])
                for kind, group in groupby(told, lambda output: output[0])
            ],
        )
        for code, told in session
    ]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sessions, sessions)
def test_two_sessions_are_the_same_if_they_say_the_same(
    tmp_path_factory: pytest.TempPathFactory, old: Session, new: Session
) -> None:
    folder = tmp_path_factory.mktemp("two")
    a, b = record(folder / "a.kspy", talk_of(old)), record(folder / "b.kspy", talk_of(new))
    found, back = compared(a, b), compared(b, a)
    assert found.same == back.same == (joined(old) == joined(new))
    for one_way, first, second in ((found, old, new), (back, new, old)):
        numbers = [thread.old for thread in one_way.threads if thread.old is not None]
        assert numbers == sorted(numbers), "the order is that of a"
        assert len(numbers) == len(first)
        assert len([t for t in one_way.threads if t.new is not None]) == len(second)
    asked_once = len({code for code, _ in old}) == len(old)  # equal requests are paired in order
    if asked_once and sorted(map(repr, joined(old))) == sorted(map(repr, joined(new))):
        assert set(verdicts(found)) <= {"same", "order changed"}
