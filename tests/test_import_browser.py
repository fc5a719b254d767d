"""`kspy import` of HAR files that a real Chromium's developer tools wrote, of a real JupyterLab."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from browser import DRIVER
from command import kspy as run_kspy
from labs import exported_hars, kernel_sockets, lab

import kspy
from kspy.wire.message import Message
from kspy.wire.websocket import Encoding

pytestmark = [
    pytest.mark.skipif(DRIVER is None, reason="needs chromium-driver"),
    pytest.mark.timeout(240),
]

BUFFER = bytes(range(256)) * 20
CELL = """\
from comm import create_comm
print("from the browser")
create_comm(target_name="nobody", data={"a": 1}, buffers=[bytes(range(256)) * 20, b""])
1 / 0
"""


def payload(message: dict[str, Any]) -> bytes:
    data = message["data"]
    return base64.b64decode(data) if message["opcode"] == 2 else data.encode()


def cookies_of(entry: dict[str, Any]) -> list[str]:
    """The values of the cookies that the browser sent."""
    headers = entry["request"]["headers"]
    (cookies,) = (header["value"] for header in headers if header["name"].lower() == "cookie")
    return [cookie.partition("=")[2] for cookie in cookies.split("; ")]


def test_a_cell_that_was_run_in_the_browser(tmp_path: Path) -> None:
    with lab(tmp_path, CELL) as opened:
        hars = exported_hars(tmp_path, opened, "ZeroDivisionError")
    check_the_import(tmp_path, hars["v1"], opened.token, {"v1"})
    check_the_import(tmp_path, hars["default"], opened.token, {"json", "binary"})


def check_the_import(folder: Path, har: str, token: str, encodings: set[Encoding]) -> None:
    (entry,) = kernel_sockets(har)
    source, target = folder / "browser.har", folder / "browser.kspy"
    source.write_text(har, encoding="utf-8")
    printed = run_kspy("import", source, "-o", target, "--force")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert target.stat().st_mode & 0o777 == 0o600

    sent = [message for message in entry["_webSocketMessages"] if message["opcode"] in (1, 2)]
    with kspy.open(target) as recording:
        messages = list(recording)
        assert [bytes(message.frames[0]) for message in messages] == list(map(payload, sent))
        directions = {"send": "to_kernel", "receive": "to_client"}
        assert [message.direction for message in messages] == [
            directions[message["type"]] for message in sent
        ]
        for message, its in zip(messages, sent, strict=True):
            assert abs(message.time_ns / 1e9 - its["time"]) < 1e-5
        assert {message.encoding for message in messages} == encodings
        assert not [message for message in messages if message.flags]
        check_the_cell(messages, [list(thread.messages) for thread in recording.threads()])
        assert recording.metadata["imported"]["from"] == "har"
        assert recording.metadata["imported"]["kernel_id"] in entry["request"]["url"]

    written = target.read_bytes()
    cookies = cookies_of(entry)
    assert cookies
    for secret in (token, *cookies):
        assert secret.encode() not in written


def check_the_cell(messages: list[Message], threads: list[list[Message]]) -> None:
    (cell,) = (
        thread
        for thread in threads
        if thread[0].msg_type == "execute_request" and "create_comm" in thread[0].content["code"]
    )
    types = [message.msg_type for message in cell]
    for expected in ("execute_input", "stream", "comm_open", "error", "execute_reply"):
        assert types.count(expected) == 1
    (stream,) = (message for message in cell if message.msg_type == "stream")
    assert stream.content == {"name": "stdout", "text": "from the browser\n"}
    (comm,) = (message for message in cell if message.msg_type == "comm_open")
    assert list(comm.buffers) == [BUFFER, b""]
    assert {message.client for message in messages} == {1}
