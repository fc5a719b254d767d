"""What a user sees when a command cannot be done: one line, and the right exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command import KSPY, kspy
from conversation import Conversation

from kspy.cli.main import COMMANDS, main


def test_help_names_every_command() -> None:
    printed = kspy("--help")
    assert printed.returncode == 0
    assert all(f"  {name} " in printed.stdout for name in COMMANDS)
    assert kspy().stdout == printed.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_table_says(name: str) -> None:
    printed = kspy(name, "--help")
    assert printed.returncode == 0
    assert printed.stdout.startswith(f"Usage: kspy {name} ")


def test_help_imports_no_command() -> None:
    """Imports are paid for by the command that needs them."""
    code = "import sys, kspy.cli.main; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    modules = set(printed.stdout.decode().split())
    assert not modules & {"zmq", "textual", "rich", "msgpack", "orjson", "jupyter_client"}


def test_version() -> None:
    assert kspy("--version").stdout == "kspy 0.1.0\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nosuch"], "No such command 'nosuch' (kspy --help says how)"),
        (["show"], "Missing argument 'FILE' (kspy show --help says how)"),
        (["show", "--nosuch", "x"], "No such option '--nosuch' (kspy show --help says how)"),
        (["show", "/nonexistent.kspy"], "/nonexistent.kspy: cannot be read: No such file or dir"),
        (["info", __file__], f"{__file__}: is not a kspy recording"),
        (["repair", "a.kspy"], "Missing option '--output' / '-o' (kspy repair --help says how)"),
    ],
)
def test_one_line_and_exit_code_2(arguments: list[str], complaint: str) -> None:
    refused = kspy(*arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"kspy: {complaint}")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_take_no_answer_away(closed: str) -> None:
    recordings = Path(__file__).parent.parent / "recordings"
    command = f'"$0" -m kspy diff "$1" "$2" {closed}'
    paths = [str(recordings / name) for name in ("hello.kspy", "error.kspy")]
    printed = subprocess.run(
        ["sh", "-c", command, sys.executable, *paths], capture_output=True, check=False
    )
    assert (printed.returncode, printed.stderr) == (1, b"")


def test_a_full_disk_is_one_line_too(tmp_path: Path) -> None:
    path = tmp_path / "session.kspy"
    with Conversation(path) as talk:
        talk.status("busy")
    with Path("/dev/full").open("w") as full:
        refused = subprocess.run(
            [KSPY, "show", path], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (refused.returncode, refused.stderr) == (2, b"kspy: No space left on device\n")


@pytest.mark.parametrize(("traceback", "lines"), [("", 1), ("1", 2)])
def test_a_bug_is_one_line_unless_asked_for_more(
    traceback: str,
    lines: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(COMMANDS, "show", ("kspy.cli.nowhere:show", ""))
    monkeypatch.setenv("KSPY_TRACEBACK", traceback)
    assert main(["show"]) == 2
    printed = capsys.readouterr().err
    assert "kspy: internal error: ModuleNotFoundError: No module named" in printed
    assert (len(printed.splitlines()) > 1) == (lines > 1)


def test_repair_says_what_was_kept(tmp_path: Path) -> None:
    path, whole = tmp_path / "cut.kspy", tmp_path / "whole.kspy"
    with Conversation(path) as talk:
        talk.event("kernel_started", pid=1)
        talk.division_by_zero()
    path.write_bytes(path.read_bytes()[:-10])
    repaired = kspy("repair", path, "-o", whole)
    assert (repaired.returncode, repaired.stderr) == (0, "")
    assert repaired.stdout.startswith(f"{whole}: 6 messages, 1 event\n")
    assert "whole" in kspy("info", whole).stdout
    again = kspy("repair", path, "-o", whole)
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert kspy("repair", path, "-o", whole, "--force").returncode == 0
