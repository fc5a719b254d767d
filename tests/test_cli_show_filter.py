"""`kspy show --filter`, run as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command import KSPY, kspy
from conversation import Conversation


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "session.kspy"
    with Conversation(path) as talk:
        talk.event("kernel_started", pid=4711)
        talk.status("starting")
        talk.division_by_zero()
        talk.ask("execute_request", {"code": "x = 3"}, client=2)
        talk.event("kernel_died", signal=9)
    return path


def lines(*arguments: str | Path) -> list[str]:
    printed = kspy("show", *arguments)
    assert (printed.returncode, printed.stderr) == (0, "")
    return printed.stdout.splitlines()


def test_only_what_matches_with_the_times_and_clients_of_the_whole(path: Path) -> None:
    assert lines(path, "--filter", "type:execute_* error or event:*died") == [
        "     0.005 ← shell  1   execute_reply       error [4] ZeroDivisionError: division by zero",
        "     0.008 · kernel died: signal SIGKILL",
    ]
    assert lines(path, "--filter", "") == [
        line.replace("shell      ", "shell  1   ") for line in lines(path)
    ]
    assert lines(path, "--filter", "nothing of this") == []


def test_as_json(path: Path) -> None:
    found = [json.loads(line) for line in lines(path, "--json", "--filter", "client:2 or event")]
    assert [story.get("event") or story["seq"] for story in found] == [
        "kernel_started",
        7,
        "kernel_died",
    ]


def test_whole_threads_of_what_matches(path: Path) -> None:
    every = lines(path, "--threads")
    assert lines(path, "--threads", "--filter", "type:error") == every[2:8]
    assert lines(path, "--threads", "--filter", "waiting or event:*died") == every[8:]
    assert lines(path, "--threads", "--filter", "") == every
    assert lines(path, "--threads", "--filter", "nothing") == []


def test_what_matches_is_printed_while_the_recording_grows(tmp_path: Path) -> None:
    path = tmp_path / "growing.kspy"
    arguments = [KSPY, "show", "--follow", str(path), "--filter", "-busy -event"]
    with Conversation(path) as talk:
        talk.status("starting")
        talk.writer.flush()
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, encoding="utf-8") as following:
            assert following.stdout is not None
            assert following.stdout.readline().endswith("starting\n")
            talk.status("busy")
            talk.writer.flush()
            talk.event("kernel_died")
            talk.status("idle")
            talk.writer.flush()
            assert following.stdout.readline() == (
                "     0.002 ← iopub      status              idle\n"
            )
            talk.status("starting")
            talk.__exit__()
            assert following.stdout.read().endswith("starting\n")
    assert following.returncode == 0


def test_a_mistake_is_one_line(path: Path) -> None:
    refused = kspy("show", path, "--filter", "error tpe:x")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "kspy: --filter: there is no field 'tpe'; did you mean type? (column 7)\n"
    )


def test_without_a_filter_nothing_of_it_is_imported() -> None:
    code = "import sys, kspy.cli.main, kspy.cli.show; print({'numpy', 'lark'} & set(sys.modules))"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert printed.stdout.strip() == "set()"
