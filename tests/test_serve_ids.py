"""The served kernel without sockets: ids in what is said are those that hold now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conversation import serialize
from staging import Cell, Staged, staged

WIDGET = "0123456789abcdef0123456789abcdef"


def routed(made: Cell, cell: dict[str, Any], request: dict[str, Any], text: str) -> None:
    """What `request` prints goes into a widget, as the kernel says to whom `cell` asked."""
    for msg_id in (request["header"]["msg_id"], ""):
        data = {"method": "update", "state": {"msg_id": msg_id, "text": f"in {msg_id}"}}
        made.publish("comm_msg", {"comm_id": WIDGET, "data": data}, cell)
        if msg_id:
            made.publish("stream", {"name": "stdout", "text": text}, cell)


def told(player: Staged) -> list[str]:
    """The requests that the widget is told to take the outputs of."""
    said = [message for message in player.heard() if message.msg_type == "comm_msg"]
    return [message.content["data"]["state"]["msg_id"] for message in said]


def test_a_widget_that_takes_in_outputs_is_told_the_request_of_now(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        cells = []
        for code in ("first", "second", "never"):
            cells.append(made.ask("execute_request", {"code": code, "silent": False}))
            made.status("busy", cells[-1])
            for cell in cells[::-1]:
                routed(made, cells[-1], cell, code)
            made.reply(cells[-1])
            made.status("idle", cells[-1])
    recorded = cells[1]["header"]["msg_id"]
    with staged(tmp_path / "made.kspy") as player:
        first = player.run("first")
        assert told(player) == [first, ""]
        again = player.run("first", store_history=False)
        assert told(player) == [again, ""]
        second = player.run("second")
        messages = player.heard()
        states = [m.content["data"]["state"] for m in messages if m.msg_type == "comm_msg"]
        assert [state["msg_id"] for state in states] == [second, "", again, ""]
        assert states[0]["text"] == f"in {recorded}"  # it is only a part of a text
        never = player.run("never")
        assert told(player) == [never, "", second, "", again, ""]
    with staged(tmp_path / "made.kspy") as player:
        second = player.run("second")
        assert told(player) == [second, "", cells[0]["header"]["msg_id"], ""]


def test_what_names_no_request_keeps_its_bytes(tmp_path: Path) -> None:
    odd = b'{ "state" :"\\u00e9", "text": "an \\"' + b"f" * 32 + b'\\" is 1.0E1" }'
    with Cell(tmp_path / "made.kspy") as made:
        cell = made.ask("execute_request", {"code": "1", "silent": False})
        named = odd.replace(b"f" * 32, cell["header"]["msg_id"].encode())
        made.raw("iopub", "to_client", [*serialize("comm_msg", {}, cell)[1][:-1], named])
        made.reply(cell)
        made.status("idle", cell)
    with staged(tmp_path / "made.kspy") as player:
        player.run("1")
        player.heard()
        assert player.frames[0][-1] == named


def test_a_client_may_name_its_own_request(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        for text in ("one", "other"):
            cell = made.execute(text)
            state = {"msg_id": cell["header"]["msg_id"], "outputs": [text]}
            asked = made.ask("comm_msg", {"comm_id": WIDGET, "data": {"state": state}})
            made.publish("comm_msg", {"comm_id": WIDGET, "data": {"state": state}}, asked)
            made.status("idle", asked)
    with staged(tmp_path / "made.kspy") as player:
        for text in ("other", "one", "other"):
            cell_id = player.run(text)
            player.heard()
            state = {"msg_id": cell_id, "outputs": [text]}
            player.ask("comm_msg", {"comm_id": WIDGET, "data": {"state": state}})
            assert player.heard()[0].content["data"]["state"] == state
        assert player.said == []


SLIDER, LABEL = "6a62dbf7-f8e2-45f4-85ec-6ff2a0749af9", "a" * 31 + "1"
VIEW = "application/vnd.jupyter.widget-view+json"


def opened(made: Cell, request: dict[str, Any], comm_id: str, **state: Any) -> None:
    content = {"comm_id": comm_id, "target_name": "jupyter.widget", "data": {"state": state}}
    made.publish("comm_open", content, request)


def moved(made: Cell, comm_id: str, *answers: str) -> dict[str, Any]:
    """A client moves a widget; the comms that are told of it."""
    request = made.ask("comm_msg", {"comm_id": comm_id, "data": {"value": 4}})
    made.status("busy", request)
    for other in answers:
        made.publish("comm_msg", {"comm_id": other, "data": {"of": f"IPY_MODEL_{LABEL}"}}, request)
    return request


def widgets(path: Path) -> None:
    """A cell shows a slider with a label, which follows when it is moved; and another cell."""
    with Cell(path) as made:
        cell = made.ask("execute_request", {"code": "show()", "silent": False})
        opened(made, cell, LABEL)
        opened(made, cell, SLIDER, label=f"IPY_MODEL_{LABEL}", html=f"<i id='{LABEL}_0_1'>")
        made.publish("display_data", {"data": {VIEW: {"model_id": SLIDER}}, "metadata": {}}, cell)
        made.reply(cell)
        made.status("idle", cell)
        made.status("idle", moved(made, SLIDER, LABEL))
        cell = made.ask("execute_request", {"code": "change()", "silent": False})
        made.publish("comm_msg", {"comm_id": LABEL, "data": {}}, cell)
        made.reply(cell)
        made.status("idle", cell)


def shown(player: Staged) -> tuple[str, str]:
    """The ids of slider and label that a cell shows now."""
    player.run("show()", store_history=False)
    label, slider, display, *_ = player.heard()
    assert display.content["data"] == {VIEW: {"model_id": slider.content["comm_id"]}}
    now = label.content["comm_id"]
    about = {"label": f"IPY_MODEL_{now}", "html": f"<i id='{now}_0_1'>"}
    assert slider.content["data"] == {"state": about}
    return slider.content["comm_id"], label.content["comm_id"]


def answers(player: Staged, comm_id: str, client: bytes = b"one") -> list[tuple[str, str]]:
    """Who hears of it when a widget is moved, and what it is told."""
    content = {"comm_id": comm_id, "data": {"value": 4}}
    player.ask("comm_msg", content, client=client)
    return [
        (message.content["comm_id"], message.content["data"]["of"])
        for message in player.heard()
        if message.msg_type == "comm_msg"
    ]


def test_a_cell_that_is_run_again_opens_new_comms(tmp_path: Path) -> None:
    widgets(tmp_path / "made.kspy")
    with staged(tmp_path / "made.kspy") as player:
        first = shown(player)
        assert first == (SLIDER, LABEL)
        assert answers(player, SLIDER) == [(LABEL, f"IPY_MODEL_{LABEL}")]
        runs = [first, shown(player), shown(player)]
        ids = [comm_id for run in runs for comm_id in run]
        assert len(set(ids)) == 6
        assert [len(comm_id) for comm_id in ids] == [36, 32] * 3
        for slider, label in (*runs, *runs):  # each is shown somewhere
            assert answers(player, slider, b"another") == [(label, f"IPY_MODEL_{label}")]
        player.run("change()")
        (told, *_) = player.heard()
        assert told.content["comm_id"] == runs[-1][1]
        player.ask("comm_info_request", {})
        assert set(player.heard()[1].content["comms"]) == set(ids)
        assert player.said == []
        player.stage.restart(player.now)
        player.heard()
        assert shown(player) == first


def test_a_debugger_shows_the_widget_of_now(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        cell = made.ask("execute_request", {"code": "show()", "silent": False})
        opened(made, cell, SLIDER)
        made.reply(cell)
        made.status("idle", cell)
        asked = {"type": "request", "seq": 3, "command": "richInspectVariables"}
        request = made.ask("debug_request", asked, "control")
        made.reply(request, {"request_seq": 3, "body": {VIEW: {"model_id": SLIDER}}}, "control")
    with staged(tmp_path / "made.kspy") as player:
        for seq in (3, 7):
            player.run("show()", store_history=False)
            widget = player.heard()[0].content["comm_id"]
            player.ask("debug_request", asked | {"seq": seq}, "control")
            (reply,) = [m.content for m in player.heard() if m.msg_type == "debug_reply"]
            assert (reply["request_seq"], reply["body"]) == (seq, {VIEW: {"model_id": widget}})
        assert widget != SLIDER


def test_comms_opened_in_the_use_of_others_belong_to_them(tmp_path: Path) -> None:
    made_then = "b" * 31 + "2"
    with Cell(tmp_path / "made.kspy") as made:
        cell = made.ask("execute_request", {"code": "show()", "silent": False})
        opened(made, cell, LABEL)
        opened(made, cell, SLIDER, label=f"IPY_MODEL_{LABEL}", html=f"<i id='{LABEL}_0_1'>")
        made.publish("display_data", {"data": {VIEW: {"model_id": SLIDER}}, "metadata": {}}, cell)
        made.status("idle", cell)
        request = moved(made, SLIDER)
        opened(made, request, made_then)
        made.status("idle", request)
        made.status("idle", moved(made, made_then, LABEL))
    with staged(tmp_path / "made.kspy") as player:
        expected = []
        for _ in range(2):
            slider, label = shown(player)
            player.ask("comm_msg", {"comm_id": slider, "data": {"value": 4}})
            (new,) = [m for m in player.heard() if m.msg_type == "comm_open"]
            expected.append((new.content["comm_id"], label))
        assert len({*expected[0], *expected[1]}) == 4
        for comm_id, label in expected:
            assert answers(player, comm_id) == [(label, f"IPY_MODEL_{label}")]


def test_ids_that_may_be_words_stay_when_a_cell_is_run_again(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        cell = made.ask("execute_request", {"code": "show()", "silent": False})
        opened(made, cell, "plot", title="plot")
        made.status("idle", cell)
    with staged(tmp_path / "made.kspy") as player:
        for _ in range(2):
            player.run("show()")
            (told, _) = player.heard()
            assert told.content["comm_id"] == "plot"


def test_a_client_may_call_one_comm_as_another_was(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        for comm_id in (SLIDER, LABEL):
            content = {"comm_id": comm_id, "target_name": "t", "data": {"of": comm_id == LABEL}}
            made.status("idle", made.ask("comm_open", content))
        for comm_id in (SLIDER, LABEL):
            made.status("idle", moved(made, comm_id, comm_id))
    with staged(tmp_path / "made.kspy") as player:
        for comm_id in (LABEL, SLIDER):
            content = {"comm_id": comm_id, "target_name": "t", "data": {"of": comm_id == SLIDER}}
            player.ask("comm_open", content)
        player.heard()
        assert answers(player, LABEL) == [(LABEL, f"IPY_MODEL_{SLIDER}")]
        assert answers(player, SLIDER) == [(SLIDER, f"IPY_MODEL_{SLIDER}")]


@pytest.mark.parametrize("odd", ['a"b\\\n0123456789abc', "\u00e9" * 16 + "1"])
def test_a_client_may_call_a_comm_as_it_likes(odd: str, tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        content = {"comm_id": LABEL, "target_name": "t", "data": {}}
        made.status("idle", made.ask("comm_open", content))
        made.status("idle", moved(made, LABEL, LABEL))
    with staged(tmp_path / "made.kspy") as player:
        player.ask("comm_open", {**content, "comm_id": odd})
        player.heard()
        assert answers(player, odd) == [(odd, f"IPY_MODEL_{LABEL}")]
        player.run("1")
