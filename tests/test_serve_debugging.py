"""A debugger's requests to a served kernel, without sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from staging import Cell, Staged, staged

from kspy.cli.to_install import served

Arguments = dict[str, Any] | None

INITIALIZE: dict[str, Any] = {
    "clientID": "jupyterlab", "clientName": "JupyterLab", "adapterID": "python3", "locale": "en",
    "linesStartAt1": True,
}  # fmt: skip


def asked(seq: int, command: str, arguments: Arguments = None) -> dict[str, Any]:
    content = {"type": "request", "seq": seq, "command": command}
    return content if arguments is None else content | {"arguments": arguments}


def debug(
    made: Cell, seq: int, command: str, arguments: Arguments, body: str, request_seq: int
) -> None:
    request = made.ask("debug_request", asked(seq, command, arguments), "control")
    made.status("busy", request)
    reply = {"request_seq": request_seq, "body": {"is": body, "text": '"request_seq": 3'}}
    made.reply(request, reply, "control")
    made.status("idle", request)


def told(player: Staged, seq: int, command: str, arguments: Arguments) -> tuple[str, int]:
    """What the debugger replies, and to which number."""
    player.ask("debug_request", asked(seq, command, arguments), "control")
    (reply,) = [message for message in player.heard() if message.msg_type == "debug_reply"]
    body = reply.content.get("body", {})
    assert body.get("text", '"request_seq": 3') == '"request_seq": 3'
    return body.get("is", "refused"), reply.content["request_seq"]


def test_neither_numbers_nor_who_asks_decide(tmp_path: Path) -> None:
    from_one, from_zero = INITIALIZE, {**INITIALIZE, "linesStartAt1": False}
    with Cell(tmp_path / "made.kspy") as made:
        debug(made, 3, "debugInfo", None, "info", 3)
        debug(made, 4, "initialize", from_one, "from one", 4)
        debug(made, 5, "initialize", from_zero, "from zero", 5)
        debug(made, 6, "dumpCell", {"code": "1", "adapterID": "a"}, "dumped", 6)
        debug(made, 7, "source", {"path": "/tmp/ipykernel_12/34.py"}, "source", 0)
    other = {"clientID": "vscode", "clientName": "VS Code", "adapterID": "kspy-python3"}
    with staged(tmp_path / "made.kspy") as player:
        assert told(player, 1, "debugInfo", {}) == ("info", 1)
        assert told(player, 3, "debugInfo", None) == ("info", 3)
        assert told(player, 5, "initialize", {**from_one, **other}) == ("from one", 5)
        assert told(player, 4, "initialize", {**from_zero, **other}) == ("from zero", 4)
        assert told(player, 6, "dumpCell", {"code": "1", "adapterID": "b"}) == ("refused", 6)
        assert told(player, 6, "dumpCell", {"code": "1", "adapterID": "a"}) == ("dumped", 6)
        # A wrong number stays wrong.
        assert told(player, 9, "source", {"path": "/tmp/ipykernel_56/34.py"}) == ("source", 0)
        assert len(player.said) == 1


@pytest.mark.parametrize(
    ("told", "has"),
    [
        ({"supported_features": ["debugger", "kernel subshells"]}, True),
        ({"supported_features": ["kernel subshells"]}, False),
        ({"supported_features": "debugger"}, False),
        ({"debugger": True}, True),
        ({"debugger": "no"}, False),
    ],
)
def test_the_kernel_list_says_whether_there_is_a_debugger(
    told: dict[str, Any], has: bool, tmp_path: Path
) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        request = made.ask("kernel_info_request", {})
        made.reply(request, told)
        made.status("idle", request)
    values = served(tmp_path / "made.kspy", fast=True, fallback=None).values
    assert values["metadata"] == {"supported_encryption": ["curve"]} | (
        {"debugger": True} if has else {}
    )
