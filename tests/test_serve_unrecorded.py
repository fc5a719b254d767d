"""What was not recorded: refused, aborted, broken off, or handed to an understudy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conversation import serialize
from staging import Cell, Understudy, brief, staged

from kspy.replay.serving.queues import Queues
from kspy.replay.serving.request import Request


def test_an_interrupt_that_was_not_recorded_ends_the_cell_and_those_that_wait(
    tmp_path: Path,
) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        request = made.ask("execute_request", {"code": "long()", "silent": False})
        made.status("busy", request)
        made.now_ns += 3_600_000_000_000
        made.reply(request, {"execution_count": 3})
        made.status("idle", request)
        made.execute("next()", "next", count=4)
    with staged(tmp_path / "made.kspy", speed=1.0) as player:
        player.run("long()")
        player.run("next()")
        player.wait(1)
        player.run("next()")
        player.stage.interrupt(player.now)
        messages = player.heard()
        assert messages[2].content["execution_count"] == 3
        heard = brief(messages)
        assert heard[:4] == ["busy", "KeyboardInterrupt", "KeyboardInterrupt", "idle"]
        assert heard[4:] == ["busy", "aborted", "idle"] * 2
        player.run("next()")
        player.wait(1)
        assert brief(player.heard()) == ["busy", "next", "ok", "idle"]
        player.wait(7200)
        assert player.heard() == []


def test_what_waits_behind_a_refusal_is_aborted_where_that_is_to_be(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.execute("known()", "known")
    refused, known = ["busy", "NotRecorded", "NotRecorded", "idle"], ["busy", "known", "ok", "idle"]
    with staged(tmp_path / "made.kspy") as player:
        player.run("new()")
        player.run("known()", stop_on_error=False)
        player.ask("is_complete_request", {"code": "1"})
        player.wait(1)
        assert brief(player.heard()) == [
            *refused, *("busy", "aborted", "idle"), *("busy", "unknown", "idle"),
        ]  # fmt: skip
        player.run("known()")
        assert brief(player.heard()) == known
        player.run("new()", stop_on_error=False)
        player.run("known()")
        player.wait(1)
        assert brief(player.heard()) == [*refused, *known]


def test_much_that_is_said_leaves_room_for_what_else_happens(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.execute("much()", *["x"] * 3000)
        made.execute("next()", "next")
    with staged(tmp_path / "made.kspy") as player:
        player.run("much()")
        player.ask("kernel_info_request", channel="control")
        assert "kernel_info_reply" in [message.msg_type for message in player.heard()]
        player.stage.wake(player.now)
        assert 0 < len(player.heard()) < 2000
        player.stage.interrupt(player.now)
        player.wait(0)
        assert brief(player.heard()) == ["KeyboardInterrupt", "KeyboardInterrupt", "idle"]
        player.run("much()")
        player.run("next()")
        player.wait(0)
        said = brief(player.heard())
        assert said == ["busy", *["x"] * 3000, "ok", "idle", "busy", "next", "ok", "idle"]


def test_queues_of_invented_subshells_are_forgotten() -> None:
    queues = Queues()
    message, _ = serialize("execute_request", {})
    for number in range(3):
        frames = of_header({**message["header"], "subshell_id": str(number)})
        request = Request("shell", frames, 1)
        queue = queues.add(request)
        queues.tidy(queue)
        assert list(queues) == [queue]
        queue.waiting.clear()
        queues.tidy(queue)
        assert list(queues) == []


def of_header(header: dict[str, Any]) -> list[bytes]:
    return [b"one", b"<IDS|MSG>", b"", json.dumps(header, default=str).encode(), *[b"{}"] * 3]


def test_what_was_never_recorded_is_refused_and_the_nearest_named(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.execute("import math", count=6)
        made.execute("print('hello world')\nprint(2)", count=7)
        made.execute("last()", count=9)
    with staged(tmp_path / "made.kspy") as player:
        player.run("print('hello world')\nprint(2) \n")
        assert brief(player.heard()) == ["busy", "ok", "idle"]
        asked = player.run("print('hello there')")
        player.wait(1)
        heard = player.heard()
        assert [message.msg_type for message in heard] == [
            "status",
            "error",
            "execute_reply",
            "status",
        ]
        assert {message.parent_id for message in heard} == {asked}
        assert heard[2].content["status"] == "error"
        assert heard[2].content["execution_count"] == 7
        assert heard[1].content["evalue"] == (
            "made.kspy has no such execute_request; the nearest is message 4: print('hello world')"
        )
        assert player.said == [heard[1].content["evalue"]]
        player.ask("inspect_request", {"code": "x", "cursor_pos": 1, "detail_level": 0})
        assert brief(player.heard()) == ["busy", "NotRecorded", "idle"]
        player.run("")
        player.wait(1)
        assert player.said[-1] == "made.kspy has no such execute_request"
        player.ask("execute_request", {"code": "import math", "silent": True})
        player.wait(1)
        assert "is message 0, with another silent: import math" in player.said[-1]
        player.stage.restart(player.now)
        player.heard()
        player.run("new()")
        player.wait(1)
        assert player.heard()[2].content["execution_count"] == 0


def test_frontends_get_their_housekeeping_done(tmp_path: Path) -> None:
    kernel = {"display_name": "Lua", "language": "lua"}
    with Cell(tmp_path / "made.kspy", {"kernel_name": "lua", "kernel": kernel}) as made:
        made.execute("1")
    with staged(tmp_path / "made.kspy") as player:
        answers = {}
        for name in (
            "kernel_info",
            "is_complete",
            "history",
            "comm_info",
            "connect",
            "create_subshell",
        ):
            player.ask(f"{name}_request", {"code": "x"} if name == "is_complete" else {})
            _, reply, _ = player.heard()
            assert reply.msg_type == f"{name}_reply"
            answers[name] = reply.content
        assert answers["kernel_info"]["language_info"]["name"] == "lua"
        assert answers["is_complete"] == {"status": "unknown"}
        assert answers["history"]["history"] == []
        subshell = answers["create_subshell"]["subshell_id"]
        player.ask(
            "execute_request", {"code": "1", "silent": False}, header={"subshell_id": subshell}
        )
        assert brief(player.heard()) == ["busy", "ok", "idle"]
        assert player.said == []


def test_the_understudy_gets_what_was_not_recorded_in_its_turn(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        made.execute("known()", "known")
    understudy = Understudy()
    with staged(tmp_path / "made.kspy", understudy=understudy) as player:
        player.run("new()")
        player.run("known()")
        player.ask("kernel_info_request", channel="control")
        assert brief(player.heard()) == ["busy", "ok", "idle"]
        (request,) = understudy.asked
        assert request.content["code"] == "new()"
        player.stage.interrupt(player.now)
        assert understudy.done == ["interrupt"]
        player.stage.relieved(request, "", player.now)
        assert brief(player.heard()) == ["busy", "known", "ok", "idle"]
        for why, refusal in (("it died", ["busy", "NotRecorded", "NotRecorded", "idle"]), ("", [])):
            player.run("newer()")
            player.run("known()")
            if not why:
                player.stage.fails(understudy.asked[-1])
                player.run("new()", stop_on_error=False)  # perhaps as the failure is known
            player.stage.relieved(understudy.asked[-1], why, player.now)
            assert brief(player.heard()) == [*refusal, "busy", "aborted", "idle"]
        assert understudy.asked[-1].content["code"] == "new()"
