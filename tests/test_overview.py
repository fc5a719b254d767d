"""What `kspy info` says of a recording."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import kspy as command
from conversation import MILLISECOND, START_NS, Conversation

import kspy
from kspy.analysis import overview as module
from kspy.analysis.overview import Overview, overview

SELF_DESCRIPTION = {
    "implementation": "ipython",
    "implementation_version": "9.1",
    "protocol_version": "5.5",
    "language_info": {"name": "python", "version": "3.12"},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "session.kspy"
    with Conversation(path, {"kernel_name": "python3", "versions": {"kspy": "0.1"}}) as talk:
        talk.event("kernel_started", pid=1)
        talk.raw("hb", "to_kernel", [b"ping"])
        talk.reply(talk.ask("kernel_info_request"), SELF_DESCRIPTION)
        talk.division_by_zero(client=2)
        talk.raw("shell", "to_kernel", [b"junk"])
        talk.ask("execute_request", {"code": "while True: pass"})
    return path


def look(path: Path) -> Overview:
    with kspy.open(path) as recording:
        return overview(recording)


def test_counts_and_names(path: Path) -> None:
    found = look(path)
    assert found.kernel.name == "python3"
    assert found.kernel.implementation == "ipython"
    assert (found.kernel.language, found.kernel.protocol_version) == ("python", "5.5")
    assert (found.messages, found.start_ns) == (11, START_NS)
    assert found.duration_ns == 10 * MILLISECOND
    assert found.channels == {"hb": 1, "shell": 6, "iopub": 4}
    assert found.types["status"] == 2
    assert found.types["(heartbeat)"] == 1
    assert found.clients == {"1": 3, "2": 2}
    assert found.flags == {"malformed": 1}
    assert found.events == {"kernel_started": 1}
    assert found.requests == {"ok": 1, "error": 1, "waiting": 1}
    assert (found.errors, found.gaps, found.lost) == (1, 0, 0)
    assert found.state == "whole"


def test_names_the_slowest_and_the_unanswered(path: Path) -> None:
    found = look(path)
    assert [(line.summary, line.state) for line in found.slowest] == [("1/0", "error"), ("", "ok")]
    assert [line.summary for line in found.unanswered] == ["while True: pass"]


def test_agrees_with_the_recording(path: Path) -> None:
    found = look(path)
    with kspy.open(path) as recording:
        assert found.bytes == sum(message.size for message in recording)
        (asked,) = found.unanswered
        assert recording[asked.seq].content["code"] == asked.summary


@pytest.mark.parametrize(
    ("extract", "of"), [({"of": 1204}, 1204), ({"of": -1}, 0), ({"of": "x"}, 0), ("x", 0)]
)
def test_an_extract_says_of_how_many_messages(tmp_path: Path, extract: object, of: int) -> None:
    with Conversation(tmp_path / "part.kspy", {"extract": extract}) as talk:
        talk.ask("execute_request", {"code": "1"})
    assert look(tmp_path / "part.kspy").extract_of == of
    assert ("1, chosen of 1,204," in command("info", tmp_path / "part.kspy").stdout) == bool(of)


def test_an_id_used_twice_is_two_requests(tmp_path: Path) -> None:
    path = tmp_path / "twice.kspy"
    with Conversation(path) as talk:
        talk.ask("execute_request", {"code": "first"})
    with kspy.open(path) as recording:
        frames = recording[0].frames
    twice = tmp_path / "again.kspy"
    with Conversation(twice) as talk:
        talk.raw("shell", "to_kernel", frames)
        talk.raw("shell", "to_kernel", frames)
    assert look(twice).requests == {"waiting": 2}


def test_a_thousand_invented_types_do_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NAMES", 3)
    monkeypatch.setattr(module, "OPEN_REQUESTS", 2)
    path = tmp_path / "many.kspy"
    with Conversation(path) as talk:
        for number in range(10):
            talk.ask(f"invented_{number}_request")
    found = look(path)
    assert found.types[module.OTHERS] == 7
    assert found.requests == {"waiting": 10}
    assert len(found.unanswered) == module.SLOWEST


def test_the_page(path: Path) -> None:
    page = command("info", path)
    assert (page.returncode, page.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in page.stdout.splitlines()]
    assert lines[0].startswith("file ")
    assert lines[0].endswith(" whole")
    assert "kernel python3, ipython 9.1, protocol 5.5, python 3.12" in lines
    assert "requests error: 1, ok: 1, waiting: 1" in lines
    assert "slowest error 5.0 ms #3 execute_request 1/0" in lines
    assert "unanswered waiting #10 execute_request while True: pass" in lines


def test_the_page_for_scripts(path: Path) -> None:
    fields = json.loads(command("info", "--json", path).stdout)
    assert fields["kernel"]["name"] == "python3"
    assert fields["start"] == "2026-11-20T21:00:00.123456Z"
    assert fields["channels"] == {"hb": 1, "shell": 6, "iopub": 4}


def test_an_empty_recording(tmp_path: Path) -> None:
    path = tmp_path / "empty.kspy"
    with Conversation(path):
        pass
    page = command("info", path)
    assert page.returncode == 0
    assert "messages    0, 0 bytes on the wire" in page.stdout


def test_a_cut_recording_says_so(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])
    page = command("info", path)
    assert page.returncode == 0
    assert "cut short" in page.stdout
