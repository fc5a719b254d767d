"""`kspy show`, run as a user runs it."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import msgpack
import pexpect
import pytest
from command import KSPY, kspy
from conversation import Conversation, serialize

KEYS = [
    *("seq", "time", "channel", "direction", "msg_type", "msg_id", "parent_id"),
    *("header", "parent_header", "metadata", "content", "buffers", "client", "flags"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "session.kspy"
    with Conversation(path) as talk:
        talk.event("kernel_started", pid=4711)
        talk.raw("hb", "to_kernel", [b"ping"])
        talk.status("starting")
        talk.division_by_zero()
        talk.raw("shell", "to_kernel", [b"junk", b"\xff"], client=2)
        talk.ask("execute_request", {"code": "x" * 1000}, client=2)
    return path


def objects(*arguments: str | Path) -> list[dict[str, Any]]:
    printed = kspy("show", "--json", *arguments)
    assert (printed.returncode, printed.stderr) == (0, "")
    return [json.loads(line) for line in printed.stdout.splitlines()]


def test_a_line_a_message(path: Path) -> None:
    printed = kspy("show", path)
    assert (printed.returncode, printed.stderr) == (0, "")
    lines = printed.stdout.splitlines()
    assert lines[:7] == [
        "     0.000 · kernel started: pid 4711",
        "     0.000 → hb                             ping 4 bytes ping",
        "     0.001 ← iopub      status              starting",
        "     0.002 → shell      execute_request     1/0",
        "     0.003 ← iopub      status              busy",
        "     0.004 ← iopub      execute_input       [4] 1/0",
        "     0.005 ← iopub      error               ZeroDivisionError: division by zero",
    ]
    assert "→ shell  2" in lines[9]  # a second client: from here on they are told apart
    assert "[malformed] not a Jupyter message: 2 frames" in lines[9]


def test_a_pipe_gets_no_colours_and_summaries_to_a_sane_length(path: Path) -> None:
    printed = kspy("show", path).stdout
    assert "\x1b" not in printed
    last = printed.splitlines()[-1].split()[-1]
    assert last == "x" * 499 + "…"


def test_threads(path: Path) -> None:
    printed = kspy("show", "--threads", path)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout.splitlines()[:9] == [
        "     0.000 · kernel started: pid 4711",
        "     0.000 → hb                                              ping 4 bytes ping",
        "     0.001 ← iopub      status                               starting",
        "     0.002 → shell  1   execute_request     error    5.0 ms  1/0",
        "        +1.0 ← iopub      status              busy",
        "        +2.0 ← iopub      execute_input       [4] 1/0",
        "        +3.0 ← iopub      error               ZeroDivisionError: division by zero",
        "        +4.0 ← shell  1   execute_reply       error [4] "
        "ZeroDivisionError: division by zero",
        "        +5.0 ← iopub      status              idle",
    ]
    assert "waiting" in printed.stdout.splitlines()[-1]


def test_threads_interleaved_are_taken_apart(tmp_path: Path) -> None:
    path = tmp_path / "two.kspy"
    with Conversation(path) as talk:
        first = talk.ask("execute_request", {"code": "first"})
        second = talk.ask("execute_request", {"code": "second"})
        talk.reply(second)
        talk.reply(first)
    words = [line.split() for line in kspy("show", "--threads", path).stdout.splitlines()]
    assert [line[-1] for line in words if "execute_request" in line] == ["first", "second"]
    assert [line[0] for line in words] == ["0.000", "+3.0", "0.001", "+1.0"]


def test_json_has_the_fixed_keys(path: Path) -> None:
    lines = objects(path)
    event, heartbeat, starting, request = lines[:4]
    assert event == {
        "seq": 0,
        "time": "2026-11-20T21:00:00.123456Z",
        "event": "kernel_started",
        "data": {"pid": 4711},
    }
    assert list(heartbeat) == [*KEYS, "frames"]
    assert list(starting) == list(request) == KEYS
    assert request["time"] == "2026-11-20T21:00:00.125456Z"
    assert (request["channel"], request["direction"]) == ("shell", "to_kernel")
    assert (request["msg_type"], request["content"]) == ("execute_request", {"code": "1/0"})
    assert (request["client"], starting["client"]) == (1, None)
    assert lines[4]["parent_id"] == request["msg_id"] == request["header"]["msg_id"]


def test_json_loses_nothing_of_what_does_not_decode(path: Path) -> None:
    junk = objects(path)[9]
    assert junk["flags"] == ["malformed"]
    assert [base64.b64decode(frame) for frame in junk["frames"]] == [b"junk", b"\xff"]


def test_json_has_sizes_of_buffers(tmp_path: Path) -> None:
    path = tmp_path / "buffers.kspy"
    with Conversation(path) as talk:
        talk.publish("comm_msg", {"comm_id": "a"}, buffers=[b"x" * 1400, b""])
    assert objects(path)[0]["buffers"] == [1400, 0]


def test_json_is_valid_whatever_was_said(tmp_path: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    _, frames = serialize("stream", {})
    timestamp = msgpack.Timestamp(1, 2)
    extended = {"a": b"\xff", "b": msgpack.ExtType(5, b"x"), "c": {1: None}, "t": timestamp}
    path = tmp_path / "odd.kspy"
    with Conversation(path) as talk:
        talk.raw("iopub", "to_client", [*frames[:-1], b'{"x": [NaN, -Infinity, 1e999]}'])
        talk.raw("iopub", "to_client", [*frames[:-1], msgpack.packb(extended)])
        talk.raw("iopub", "to_client", [*frames[:-1], rb'{"half": "\ud83d"}'])
        talk.raw("iopub", "to_client", [*frames[:-1], b'{"deep":' + b"[" * 800 + b"]" * 800 + b"}"])
        talk.event("client_identified", client=1, identity=b"\x00\xff")
    printed = kspy("show", "--json", path)
    assert printed.returncode == 0
    odd, packed, half, deep, event = (
        json.loads(line, parse_constant=refuse) for line in printed.stdout.splitlines()
    )
    assert odd["content"] == {"x": ["NaN", "-Infinity", "Infinity"]}
    assert packed["content"] == {
        "a": {"base64": "/w=="},
        "b": {"ext": 5, "base64": "eA=="},
        "c": {"1": None},
        "t": {"ext": -1, "base64": base64.b64encode(timestamp.to_bytes()).decode()},
    }
    assert packed["flags"] == ["msgpack"]
    assert half["content"] == {"half": "\ud83d"}
    assert deep["seq"] == 3
    assert event["data"] == {"client": 1, "identity": {"base64": "AP8="}}


@pytest.mark.parametrize("form", ["--json", "--text"])
def test_follow_goes_on_until_the_recording_ends(tmp_path: Path, form: str) -> None:
    path = tmp_path / "growing.kspy"
    arguments = [KSPY, "show", "--follow", str(path), *([form] if form == "--json" else [])]
    with Conversation(path) as talk:
        talk.status("starting")
        talk.writer.flush()
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, encoding="utf-8") as following:
            assert following.stdout is not None
            assert "starting" in following.stdout.readline()
            talk.status("busy")
            talk.writer.flush()
            assert "busy" in following.stdout.readline()
            talk.status("idle")
            talk.__exit__()
            assert "idle" in following.stdout.read()
    assert following.returncode == 0


def test_ctrl_c_ends_following(tmp_path: Path) -> None:
    path = tmp_path / "growing.kspy"
    with Conversation(path) as talk:
        talk.status("starting")
        talk.writer.flush()
        with subprocess.Popen(
            [KSPY, "show", "--follow", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as following:
            assert following.stdout is not None
            assert following.stderr is not None
            assert b"starting" in following.stdout.readline()
            following.send_signal(signal.SIGINT)
            assert following.stderr.read() == b""
    assert following.returncode == 0


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "long.kspy"
    with Conversation(path) as talk:
        for _ in range(5000):
            talk.status("busy")
    with subprocess.Popen(
        [KSPY, "show", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as showing:
        assert showing.stdout is not None
        assert showing.stderr is not None
        showing.stdout.readline()
        showing.stdout.close()
        assert showing.stderr.read() == b""
    assert showing.returncode == 0


def test_a_terminal_gets_colours_and_lines_that_fit(path: Path) -> None:
    printed = on_terminal(path)
    assert "\x1b[31mZeroDivisionError" in printed
    assert printed.splitlines()[-1].endswith("…")


def test_no_color_is_honoured(path: Path) -> None:
    printed = on_terminal(path, NO_COLOR="1")
    assert "\x1b" not in printed
    assert max(map(len, printed.splitlines())) == 70


def on_terminal(path: Path, **environment: str) -> str:
    inherited = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    output: str = pexpect.run(
        f"{KSPY} show {path}",
        env={**inherited, "TERM": "xterm", "COLUMNS": "70", **environment},
        encoding="utf-8",
    )
    return output


@pytest.mark.parametrize("other", ["--json", "--follow"])
def test_threads_go_with_nothing_else(path: Path, other: str) -> None:
    refused = kspy("show", "--threads", other, path)
    assert refused.returncode == 2
    assert refused.stderr == (
        f"kspy: --threads and {other} do not go together; choose one (kspy show --help says how)\n"
    )
