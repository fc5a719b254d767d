"""The served kernel without sockets: which recorded answer, when, and to whom."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conversation import serialize
from staging import Cell, brief, is_signed, staged


def test_an_answer_is_what_was_recorded_with_new_ids(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.execute("print(1)", "1\n")
    with staged(tmp_path / "made.kspy") as player:
        asked = player.run("print(1)")
        heard = player.heard()
        assert brief(heard) == ["busy", "1\n", "ok", "idle"]
        assert [message.channel for message in heard] == ["iopub", "iopub", "shell", "iopub"]
        assert {message.parent_id for message in heard} == {asked}
        assert all(is_signed(frames) for frames in player.frames)
        assert len({message.header["session"] for message in heard}) == 1
        assert len({message.msg_id for message in heard}) == 4
        assert player.frames[2][0] == b"one"


def test_equal_requests_are_answered_in_recorded_order_and_again(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.execute("tick()", "first")
        made.execute("other()", "other")
        made.execute("tick()", "second")
    with staged(tmp_path / "made.kspy") as player:
        told = []
        for code in ("tick()", "tick()", "other()", "tick()"):
            player.run(code)
            told.append(brief(player.heard())[1])
        assert told == ["first", "second", "other", "first"]


def test_what_decides_is_the_code_whatever_else_a_client_says(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.execute("print(1)", "1\n")
    with staged(tmp_path / "made.kspy") as player:
        player.run("print(1)", store_history=True, allow_stdin=False, user_expressions={})
        assert brief(player.heard()) == ["busy", "1\n", "ok", "idle"]


def test_pauses_are_those_of_the_recorded_kernel(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        first = made.ask("execute_request", {"code": "slow()", "silent": False})
        second = made.ask("execute_request", {"code": "quick()", "silent": False})  # it waits
        made.status("busy", first)
        made.now_ns += 10_000_000_000
        made.reply(first)
        made.status("idle", first)
        made.status("busy", second)
        made.now_ns += 1_000_000_000
        made.reply(second)
        made.status("idle", second)
    with staged(tmp_path / "made.kspy", speed=2.0) as player:
        player.run("quick()")
        player.wait(0.49)
        assert brief(player.heard()) == ["busy"]
        player.wait(0.03)
        assert brief(player.heard()) == ["ok", "idle"]
        player.run("slow()")
        player.run("quick()")
        player.wait(4.9)
        assert brief(player.heard()) == ["busy"]
        player.wait(0.2)
        assert brief(player.heard()) == ["ok", "idle", "busy"]
        player.wait(0.6)
        assert brief(player.heard()) == ["ok", "idle"]


def test_what_the_kernel_said_unasked_comes_once_and_holds_nobody_up(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.status("starting")
        made.execute("start()", "started")
        made.now_ns += 5_000_000_000
        made.publish("comm_msg", {"comm_id": "c", "data": {"tick": 1}})
        made.execute("after()", "after")
    with staged(tmp_path / "made.kspy", speed=1.0) as player:
        player.run("start()")
        player.run("after()")
        player.wait(1)
        assert brief(player.heard()) == [
            "busy",
            "started",
            "ok",
            "idle",
            "busy",
            "after",
            "ok",
            "idle",
        ]
        player.wait(5)
        (message,) = player.heard()
        assert message.content["data"] == {"tick": 1}
        assert message.parent_header == {}
        player.run("start()")
        player.wait(9)
        assert brief(player.heard()) == ["busy", "started", "ok", "idle"]


def test_what_a_kernel_says_that_is_shut_down_by_the_tap_is_left_out(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.execute("print(1)", "1\n")
        made.event("kernel_shut_down")
        made.publish("shutdown_reply", {"status": "ok", "restart": False}, serialize("x", {})[0])
    with staged(tmp_path / "made.kspy") as player:
        player.run("print(1)")
        assert brief(player.heard()) == ["busy", "1\n", "ok", "idle"]


def asking(made: Cell) -> None:
    """A cell that asks for two names."""
    request = made.ask("execute_request", {"code": "ask()", "silent": False})
    made.status("busy", request)
    for prompt, answer in (("first? ", "Ada"), ("last? ", "Lovelace")):
        question, frames = serialize("input_request", {"prompt": prompt}, request)
        made.raw("stdin", "to_client", frames, 1)
        made.now_ns += 60_000_000_000
        _, frames = serialize("input_reply", {"value": answer}, question)
        made.raw("stdin", "to_kernel", frames, 1)
    made.publish("stream", {"name": "stdout", "text": "Ada Lovelace"}, request)
    made.reply(request)
    made.status("idle", request)


def test_the_kernel_waits_for_input_and_no_longer(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        asking(made)
    with staged(tmp_path / "made.kspy", speed=1.0) as player:
        asked = player.run("ask()")
        player.wait(3600)
        _, question = player.heard()
        assert (question.channel, question.content["prompt"]) == ("stdin", "first? ")
        assert player.frames[1][0] == b"one"
        assert question.parent_id == asked
        player.ask("input_reply", {"value": "Ada"}, "stdin", parent={"header": question.header})
        player.wait(1)
        assert brief(player.heard()) == ["last? "]
        assert player.said == []
        player.ask("input_reply", {"value": "secret"}, "stdin")
        player.wait(1)
        assert brief(player.heard()) == ["Ada Lovelace", "ok", "idle"]
        (line,) = player.said
        assert "answered otherwise" in line
        assert "secret" not in line


def test_a_client_that_allows_no_input_is_not_asked(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        asking(made)
    with staged(tmp_path / "made.kspy") as player:
        player.run("ask()", allow_stdin=False)
        assert brief(player.heard()) == ["busy", "Ada Lovelace", "ok", "idle"]
        assert len(player.said) == 2


def test_only_the_client_that_was_asked_answers(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        asking(made)
    with staged(tmp_path / "made.kspy") as player:
        player.run("ask()")
        player.heard()
        player.ask("input_reply", {"value": "x"}, "stdin", client=b"two")
        assert player.heard() == []


def interrupted(made: Cell, *, by_message: bool) -> None:
    request = made.ask("execute_request", {"code": "sleep()", "silent": False})
    made.status("busy", request)
    made.now_ns += 2_000_000_000
    made.publish("stream", {"name": "stdout", "text": "before"}, request)
    made.now_ns += 2_000_000_000
    if by_message:
        stop = made.ask("interrupt_request", channel="control")
        made.reply(stop, channel="control")
    else:
        made.event("kernel_interrupted", by="signal")
    made.publish("error", {"ename": "KeyboardInterrupt"}, request)
    made.reply(request, {"status": "error", "ename": "KeyboardInterrupt"})
    made.status("idle", request)


def test_what_followed_an_interrupt_waits_for_one(tmp_path: Path) -> None:
    for by_message in (True, False):
        path = tmp_path / f"{by_message}.kspy"
        with Cell(path) as made:
            interrupted(made, by_message=by_message)
        with staged(path, speed=1.0) as player:
            player.run("sleep()")
            player.wait(3600)
            assert brief(player.heard()) == ["busy", "before"]
            player.ask("interrupt_request", channel="control")
            player.wait(1)
            heard = player.heard()
            own = [
                message
                for message in heard
                if message.parent_header["msg_type"] != "interrupt_request"
            ]
            assert brief(own) == ["KeyboardInterrupt", "KeyboardInterrupt", "idle"]
            assert "interrupt_reply" in [message.msg_type for message in heard]


@pytest.mark.parametrize("told", ["after", "before", "before, and says so"])
def test_an_interrupt_after_the_reply_is_not_waited_for(told: str, tmp_path: Path) -> None:
    """As managers do that shut down; on a busy machine the tap may hear of it too early."""
    with Cell(tmp_path / "made.kspy") as made:
        request = made.ask("execute_request", {"code": "last()", "silent": False})
        made.status("busy", request)
        at_ns = made.now_ns + (1 if told == "before" else 0)
        if told == "after":
            made.reply(request)
        made.writer.event(at_ns, "kernel_interrupted", {"by": "signal"})
        if told != "after":
            made.reply(request)
        made.status("idle", request)
        made.ask("shutdown_request", {"restart": False}, "control")
    with staged(tmp_path / "made.kspy") as player:
        player.run("last()")
        assert brief(player.heard()) == ["busy", "ok", "idle"]


def test_an_early_interrupt_waits_for_no_pause(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        interrupted(made, by_message=False)
    with staged(tmp_path / "made.kspy", speed=1.0) as player:
        player.run("sleep()")
        player.wait(0.5)
        player.stage.interrupt(player.now)
        player.wait(0.1)
        assert brief(player.heard()) == [
            "busy",
            "before",
            "KeyboardInterrupt",
            "KeyboardInterrupt",
            "idle",
        ]


def test_kernel_info_is_the_recorded_one(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.ask("kernel_info_request")  # lost, as the kernel did not listen yet
        request = made.ask("kernel_info_request")
        made.status("busy", request)
        made.reply(request, {"implementation": "thing"})
        made.status("idle", request)
    with staged(tmp_path / "made.kspy") as player:
        for channel in ("control", "shell", "shell"):
            player.ask("kernel_info_request", channel=channel)
            heard = player.heard()
            assert [message.channel for message in heard] == ["iopub", channel, "iopub"]
            assert heard[1].content["implementation"] == "thing"


def test_a_comm_of_the_clients_has_the_clients_id(tmp_path: Path) -> None:
    old, new = "6a62dbf7f8e245f485ec6ff2a0749af9", "0123456789abcdef0123456789abcdef"
    with Cell(tmp_path / "made.kspy") as made:
        for msg_type, data in (("comm_open", {"a": 1}), ("comm_msg", {"b": [f"IPY_MODEL_{old}"]})):
            content = {"comm_id": old, "data": data}
            content |= {"target_name": "t"} if msg_type == "comm_open" else {}
            request = made.ask(msg_type, content)
            made.status("busy", request)
            made.publish(
                "comm_msg", {"comm_id": old, "data": {"echo": f"IPY_MODEL_{old}"}}, request
            )
            made.status("idle", request)
    with staged(tmp_path / "made.kspy") as player:
        player.ask("comm_open", {"comm_id": new, "target_name": "t", "data": {"a": 1}})
        assert brief(player.heard()) == ["busy", "comm_msg", "idle"]
        player.ask("comm_msg", {"comm_id": new, "data": {"b": [f"IPY_MODEL_{new}"]}})
        _, echo, _ = player.heard()
        assert echo.content == {"comm_id": new, "data": {"echo": f"IPY_MODEL_{new}"}}
        assert player.said == []
        player.ask("comm_info_request", {})
        assert player.heard()[1].content["comms"] == {new: {"target_name": "t"}}


def test_what_is_said_to_one_comm_is_not_taken_for_said_to_another(tmp_path: Path) -> None:
    one, other = "1" * 32, "2" * 32
    with Cell(tmp_path / "made.kspy") as made:
        for comm_id in (one, other):
            request = made.ask("comm_msg", {"comm_id": comm_id, "data": {}})
            made.publish("comm_msg", {"comm_id": comm_id, "data": {"from": comm_id}}, request)
            made.status("idle", request)
    with staged(tmp_path / "made.kspy") as player:
        for comm_id in (other, one, other):
            player.ask("comm_msg", {"comm_id": comm_id, "data": {}})
            assert player.heard()[0].content["data"] == {"from": comm_id}
        player.ask("comm_msg", {"comm_id": "3" * 32, "data": {}})
        assert brief(player.heard()) == ["busy", "idle"]
        (line,) = player.said
        assert "no such comm_msg" in line


def test_a_comm_that_nobody_recorded_is_closed(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.execute("1")
    with staged(tmp_path / "made.kspy") as player:
        player.ask("comm_open", {"comm_id": "x", "target_name": "t", "data": {}})
        heard = player.heard()
        assert [message.msg_type for message in heard] == ["status", "comm_close", "status"]
        player.ask("comm_info_request", {})
        assert player.heard()[1].content["comms"] == {}


def test_what_was_broken_stays_broken(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        request = made.ask("execute_request", {"code": "break()", "silent": False})
        made.status("busy", request)
        _, frames = serialize("stream", {}, request)
        made.raw("iopub", "to_client", [*frames[:-1], b"{not json"])
        made.raw("iopub", "to_client", [b"no", b"message"])
        _, frames = serialize("stream", {"text": "forged"}, request)
        made.writer.write(made.now_ns, "iopub", "to_client", frames, flags=1)
        made.reply(request)
        made.status("idle", request)
    with staged(tmp_path / "made.kspy") as player:
        player.run("break()")
        heard = player.heard()
        assert [message.flags for message in heard[1:3]] == [("undecodable",), ("malformed",)]
        assert player.frames[1][-1] == b"{not json"
        assert player.frames[2] == [b"no", b"message"]
        assert [is_signed(player.frames[place]) for place in (1, 3, 4)] == [True, False, True]


def test_a_parent_header_that_lacked_something_lacks_it_again(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        request = made.ask("execute_request", {"code": "1", "silent": False})
        made.publish("stream", {}, {"header": {"msg_id": request["header"]["msg_id"]}})
        made.reply(request)
    with staged(tmp_path / "made.kspy") as player:
        asked = player.run("1")
        stream, reply = player.heard()
        assert stream.parent_header == {"msg_id": asked}
        assert set(reply.parent_header) == set(request["header"])


def test_a_request_that_was_never_answered_holds_up_its_channel(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.execute("fine()", "fine")
        request = made.ask("execute_request", {"code": "hang()", "silent": False})
        made.status("busy", request)
    with staged(tmp_path / "made.kspy") as player:
        player.run("hang()")
        player.run("fine()")
        player.ask("kernel_info_request", channel="control")
        player.wait(3600)
        assert brief(player.heard()) == ["busy", "busy", "ok", "idle"]
        player.stage.interrupt(player.now)
        assert brief(player.heard())[:3] == ["KeyboardInterrupt", "KeyboardInterrupt", "idle"]


def test_a_request_that_was_lost_holds_up_nobody(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.ask("execute_request", {"code": "lost()", "silent": False})
        made.execute("fine()", "fine")
    with staged(tmp_path / "made.kspy") as player:
        player.run("lost()")
        player.run("fine()")
        assert brief(player.heard()) == ["busy", "fine", "ok", "idle"]


def test_the_kernel_dies_where_it_died(tmp_path: Path) -> None:
    for revived in (False, True):
        path = tmp_path / f"{revived}.kspy"
        with Cell(path) as made:
            request = made.ask("execute_request", {"code": "die()", "silent": False})
            made.status("busy", request)
            made.event("kernel_died", signal="SIGKILL")
            if revived:
                made.event("kernel_restarted")
                made.status("starting")
                made.execute("again()", "again")
        with staged(path) as player:
            player.run("die()")
            player.run("again()")
            assert bool(player.stage.ended) is not revived
            revival = ["starting", "busy", "again", "ok", "idle"] if revived else []
            assert brief(player.heard()) == ["busy", *revival]


def test_shutting_down_and_restarting(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.execute("tick()", "first")
        made.execute("tick()", "second")
    with staged(tmp_path / "made.kspy") as player:
        player.run("tick()")
        player.heard()
        player.ask("shutdown_request", {"restart": True}, "control")
        heard = player.heard()
        assert heard[1].content == {"status": "ok", "restart": True}
        assert player.stage.restarts
        player.stage.restart(player.now)
        assert brief(player.heard()) == ["starting"]
        player.run("tick()")
        assert brief(player.heard())[1] == "first"


def test_a_shutdown_is_replied_to_as_it_was_then(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        request = made.ask("shutdown_request", {"restart": True}, "control")
        made.status("busy", request)
        made.reply(request, {"restart": False, "of": "its own"}, "control")
    with staged(tmp_path / "made.kspy") as player:
        player.ask("shutdown_request", {"restart": True}, "control")
        busy, reply = player.heard()
        assert busy.msg_type == "status"
        assert reply.content == {"status": "ok", "restart": False, "of": "its own"}
        assert player.stage.restarts
        player.stage.restart(player.now)
        player.heard()
        player.ask("shutdown_request", {"restart": False}, "control")
        assert player.heard()[1].content == {"status": "ok", "restart": False}


def test_what_is_no_message_or_is_forged_gets_no_answer(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.execute("1")
    with staged(tmp_path / "made.kspy") as player:
        player.stage.receive("shell", [b"one", b"nonsense"], player.now)
        _, frames = serialize("execute_request", {"code": "1"})
        player.stage.receive("shell", frames, player.now)
        assert player.heard() == []
        assert [line.split(";")[0] for line in player.said] == [
            "shell: what came is no Jupyter message",
            "shell: what came has a wrong signature",
        ]


def test_subscriptions_are_greeted(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.execute("1")
    with staged(tmp_path / "made.kspy") as player:
        player.stage.subscribed(b"topic")
        (greeting,) = player.heard()
        assert (greeting.msg_type, greeting.content) == ("iopub_welcome", {"subscription": "topic"})
        assert player.frames[0][0] == b"topic"
        assert json.loads(player.frames[0][4]) == {}
