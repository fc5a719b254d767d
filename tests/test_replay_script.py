"""What a replay is to send and to wait for, by recordings made for it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgpack
import pytest
from conversation import Conversation, message, of_frames, serialize
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import events, messages, write
from replays import run, script_of, table_of, told

from kspy.analysis.sameness.ids import Ids
from kspy.replay.client.items import (
    FINISH,
    REPLY,
    Death,
    Interrupt,
    Restart,
    Running,
    Send,
    Wait,
)
from kspy.replay.client.progress import Progress
from kspy.replay.client.script import write_script
from kspy.replay.client.translate import CannotSendError, Translator
from kspy.replay.client.unbegun import Unbegun


def test_what_had_come_is_waited_for_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with Conversation(path) as c:
        first = c.ask("execute_request", {"code": "1"})
        second = c.ask("execute_request", {"code": "2"})  # did not wait
        c.status("busy", first)
        c.reply(first)
        third = c.ask("execute_request", {"code": "3"})  # waited for the reply alone
        c.status("idle", first)
        for request in (second, third):
            c.status("busy", request)
            c.status("idle", request)
    assert told(script_of(path)) == [
        "send 0", "send 1", f"wait 0 {REPLY} 1", "send 4", f"wait 0 {FINISH} 1",
        f"wait 1 {FINISH} 1", f"wait 4 {FINISH} 1",
    ]  # fmt: skip


def test_of_what_two_sent_at_once_the_one_that_was_first_is(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with Conversation(path) as c:
        for order in ((1, 2), (2, 1)):
            asked = {
                client: c.ask("execute_request", {"code": "1"}, client=client) for client in (1, 2)
            }
            for client in order:
                c.status("busy", asked[client])
                c.status("idle", asked[client])
    assert told(script_of(path)) == [
        "send 0", "wait 0 status 1", "send 1", f"wait 0 {FINISH} 1", f"wait 1 {FINISH} 1",
        "send 6", "send 7", f"wait 7 {FINISH} 1", f"wait 6 {FINISH} 1",
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=40))
def test_what_another_client_sent_last_is_known(steps: list[tuple[int, int]]) -> None:
    unbegun, waiting = Unbegun(), dict[int, int]()
    for place, (client, gone) in enumerate(steps):
        others = [p for p, its in waiting.items() if its != client]
        assert unbegun.last_of_another(client) == max(others, default=None)
        unbegun.add(place, client)
        waiting[place] = client
        unbegun.remove(place - gone)
        waiting.pop(place - gone, None)


def test_many_that_the_kernel_never_begins_with_cost_little() -> None:
    unbegun = Unbegun()
    for place in range(50_000):  # minutes, if each looked at all that wait
        assert unbegun.last_of_another(1) is None
        unbegun.add(place, 1)
    for place in reversed(range(50_000)):
        unbegun.remove(place)
        assert unbegun.last_of_another(2) == (place - 1 if place else None)


def test_a_question_is_waited_for_before_its_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with Conversation(path) as c:
        request = c.ask("execute_request", {"code": "input(), input()"})
        for text in ("a", "b"):
            asked, frames = serialize("input_request", {"prompt": ""}, request)
            c.raw("stdin", "to_client", frames, 1)
            parent = asked if text == "b" else None  # jupyter_client sends none
            _, frames = serialize("input_reply", {"value": text}, parent)
            c.raw("stdin", "to_kernel", frames, 1)
    script = script_of(path)
    assert told(script) == [
        "send 0", "wait 0 input_request 1", "send 2", "wait 0 input_request 2", "send 4",
    ]  # fmt: skip
    answers = [item.answers for item in script.items if isinstance(item, Send)]
    assert answers == [None, (0, 1), (0, 2)]


def test_an_interrupt_knows_what_it_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with Conversation(path) as c:
        request = c.ask("execute_request", {"code": "sleep()"})
        c.status("busy", request)
        c.publish("execute_input", {"code": "sleep()"}, request)
        c.publish("stream", {"name": "stdout", "text": "."}, request)
        c.ask("interrupt_request", channel="control")
        c.event("kernel_interrupted", by="signal")
        c.status("idle", request)
        c.event("kernel_interrupted", by="signal")
    items = script_of(path).items
    running = [item.running for item in items if isinstance(item, Send | Interrupt)]
    assert running == [
        None,
        Running(0, 2, since_busy_ns=3_000_000, since_last_ns=2_000_000),
        Running(0, 2, since_busy_ns=4_000_000, since_last_ns=3_000_000),
        None,
    ]


def test_a_death_and_a_restart_are_in_it_and_the_taps_own_end_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with Conversation(path) as c:
        c.ask("execute_request", {"code": "die()"})
        c.event("kernel_died", signal="SIGKILL")
        c.event("kernel_restarted")
        run(c, "1")
        c.event("kernel_shut_down")
        c.event("kernel_died", exit_status=0)
    assert told(script_of(path)) == [
        "send 0", "Death", "Restart", "send 1", f"wait 1 {REPLY} 1", f"wait 1 {FINISH} 1",
    ]  # fmt: skip


def test_a_server_that_starts_a_kernel_again_says_so_once_a_client(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with Conversation(path) as c:
        c.ask("execute_request", {"code": "die()"})
        c.status("restarting")
        c.event("kernel_died")
        c.status("restarting")
        c.ask("execute_request", {"code": "1"})
    items = script_of(path).items
    assert [type(item) for item in items] == [Send, Death, Restart, Send]
    assert [item.told for item in items if isinstance(item, Death | Restart)] == [True, False]


def test_a_part_takes_with_it_what_interrupted_it(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with Conversation(path) as c:
        run(c, "x = 1")
        request = c.ask("execute_request", {"code": "sleep()"}, client=2)
        c.status("busy", request)
        c.ask("interrupt_request", channel="control")
        c.status("idle", request)
        c.ask("interrupt_request", channel="control")
    assert told(script_of(path, "client:2")) == ["send 4", "send 6", f"wait 4 {FINISH} 1"]


def test_what_was_never_finished_is_given_as_long_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    with Conversation(path) as c:
        run(c, "1")
        request = c.ask("execute_request", {"code": "hang()"})
        c.status("busy", request)
        c.now_ns += 5_000_000_000
        c.event("tap_stopped")
    assert script_of(path).unended == {4: 5_002_000_000}


def translated(translator: Translator, sent: Any) -> list[dict[str, Any]]:
    return [json.loads(part) for part in translator.letter(sent).parts]


def asked(content: dict[str, Any], **header: Any) -> Any:
    return message("comm_msg", content, "shell", "to_kernel", header=header)


def test_ids_are_new_and_what_nobody_knows_is_kept() -> None:
    translator = Translator(Ids())
    old = asked({"a": 1}, msg_id="m", session="s", username="Ada", further=[1])
    header, parent, metadata, content = translated(translator, old)
    again, *_ = translated(translator, old)
    other, *_ = translated(translator, asked({}, msg_id="n", session="s"))
    assert header["msg_id"] == again["msg_id"] != other["msg_id"], "a msg_id that came twice does"
    assert header["session"] == other["session"] != "s"
    assert header["date"] != old.header["date"]
    assert (header["username"], header["further"]) == ("Ada", [1])
    assert (parent, metadata, content) == ({}, {}, {"a": 1})


def test_ids_that_the_kernel_made_are_new_wherever_they_are() -> None:
    translator = Translator(Ids())
    ids = ("0" * 32, "f" * 32)
    old, new = (message("comm_open", {"comm_id": x, "target_name": "t"}) for x in ids)
    translator.learn(old, new)
    told = asked({"comm_id": ids[0], "data": {"ref": f"IPY_MODEL_{ids[0]}", "b": 1}})
    *_, content = translated(translator, told)
    assert content == {"comm_id": ids[1], "data": {"ref": f"IPY_MODEL_{ids[1]}", "b": 1}}


def test_a_request_that_is_named_is_the_new_one() -> None:
    translator = Translator(Ids())
    first, other = f"{'a' * 32}_12_3", "b" * 32
    header, *_ = translated(translator, asked({}, msg_id=first))
    named = {"state": {"msg_id": first, "other": other}}
    *_, content = translated(translator, asked({"data": named}, msg_id="m"))
    assert content == {"data": {"state": {"msg_id": header["msg_id"], "other": other}}}


def test_an_id_that_may_be_a_word_is_new_where_ids_stand_alone() -> None:
    translator = Translator(Ids())
    old, new = (message("comm_open", {"comm_id": x, "target_name": "t"}) for x in ("1", "2"))
    translator.learn(old, new)
    *_, content = translated(translator, asked({"comm_id": "1", "data": {"value": "1"}}))
    assert content == {"comm_id": "2", "data": {"value": "1"}}


def test_a_content_without_such_ids_is_sent_byte_for_byte() -> None:
    written = b'{ "comm_id" : "x",  "n": 1.00 }'
    _, frames = serialize("comm_msg", {}, None, [b"\x00\xff"])
    frames[-2] = written
    letter = Translator(Ids()).letter(of_frames(frames, "shell", "to_kernel"))
    assert letter.parts[3] == written
    assert letter.buffers == [b"\x00\xff"]


@pytest.mark.parametrize("raw", [b"\xff no JSON", b"[1]"])
def test_what_does_not_decode_is_sent_as_it_is(raw: bytes) -> None:
    _, frames = serialize("junk", {})
    frames[-1] = raw
    assert Translator(Ids()).letter(of_frames(frames, "shell", "to_kernel")).parts[3] == raw


def test_another_packer_is_kept() -> None:
    _, frames = serialize("comm_msg", {})
    frames[-4] = msgpack.packb({"msg_id": "m", "session": "s", "msg_type": "comm_msg"})
    header = Translator(Ids()).letter(of_frames(frames, "shell", "to_kernel")).parts[0]
    assert msgpack.unpackb(header)["msg_id"] != "m"


def test_what_is_no_message_cannot_be_sent() -> None:
    with pytest.raises(CannotSendError, match="no Jupyter messages"):
        Translator(Ids()).letter(of_frames([b"x"], "shell", "to_kernel"))


def test_what_a_kernel_finished_without_never_comes() -> None:
    progress = Progress()
    request, _ = serialize("execute_request", {})
    progress.send(0, request["header"]["msg_id"], "shell", answered=True)
    question, late = Wait(0, 0, "input_request"), Wait(0, 0, "comm_open", within=False)
    assert not progress.never(question)
    assert progress.unfinished == 0
    _, frames = serialize("status", {"execution_state": "idle"}, request)
    progress.see(of_frames(frames), 0.0)
    assert progress.has(Wait(0, 0, FINISH))
    assert not progress.has(Wait(0, 0, REPLY))
    assert progress.never(question)
    assert not progress.never(late), "a thread of the kernel may still open it"
    assert progress.unfinished is None


def test_what_came_too_late_once_is_not_waited_for_again() -> None:
    progress = Progress()
    for place in (0, 1):
        progress.send(place, f"m{place}", "shell", answered=True)
    first, second = (Wait(0, 0, "comm_msg", n, certain=False, within=False) for n in (1, 2))
    assert not progress.never(second)
    progress.give_up(first)
    assert progress.never(second), "with 200 of them it would be 200 times as long"
    assert not progress.never(second._replace(what="comm_close"))
    assert not progress.never(second._replace(place=1))


@settings(max_examples=60, deadline=None)
@given(st.lists(messages | events, max_size=12))
def test_whatever_is_in_a_recording_there_is_a_script_of_it(stories: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        write(Path(folder) / "a.kspy", [stories])
        with table_of(Path(folder) / "a.kspy") as table:
            script = write_script(table)
            sent = [item.place for item in script.items if isinstance(item, Send)]
            assert sent == [
                place
                for place in range(len(table))
                if table.direction(place) == "to_kernel" and table.channel(place) != "hb"
            ]
            translator = Translator(Ids())
            for place in sent:
                with suppress(CannotSendError):
                    assert len(translator.letter(table.load(place)).parts) == 4
