"""The served kernel without sockets: ids in what is said are those that hold now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
