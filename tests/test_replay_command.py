"""`kspy replay` as a command: what it prints, its exit codes, and Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import KSPY
from conversation import Conversation
from replays import RECORDINGS
from tapping import PATIENCE, short_folder, surroundings, wait_for

import kspy
from kspy.cli.main import main
from kspy.errors import KspyError

HELLO = str(RECORDINGS / "hello.kspy")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with short_folder() as path:
        for name, value in surroundings(path).items():
            monkeypatch.setenv(name, value)
        yield path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([HELLO], "GATEWAY URL (the recording is of python3)"),
        ([HELLO, "--kernel", "python3", "--fast", "--speed", "2"], "choose one"),
        ([HELLO, "--kernel", "python3", "--speed", "0"], "above 0"),
        ([HELLO, "--kernel", "python3", "--ca", "x"], "go with --gateway"),
        ([HELLO, "--kernel", "nothing"], "no kernel is named 'nothing'"),
        ([HELLO, "--kernel", "python3", "--only", "type:"], "--only: "),
        ([HELLO, "--kernel", "python3", "--only", "type:junk"], "nothing that a client sent"),
        ([HELLO, "--kernel", "python3", "-o", HELLO, "--force"], "is what is replayed"),
        ([HELLO, "--kernel", "python3", "-o", __file__], "exists already"),
        (["nothing.kspy", "--kernel", "python3"], "nothing.kspy"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", *arguments]) == 2
    out, err = capsys.readouterr()
    [line] = err.splitlines()
    assert said.lower() in line.lower()
    assert not out


def test_what_is_the_same_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", HELLO, "--kernel", "python3", "--speed", "50"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == "the same: 3 threads"
    assert not err, "there is no terminal to show progress on"


def test_what_differs_is_said_and_given_to_scripts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "a.kspy"
    with Conversation(path) as c:
        c.ask("shutdown_request", {"restart": False}, "stdin")  # nobody listens to it there
        request = c.ask("execute_request", {"code": "6 * 7", "silent": False})
        c.status("busy", request)
        c.publish("execute_result", {"data": {"text/plain": "41"}, "metadata": {}}, request)
        c.status("idle", request)
        c.raw("shell", "to_kernel", [b"no message"], 1)
    output = folder / "b.kspy"
    arguments = [str(path), "--kernel", "python3", "--fast", "--json", "-o", str(output)]
    assert main(["replay", *arguments]) == 1
    out, err = capsys.readouterr()
    result = json.loads(out)
    [run] = result["runs"]
    assert (result["same"], run["same"], run["end"], run["sent"]) == (False, False, "done", 2)
    assert run["unsent"] == {"they are no Jupyter messages": 1}
    assert run["recording"] == str(output)
    changed = [
        difference
        for thread in run["compared"]["threads"]
        for message in thread["messages"]
        for difference in message["differences"]
    ]
    assert ("41", "42") in [(one["a"], one["b"]) for one in changed if one["kind"] == "changed"]
    assert not err


def test_ctrl_c_ends_it_with_what_was_recorded_so_far(folder: Path) -> None:
    path, output = folder / "a.kspy", folder / "b.kspy"
    with Conversation(path) as c:
        for code in ("print('here')", "import time; time.sleep(99)", "2"):
            request = c.ask("execute_request", {"code": code, "silent": False})
            c.status("busy", request)
            c.status("idle", request)
    with subprocess.Popen(
        [KSPY, "replay", str(path), "--kernel", "python3", "-o", str(output)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=surroundings(folder),
    ) as process:
        wait_for(lambda: "time.sleep(99)" in codes(output), "the second cell")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, "")
    assert "interrupted at #3 execute_request" in out
    assert "1 message not sent" in out
    with kspy.open(output) as recording:
        assert recording.state == "whole"
        texts = [m.content["text"] for m in recording if m.msg_type == "stream"]
    assert "here\n" in texts
    assert not list(folder.glob("kspy-*"))


def codes(path: Path) -> str:
    """The code of what was sent so far."""
    try:
        with kspy.open(path) as recording:
            sent = [m for m in recording if m.msg_type == "execute_request"]
            return " ".join(message.content["code"] for message in sent)
    except (KspyError, OSError):
        return ""
