"""`kspy send` to kernels on this machine, as a user calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from command import KSPY
from speaking import kernels_of, printed, sent, thread_lines, types
from tapping import PATIENCE, running_kernel, short_folder, surroundings

import kspy

EXECUTED = {"execute_request", "status", "execute_input", "stream", "execute_reply"}


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


@pytest.fixture(scope="module")
def shared_folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


@pytest.fixture(scope="module")
def kernel(shared_folder: Path) -> Iterator[Path]:
    """The connection file of a kernel that runs; its folder is Jupyter's runtime folder."""
    with running_kernel(shared_folder) as path:
        yield path


def test_code_on_a_kernel_that_is_started_and_ended(folder: Path) -> None:
    ran = sent(folder, "--code", "print('Hello world!')", "--kernel", "python3")
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    kinds = [line.split()[3] for line in lines]
    assert kinds[0] == "execute_request"
    assert set(kinds) == EXECUTED
    assert kinds.index("execute_input") < kinds.index("stream")
    assert "Hello world!" in next(line for line in lines if "stream" in line)
    assert kernels_of(folder) == []


@pytest.mark.parametrize("name", ["kernel-untapped.json", "untapp", None])
def test_existing_by_path_by_a_part_of_its_name_and_the_latest(
    shared_folder: Path, kernel: Path, name: str | None
) -> None:
    existing = ("--existing",) if name is None else ("--existing", name)
    ran = sent(shared_folder, "--code", "print(6 * 7)", *existing, "--json")
    assert ran.returncode == 0, ran.stderr
    assert set(types(ran.stdout)) == EXECUTED
    assert types(ran.stdout).count("status") == 2
    assert types(ran.stdout)[0] == "execute_request"
    assert printed(ran.stdout) == "42\n"


def test_what_is_printed_is_what_is_recorded(shared_folder: Path, kernel: Path) -> None:
    recording = shared_folder / "printed.kspy"
    code = "import sys; print('one'); print('two', file=sys.stderr); display(3); 4"
    ran = sent(shared_folder, "--code", code, "--existing", kernel, "--json", "-o", recording)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == thread_lines(recording, "execute_request")
    assert recording.stat().st_mode & 0o777 == 0o600
    with kspy.open(recording) as opened:
        assert opened.state == "whole"
        assert not [message for message in opened if message.flags]
        text = repr(opened.metadata) + repr(opened.events)
    key = json.loads(kernel.read_text())["key"]
    assert key not in text
    assert key.encode() not in recording.read_bytes()


def test_a_recording_is_not_written_over(shared_folder: Path, kernel: Path) -> None:
    recording = shared_folder / "twice.kspy"
    recording.write_bytes(b"mine")
    arguments = ("--code", "1", "--existing", kernel, "-o", recording)
    ran = sent(shared_folder, *arguments)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert recording.read_bytes() == b"mine"
    assert sent(shared_folder, *arguments, "--force").returncode == 0
    assert thread_lines(recording, "execute_request")


def test_an_error_is_exit_code_1_with_its_traceback(shared_folder: Path, kernel: Path) -> None:
    ran = sent(shared_folder, "--code", "def f(): 1 / 0\nf()", "--existing", kernel)
    assert ran.returncode == 1
    assert ran.stderr == ""
    assert "│ ----> 2 f()" in ran.stdout
    assert "\x1b" not in ran.stdout


def test_output_that_a_line_cannot_hold_stands_beneath_it(
    shared_folder: Path, kernel: Path
) -> None:
    code = "print('a line\\n\\x1b]0;title\\x07 another\\n' + 'z' * 300, end='')"
    ran = sent(shared_folder, "--code", code, "--existing", kernel)
    assert ran.returncode == 0
    beneath = [line.strip() for line in ran.stdout.splitlines() if line.strip().startswith("│")]
    assert beneath == ["│ a line", "│ ␛]0;title␇ another", "│ " + "z" * 300]


def test_a_type_that_the_kernel_does_not_know(shared_folder: Path, kernel: Path) -> None:
    recording = shared_folder / "junk.kspy"
    ran = sent(
        shared_folder, "--type", "junk", "--content", '{"pooh": true}', "--metadata", '{"a": [1]}',
        "--existing", kernel, "-o", recording, "--json",
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr == "kspy: the kernel is idle, and did not reply\n"
    assert types(ran.stdout) == ["junk", "status", "status"]
    with kspy.open(recording) as opened:
        junk = next(message for message in opened if message.msg_type == "junk")
        assert (junk.content, junk.metadata, junk.channel) == ({"pooh": True}, {"a": [1]}, "shell")


def test_content_from_a_file_and_from_standard_input(shared_folder: Path, kernel: Path) -> None:
    content = '{"code": "1 + 1", "silent": false, "n": 123456789012345678901234567890}'
    (shared_folder / "content.json").write_text(content)
    arguments = ("--type", "execute_request", "--existing", kernel, "--json", "--content")
    for ran in (
        sent(shared_folder, *arguments, "@content.json"),
        sent(shared_folder, *arguments, "-", stdin=content),
    ):
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout.splitlines()[0])["content"] == json.loads(content)


def test_code_from_standard_input(shared_folder: Path, kernel: Path) -> None:
    code = "x = 20\nprint(x + 2)\n"
    ran = sent(shared_folder, "--code", "-", "--existing", kernel, "--json", stdin=code)
    assert ran.returncode == 0, ran.stderr
    assert printed(ran.stdout) == "22\n"


def test_buffers_arrive(shared_folder: Path, kernel: Path) -> None:
    target = (
        "def opened(comm, message):\n"
        "    print([bytes(b) for b in message['buffers']])\n"
        "get_ipython().kernel.comm_manager.register_target('kspy-test', opened)"
    )
    assert sent(shared_folder, "--code", target, "--existing", kernel).returncode == 0
    (shared_folder / "one.bin").write_bytes(b"\x00\xff<IDS|MSG>")
    (shared_folder / "two.bin").write_bytes(b"")
    recording = shared_folder / "buffers.kspy"
    ran = sent(
        shared_folder, "--type", "comm_open", "--existing", kernel, "-o", recording,
        "--content", '{"comm_id": "c1", "target_name": "kspy-test", "data": {}}',
        "--buffer", "one.bin", "--buffer", "two.bin",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert r"[b'\x00\xff<IDS|MSG>', b'']" in ran.stdout
    with kspy.open(recording) as opened:
        comm = next(message for message in opened if message.msg_type == "comm_open")
        assert comm.buffers == [b"\x00\xff<IDS|MSG>", b""]


@pytest.mark.parametrize(
    ("msg_type", "options", "channel"),
    [
        ("kernel_info_request", (), "shell"),
        ("kernel_info_request", ("--channel", "control"), "control"),
        ("list_subshell_request", (), "control"),
    ],
)
def test_channels(
    shared_folder: Path, kernel: Path, msg_type: str, options: tuple[str, ...], channel: str
) -> None:
    ran = sent(shared_folder, "--type", msg_type, *options, "--existing", kernel, "--json")
    assert ran.returncode == 0, ran.stderr
    messages = [json.loads(line) for line in ran.stdout.splitlines()]
    assert {m["channel"] for m in messages if m["msg_type"] != "status"} == {channel}
    assert len(messages) == 4


def test_to_a_subshell(shared_folder: Path, kernel: Path) -> None:
    made = sent(shared_folder, "--type", "create_subshell_request", "--existing", kernel, "--json")
    subshell = next(
        json.loads(line)["content"]["subshell_id"]
        for line in made.stdout.splitlines()
        if '"create_subshell_reply"' in line
    )
    code = "import threading; print(threading.current_thread() is threading.main_thread())"
    ran = sent(shared_folder, "--code", code, "--existing", kernel, "--subshell", subshell)
    assert ran.returncode == 0, ran.stderr
    assert "False" in ran.stdout


@pytest.mark.parametrize("how", ["option", "pipe"])
def test_answers_to_a_kernel_that_asks(shared_folder: Path, kernel: Path, how: str) -> None:
    given = ("--stdin", "Ada\nLovelace") if how == "option" else ()
    piped = "Ada\nLovelace\n" if how == "pipe" else None
    recording = shared_folder / f"{how}.kspy"
    ran = sent(
        shared_folder, "--code", "print(input('first? '), input('last? '))", *given,
        "--existing", kernel, "-o", recording, "--json", stdin=piped,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert types(ran.stdout).count("input_reply") == 2
    assert printed(ran.stdout) == "Ada Lovelace\n"
    assert ran.stdout.splitlines() == thread_lines(recording, "execute_request")


def test_the_end_of_the_answers_is_the_end_of_the_kernels_input(
    shared_folder: Path, kernel: Path
) -> None:
    ran = sent(shared_folder, "--code", "input(); input()", "--existing", kernel, stdin="one\n")
    assert ran.returncode == 1
    assert "EOFError" in ran.stdout


def test_with_nothing_to_answer_the_kernel_is_told_not_to_ask(
    shared_folder: Path, kernel: Path
) -> None:
    ran = sent(shared_folder, "--code", "input('name? ')", "--existing", kernel)
    assert ran.returncode == 1
    assert "StdinNotImplementedError" in ran.stdout


def test_answers_from_a_terminal_and_no_echo_of_secrets(shared_folder: Path, kernel: Path) -> None:
    code = "import getpass; print(input('name? '), len(getpass.getpass('word? ')))"
    child = pexpect.spawn(
        KSPY,
        ["send", "--code", code, "--existing", str(kernel)],
        cwd=str(shared_folder),
        env=dict(surroundings(shared_folder)),
        encoding="utf-8",
        timeout=PATIENCE,
        dimensions=(24, 120),
    )
    try:
        child.expect(r"input_request[^\n]*\n(?s:.*)name\? ")
        child.sendline("Ada")
        child.expect(r"input_request[^\n]*\n(?s:.*)word\? ")
        child.waitnoecho()
        child.sendline("sesame")
        child.expect("Ada 6")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0
    finally:
        child.close(force=True)


def test_a_busy_kernel_is_sent_the_message_and_the_time_limit_holds(folder: Path) -> None:
    with running_kernel(folder) as kernel:
        first = sent(
            folder, "--code", "import time; time.sleep(20)", "--existing", kernel, "--timeout", "1"
        )
        assert first.returncode == 1
        assert first.stderr == "kspy: no reply within 1 s\n"
        recording = folder / "busy.kspy"
        second = sent(
            folder, "--code", "2", "--existing", kernel, "--timeout", "1", "-o", recording
        )
        assert second.returncode == 1
        assert len(second.stdout.splitlines()) == 1
        with kspy.open(recording) as opened:
            asked = [message for message in opened if message.direction == "to_kernel"]
        assert [message.msg_type for message in asked] == ["execute_request"]


def test_a_great_deal_of_output_is_all_there(shared_folder: Path, kernel: Path) -> None:
    recording = shared_folder / "much.kspy"
    code = "for n in range(3000): print(n, flush=True)\nprint('x' * 30_000_000)"
    ran = sent(shared_folder, "--code", code, "--existing", kernel, "-o", recording, "--json")
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert printed(ran.stdout) == "".join(f"{n}\n" for n in range(3000)) + "x" * 30_000_000 + "\n"
    assert lines == thread_lines(recording, "execute_request")


def test_an_encrypted_kernel_and_one_over_ipc(folder: Path) -> None:
    for options in ({"transport_encryption": "required"}, {"transport": "ipc"}):
        with running_kernel(folder, **options) as kernel:
            ran = sent(folder, "--code", "print(6 * 7)", "--existing", kernel)
            assert ran.returncode == 0, ran.stderr
            assert "42" in ran.stdout
        kernel.unlink(missing_ok=True)
