"""`kspy send` to kernels that are not as kernels should be: the test decides every byte."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_kernel import KEY, FakeKernel, fake_kernel, signed
from jupyter_client.session import Session
from speaking import one_line_of, sending, sent, thread_lines
from tapping import PATIENCE, short_folder

import kspy

DELIMITER = b"<IDS|MSG>"


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


@pytest.fixture
def kernel(folder: Path) -> Iterator[FakeKernel]:
    with fake_kernel() as found:
        found.write(folder / "kernel-fake.json")
        yield found


def answer(request: list[bytes], msg_type: str, content: object, key: bytes = KEY) -> list[bytes]:
    """The frames of an answer to `request`, without identities."""
    session = Session(key=key)
    header = json.loads(request[request.index(DELIMITER) + 2])
    return list(session.serialize(session.msg(msg_type, content, parent=header)))


def test_a_kernel_that_greets_nobody_is_asked_until_it_is_heard(
    kernel: FakeKernel, folder: Path
) -> None:
    recording = folder / "x.kspy"
    arguments = ("--type", "execute_request", "--existing", "fake", "-o", recording)
    with sending(folder, *arguments) as process:
        nudge = kernel.receive("control")
        assert b"kernel_info_request" in nudge[nudge.index(DELIMITER) + 2]
        again = kernel.receive("shell")
        assert b"kernel_info_request" in again[again.index(DELIMITER) + 2]
        kernel.send("iopub", answer(nudge, "status", {"execution_state": "busy"}))
        request = kernel.receive("shell")
        assert b"execute_request" in request[request.index(DELIMITER) + 2]
        kernel.send("shell", [request[0], *answer(request, "execute_reply", {"status": "ok"})])
        kernel.send("iopub", answer(request, "status", {"execution_state": "idle"}))
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
    assert len(out.splitlines()) == 3
    with kspy.open(recording) as opened:
        kinds = [message.msg_type for message in opened if message.direction == "to_kernel"]
    assert kinds == ["kernel_info_request", "kernel_info_request", "execute_request"]


def test_a_kernel_that_is_silent_is_sent_the_message_all_the_same(
    kernel: FakeKernel, folder: Path
) -> None:
    ran = sent(folder, "--type", "execute_request", "--existing", "fake", "--timeout", "1")
    assert ran.returncode == 1
    assert ran.stderr == "kspy: no reply within 1 s\n"
    kinds: list[str] = []
    while not kinds or kinds[-1] != "execute_request":
        frames = kernel.receive("shell")
        kinds.append(json.loads(frames[frames.index(DELIMITER) + 2])["msg_type"])


def test_answers_that_are_broken_are_shown_as_they_are(kernel: FakeKernel, folder: Path) -> None:
    recording = folder / "x.kspy"
    arguments = ("--type", "execute_request", "--existing", "fake", "--json", "-o", recording)
    with sending(folder, *arguments) as process:
        kernel.send("iopub", signed("status", {"execution_state": "idle"}))
        while b"execute_request" not in b"".join(request := kernel.receive("shell")):
            kernel.send("iopub", [b"no message at all"])
            kernel.send("iopub", signed("status", {"execution_state": "idle"}))
        wrong = answer(request, "stream", {"text": "who says so?"}, key=b"another key")
        kernel.send("iopub", wrong)
        undecodable = answer(request, "display_data", {})
        kernel.send("iopub", [*undecodable[:5], b"\xff\xfe"])
        kernel.send("iopub", [os.urandom(300), DELIMITER])
        strange = answer(request, "stream", {"text": ["no", "text"], "name": 5})
        kernel.send("iopub", strange)
        kernel.send("shell", [request[0], *answer(request, "execute_reply", {"status": 5})])
        kernel.send("iopub", answer(request, "status", {"execution_state": "idle"}))
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
    flags = [json.loads(line)["flags"] for line in out.splitlines()]
    # The reply comes on another channel, and so at any place among them.
    assert list(filter(None, flags)) == [["bad_signature"], ["bad_signature", "undecodable"]]
    assert out.splitlines() == thread_lines(recording, "execute_request")


def spec(folder: Path, name: str, *argv: str) -> str:
    """A folder of kernelspecs, with one of this command."""
    kernels = folder / "jupyter" / "kernels" / name
    kernels.mkdir(parents=True)
    (kernels / "kernel.json").write_text(
        json.dumps({"argv": list(argv), "display_name": name, "language": "none"})
    )
    return str(folder / "jupyter")


def test_kernels_that_cannot_be_started(folder: Path) -> None:
    path = spec(folder, "nothing", "/no/such/program", "{connection_file}")
    spec(folder / "more", "short", "sh", "-c", "echo no luck today >&2; exit 7")
    environment = {"JUPYTER_PATH": f"{path}:{folder / 'more' / 'jupyter'}"}
    recording = folder / "x.kspy"
    ran = sent(folder, "--code", "1", "--kernel", "nothing", "-o", recording, **environment)
    assert "nothing: cannot be started" in one_line_of(ran)
    ran = sent(folder, "--code", "1", "--kernel", "short", "-o", recording, **environment)
    assert ran.returncode == 2
    last = ran.stderr.splitlines()[-1]
    assert "ended before it listened (exit status 7): no luck today" in last
    assert not recording.exists()
    assert not list(folder.glob("kspy-*"))


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--existing", "nobody"), "nobody"),
        (("--existing", "kernel-wrong.json"), "is no connection file"),
        (("--kernel", "klingon"), "klingon"),
        (("--existing", "kernel-dead.json"), "no kernel answers"),
        ((), "--existing"),
        (("--kernel", "a", "--existing", "b"), "together"),
        (("--existing", "a", "--gateway", "b"), "together"),
        (("--kernel-id", "a", "--existing", "b"), "--gateway"),
        (("--token", "sesame", "--kernel", "b"), "--gateway"),
        (("--kernel", "a", "--code", "2", "--content", "{}"), "--content"),
        (("--existing", "fake", "--content", "[]", "--type", "x"), "either"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    kernel: FakeKernel, folder: Path, arguments: tuple[str, ...], wanted: str
) -> None:
    (folder / "kernel-wrong.json").write_text("{}")
    dead = json.loads((folder / "kernel-fake.json").read_text())
    dead |= {name: 1 for name in dead if name.endswith("_port")}
    (folder / "kernel-dead.json").write_text(json.dumps(dead))
    recording = folder / "x.kspy"
    line = one_line_of(sent(folder, "--code", "1", *arguments, "-o", recording))
    assert wanted in line
    assert "sesame" not in line
    assert not recording.exists()


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--content", '{"a": '), "JSON"),
        (("--content", "[1]"), "JSON object"),
        (("--content", "[" * 100_000), "JSON"),
        (("--content", "@no-such-file"), "no-such-file"),
        (("--metadata", "nonsense"), "--metadata"),
        (("--buffer", "no-such-file"), "no-such-file"),
        (("--content", "-", "--metadata", "-"), "standard input"),
        (("--channel", "iopub"), "iopub"),
        (("--timeout", "soon"), "soon"),
        (("--timeout", "nan"), "nan"),
        (("-o", "no/such/folder/x.kspy"), "no/such/folder"),
    ],
)
def test_what_is_no_message_is_one_line_and_nothing_is_sent(
    kernel: FakeKernel, folder: Path, arguments: tuple[str, ...], wanted: str
) -> None:
    line = one_line_of(sent(folder, "--type", "junk", "--existing", "fake", *arguments))
    assert wanted in line
    assert not kernel.by_channel["shell"].poll(0)
