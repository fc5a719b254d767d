"""The plugin as its user sees it: pytest runs, in a process of its own, on tests that use it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from recorded import tell
from tapping import surroundings

import kspy
from kspy.recording.writer import Writer

RECORDINGS = Path(__file__).parent.parent / "recordings"

TESTS = """
import pytest

def test_a_tap_that_holds(kspy_tap):
    kspy_tap.client().execute_interactive("1 + 1", timeout=60)
    kspy_tap.stop()
    assert kspy_tap.recording.exists()

def test_a_tap_that_fails(kspy_tap):
    kspy_tap.client().execute_interactive("named = 'evidence'", timeout=60)
    assert False

@pytest.fixture
def broken(kspy_tap):
    kspy_tap.client()
    raise RuntimeError("the fixture")

def test_a_tap_that_does_not_begin(broken):
    pass

@pytest.mark.parametrize("kspy_kernel", ["no-such-kernel"])
def test_a_tap_of_no_kernel(kspy_tap):
    pass

def test_a_frontend(kspy_serve):
    kernel = kspy_serve("hello.kspy")
    reply = kernel.client().execute_interactive("6 * 7", timeout=60)
    assert reply["content"]["status"] == "ok"

def test_no_such_recording(kspy_serve):
    kspy_serve("none.kspy")

def test_the_kernel_answers_as_it_did(kspy_replay):
    assert kspy_replay("hello.kspy").same

def test_the_kernel_answers_otherwise(kspy_replay):
    kspy_replay("changed.kspy")

def test_that_it_does_is_seen(kspy_replay):
    assert not kspy_replay("changed.kspy", check=False).same
"""

Outcome = tuple[Path, str]


def change(source: Path, target: Path) -> None:
    """Write what no kernel will answer."""
    with kspy.open(source) as recording:
        told = list(map(tell, recording.stories()))
    with Writer(target, {"kernel_name": "python3"}) as writer:
        for story in told:
            if len(story) > 4:
                _, time_ns, channel, direction, said, client, flags = story
                frames = [frame.replace(b"hello\\n", b"hullo\\n") for frame in said]
                writer.write(time_ns, channel, direction, frames, client=client, flags=flags)
            else:
                writer.event(*story[1:])


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The folder in which pytest ran, and all that it said. One run: it takes long to start."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(RECORDINGS / "hello.kspy", folder)
    change(RECORDINGS / "hello.kspy", folder / "changed.kspy")
    (folder / "test_it.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\nkspy_recordings = kept\n")
    (folder / "kept").mkdir()
    (folder / "kept" / "test_it.py-test_a_tap_that_fails.kspy").write_text("of before")
    environment = dict(surroundings(folder))
    del environment["TMPDIR"]
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        environment.pop(name, None)
    words = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider"]
    result = subprocess.run(
        [*words, "--kspy-kernel=python3"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    return folder, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("a_tap_that_holds", "PASSED"),
        ("a_tap_that_fails", "FAILED"),
        ("a_tap_that_does_not_begin", "ERROR"),
        ("a_tap_of_no_kernel[no-such-kernel]", "ERROR"),
        ("a_frontend", "PASSED"),
        ("no_such_recording", "FAILED"),
        ("the_kernel_answers_as_it_did", "PASSED"),
        ("the_kernel_answers_otherwise", "FAILED"),
        ("that_it_does_is_seen", "PASSED"),
    ],
)
def test_how_each_ends(outcome: Outcome, name: str, ends: str) -> None:
    _, said = outcome
    assert f"{ends} test_it.py::test_{name}" in said, said


def test_the_recording_of_a_test_that_fails_is_kept_and_named(outcome: Outcome) -> None:
    folder, said = outcome
    kept = folder / "kept" / "test_it.py-test_a_tap_that_fails-2.kspy"
    assert f"kspy view {kept}" in said
    with kspy.open(kept) as recording:
        assert recording.state == "whole"
        codes = [message.content.get("code") for message in recording]
    assert "named = 'evidence'" in codes
    assert kept.stat().st_mode & 0o777 == 0o600


def test_one_that_is_kept_already_stays(outcome: Outcome) -> None:
    folder, _ = outcome
    kept = folder / "kept" / "test_it.py-test_a_tap_that_fails.kspy"
    assert kept.read_text() == "of before"


def test_a_replay_that_differs_says_how_and_is_kept(outcome: Outcome) -> None:
    folder, said = outcome
    assert "hullo" in said
    kept = folder / "kept" / "test_it.py-test_the_kernel_answers_otherwise.kspy"
    assert f"kspy view {kept}" in said
    with kspy.open(kept) as recording:
        assert any("hello" in str(message.content.get("text")) for message in recording)


def test_nothing_else_is_kept(outcome: Outcome) -> None:
    folder, said = outcome
    assert f"kspy view {folder}/kept/test_it.py-test_a_tap_that_does_not_begin.kspy" in said
    kept = sorted(path.name for path in (folder / "kept").iterdir())
    assert kept == [
        "test_it.py-test_a_tap_that_does_not_begin.kspy",
        "test_it.py-test_a_tap_that_fails-2.kspy",
        "test_it.py-test_a_tap_that_fails.kspy",
        "test_it.py-test_the_kernel_answers_otherwise.kspy",
    ]


def test_what_is_not_there_is_one_line(outcome: Outcome) -> None:
    _, said = outcome
    assert "no kernel is named 'no-such-kernel'" in said
    assert "none.kspy" in said
    assert "Traceback" not in said
