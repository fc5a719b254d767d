"""`kspy diff` and `kspy.diff`, used as a user uses them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command import kspy as command
from comparing import cell, cells, record, stream
from conversation import Conversation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded import Happened, Said, events, messages, write
from tapping import wait_for

import kspy
from kspy.analysis.sameness.rules import RULES
from kspy.errors import KspyError
from kspy.export.compared.entry import LONGEST_VALUE

RECORDINGS = Path(__file__).parent.parent / "recordings"
HELLO, ERROR = RECORDINGS / "hello.kspy", RECORDINGS / "error.kspy"


def test_text_for_people(tmp_path: Path) -> None:
    old = record(tmp_path / "a.kspy", cells("a", "b", "c", "d"))

    def talk(to: Conversation) -> None:
        cell(to, "a", stream("a\n"))
        cell(to, "b", stream("b\n"))
        cell(to, "c", stream("other\n"))
        cell(to, "e", stream("e\n"))
        cell(to, "d", stream("d\n"))

    new = record(tmp_path / "b.kspy", talk)
    printed = command("diff", old, new)
    assert (printed.returncode, printed.stderr) == (1, "")
    assert printed.stdout.splitlines() == [
        "… 2 threads, the same",
        "#12 execute_request  c  differs",
        "    ← iopub   stream              #15",
        "        content.text",
        "            - c⏎",
        "            + other⏎",
        "b #18 execute_request  e  only in b",
        "… 1 thread, the same",
        "different: 2 of 5 threads (1 differs, 1 only in b)",
    ]
    everything = command("diff", old, new, "--all").stdout.splitlines()
    assert everything[:2] == ["#0 execute_request  a  same", "#6 execute_request  b  same"]
    ignored = command("diff", old, new, "--ignore", "content.text", "--only", "/other|^d$/")
    assert ignored.returncode == 0
    assert ignored.stdout == "… 2 threads, the same\nthe same: 2 threads\n"


def test_json_for_scripts() -> None:
    printed = command("diff", HELLO, ERROR, "--json", "--ignore", "counts")
    found = json.loads(printed.stdout)
    assert printed.returncode == 1
    assert found["same"] is False
    assert (found["a"], found["b"]) == (str(HELLO), str(ERROR))
    assert found["counts"]["only in a"] == 2
    assert [thread["verdict"] for thread in found["threads"]] == [
        "only in a",
        "only in a",
        "only in b",
    ]
    assert found["left_out"]["heartbeats"] == 4
    assert "counts" in found["rules"]
    same = json.loads(command("diff", HELLO, HELLO, "--json", "--all").stdout)
    assert [thread["verdict"] for thread in same["threads"]] == ["same"] * 3


def test_strictly_another_recording_of_the_same_differs(tmp_path: Path) -> None:
    old, new = (record(tmp_path / f"{name}.kspy", cells("a")) for name in "ab")
    assert command("diff", old, new).returncode == 0
    assert command("diff", old, new, "--strict").returncode == 1


def test_the_rules_are_told() -> None:
    printed = command("diff", "--rules")
    assert printed.returncode == 0
    for rule in RULES:
        assert f"\n{rule.name}" in f"\n{printed.stdout}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((HELLO, "nothing.kspy"), "nothing.kspy: cannot be read"),
        ((HELLO, HELLO, "--ignore", "/(/"), "no regular expression"),
        ((HELLO, HELLO, "--ignore", "nonsense"), "nonsense: is no path"),
        ((HELLO, HELLO, "--only", "type>3"), "--only: "),
        ((HELLO, HELLO, "--factor", "1"), "--factor"),
        ((HELLO,), "Missing argument 'B'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(arguments: tuple[str, ...], said: str) -> None:
    printed = command("diff", *arguments)
    assert printed.returncode == 2
    assert printed.stdout == ""
    assert said in printed.stderr
    assert printed.stderr.count("\n") == 1


def test_from_python(tmp_path: Path) -> None:
    assert kspy.diff(HELLO, HELLO).same
    assert str(kspy.diff(HELLO, HELLO)) == "… 3 threads, the same\nthe same: 3 threads"
    found = kspy.diff(RECORDINGS / "rich.kspy", RECORDINGS / "changed.kspy", ignore=["counts"])
    assert not found.same
    assert (found.counts["differs"], found.counts["order changed"]) == (2, 1)
    assert "execution counts alone" not in str(found)
    counted = kspy.diff(RECORDINGS / "rich.kspy", RECORDINGS / "changed.kspy")
    assert counted.counts["differs"] == 4
    assert "2 threads in execution counts alone: --ignore counts" in str(counted)
    (value,) = found.threads[2].messages[0].differences
    assert value.path == "content.code"
    assert "0.93" in value.old
    assert "0.94" in value.new
    assert kspy.diff(HELLO, ERROR, only="type:kernel_info_request").same
    with pytest.raises(KspyError, match="no path"):
        kspy.diff(HELLO, ERROR, ignore=["x"])


def test_long_values_are_told_around_where_they_differ(tmp_path: Path) -> None:
    long = "x" * 300_000
    old = record(tmp_path / "a.kspy", lambda to: cell(to, "a", stream(f"{long}1{long}")))
    new = record(tmp_path / "b.kspy", lambda to: cell(to, "a", stream(f"{long}2{long}")))
    found = kspy.diff(old, new)
    (value,) = found.threads[0].messages[0].differences
    assert value.cut
    assert "x1x" in value.old
    assert len(value.new) < LONGEST_VALUE + 100
    lines = str(found).splitlines()
    assert any("1" in line and line.strip().startswith("- ") for line in lines)
    assert all(len(line) < 600 for line in lines)


def test_all_pieces_of_a_long_stream_are_told(tmp_path: Path) -> None:
    numbers = [stream(f"{n}\n") for n in range(1200)]
    old = record(tmp_path / "a.kspy", lambda to: cell(to, "a", *numbers))
    new = record(tmp_path / "b.kspy", lambda to: cell(to, "a", *numbers[:-1], stream("x")))
    [message] = kspy.diff(old, new).threads[0].messages
    assert message.old == message.new == (*range(3, 1002), 1202)


def test_values_that_look_alike_can_be_told_apart(tmp_path: Path) -> None:
    def telling(value: object) -> Path:
        path = tmp_path / f"{type(value).__name__}.kspy"
        return record(path, lambda to: cell(to, "a", ("other", {"value": value})))

    text = str(kspy.diff(telling(42), telling("42")))
    assert '            - 42\n            + "42"\n' in text


def test_what_strangers_wrote_is_safe_to_print(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\u202e\n"
    old = record(tmp_path / "a.kspy", lambda to: cell(to, evil, stream(f"{evil}1")))
    new = record(tmp_path / "b.kspy", lambda to: cell(to, evil, (evil, {evil: evil})))
    for text in (str(kspy.diff(old, new)), str(kspy.diff(new, old))):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert all(line.isprintable() for line in text.splitlines())


def _length(path: Path) -> int:
    with kspy.open(path) as recording:
        return len(recording)


def test_recordings_that_are_cut_or_grow(tmp_path: Path) -> None:
    path = tmp_path / "cut.kspy"
    shutil.copy(RECORDINGS / "rich.kspy", path)
    path.write_bytes(path.read_bytes()[:-3000])
    found = kspy.diff(RECORDINGS / "rich.kspy", path)
    assert "b: was cut short" in str(found)
    with Conversation(tmp_path / "growing.kspy") as to:
        cell(to, "a", stream("a\n"))
        to.writer.flush()
        growing = tmp_path / "growing.kspy"
        wait_for(lambda: _length(growing) == to.writer.seq, "what was said, in the file")
        now = kspy.diff(record(tmp_path / "a.kspy", cells("a")), growing)
        assert now.same
        assert "b: is still being recorded" in str(now)


stories = st.lists(messages | events, max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stories, stories)
def test_any_two_recordings_can_be_compared(
    tmp_path_factory: pytest.TempPathFactory,
    old: list[Said | Happened],
    new: list[Said | Happened],
) -> None:
    folder = tmp_path_factory.mktemp("any")
    write(folder / "a.kspy", [old])
    write(folder / "b.kspy", [new])
    for strict in (False, True):
        found = kspy.diff(folder / "a.kspy", folder / "b.kspy", strict=strict)
        assert str(found)
        back = kspy.diff(folder / "b.kspy", folder / "a.kspy", strict=strict)
        assert back.same == found.same
        assert kspy.diff(folder / "a.kspy", folder / "a.kspy", strict=strict).counts["differs"] == 0
