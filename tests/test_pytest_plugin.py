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

TAPPED = """
import pytest

def test_that_holds(kspy_tap):
    client = kspy_tap.client()
    client.execute_interactive("1 + 1", timeout=60)
    kspy_tap.stop()
    assert kspy_tap.recording.exists()

def test_that_fails(kspy_tap):
    kspy_tap.client().execute_interactive("named = 'evidence'", timeout=60)
    assert False

@pytest.fixture
def broken(kspy_tap):
    kspy_tap.client()
    raise RuntimeError("the fixture")

def test_that_does_not_begin(broken):
    pass

@pytest.mark.parametrize("kspy_kernel", ["no-such-kernel"])
def test_of_no_kernel(kspy_tap):
    pass
"""


def run_pytest(folder: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the tests in `source`; temporary files and Jupyter's are in `folder` too."""
    folder.joinpath("test_it.py").write_text(source)
    folder.joinpath("pytest.ini").write_text("[pytest]\n")
    environment = dict(surroundings(folder))
    del environment["TMPDIR"]
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("tapped")
    result = run_pytest(folder, TAPPED)
    return folder, result.stdout + result.stderr


def test_the_recording_of_a_test_that_fails_is_kept_and_named(outcome: tuple[Path, str]) -> None:
    folder, said = outcome
    assert "1 passed" in said, said
    assert "1 failed, " in said, said
    kept = folder / "kspy-recordings" / "test_it.py-test_that_fails.kspy"
    assert f"kspy view {kept}" in said
    with kspy.open(kept) as recording:
        assert recording.state == "whole"
        codes = [message.content.get("code") for message in recording]
    assert "named = 'evidence'" in codes
    assert kept.stat().st_mode & 0o777 == 0o600


def test_so_it_is_where_a_fixture_fails(outcome: tuple[Path, str]) -> None:
    folder, said = outcome
    kept = folder / "kspy-recordings" / "test_it.py-test_that_does_not_begin.kspy"
    assert f"kspy view {kept}" in said
    assert kept.exists()


def test_nothing_else_is_kept(outcome: tuple[Path, str]) -> None:
    folder, _ = outcome
    kept = sorted(path.name for path in (folder / "kspy-recordings").iterdir())
    assert kept == ["test_it.py-test_that_does_not_begin.kspy", "test_it.py-test_that_fails.kspy"]


def test_a_kernel_that_is_not_there_is_one_line(outcome: tuple[Path, str]) -> None:
    _, said = outcome
    assert "no kernel is named 'no-such-kernel'" in said
    assert "Traceback" not in said


def test_a_recording_that_is_kept_already_stays(tmp_path: Path) -> None:
    old = tmp_path / "kept" / "test_it.py-test_it.kspy"
    old.parent.mkdir()
    old.write_text("of before")
    said = run_pytest(
        tmp_path,
        "def test_it(kspy_tap): assert kspy_tap.recording.name == ''",
        "--kspy-recordings=kept",
        "--kspy-kernel=python3",
    ).stdout
    assert old.read_text() == "of before"
    assert f"kspy view {tmp_path}/kept/test_it.py-test_it-2.kspy" in said
    assert (tmp_path / "kept" / "test_it.py-test_it-2.kspy").exists()


SERVED = """
def test_a_frontend(kspy_serve):
    kernel = kspy_serve("hello.kspy")
    reply = kernel.client().execute_interactive("6 * 7", timeout=60)
    assert reply["content"]["status"] == "ok"

def test_no_such_recording(kspy_serve):
    kspy_serve("none.kspy")
"""

REPLAYED = """
def test_the_kernel_answers_as_it_did(kspy_replay):
    assert kspy_replay("hello.kspy").same

def test_the_kernel_answers_otherwise(kspy_replay):
    kspy_replay("changed.kspy")

def test_that_it_does_is_seen(kspy_replay):
    result = kspy_replay("changed.kspy", check=False)
    assert not result.same
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a recording, and one that no kernel will answer likewise."""
    shutil.copy(RECORDINGS / "hello.kspy", tmp_path)
    with kspy.open(RECORDINGS / "hello.kspy") as recording:
        told = list(map(tell, recording.stories()))
    with Writer(tmp_path / "changed.kspy", {"kernel_name": "python3"}) as writer:
        for story in told:
            if len(story) > 4:
                _, time_ns, channel, direction, said, client, flags = story
                frames = [frame.replace(b"hello\\n", b"hullo\\n") for frame in said]
                writer.write(time_ns, channel, direction, frames, client=client, flags=flags)
            else:
                writer.event(*story[1:])
    return tmp_path


def test_a_recording_stands_in_for_a_kernel(folder: Path) -> None:
    said = run_pytest(folder, SERVED).stdout
    assert "1 failed, 1 passed" in said, said
    assert "none.kspy" in said
    assert "Traceback" not in said


def test_a_recording_is_a_regression_test(folder: Path) -> None:
    said = run_pytest(folder, REPLAYED).stdout
    assert "1 failed, 2 passed" in said, said
    assert "hullo" in said
    kept = folder / "kspy-recordings" / "test_it.py-test_the_kernel_answers_otherwise.kspy"
    assert f"kspy view {kept}" in said
    with kspy.open(kept) as recording:
        assert any("hello" in str(message.content.get("text")) for message in recording)
