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
from kspy.pytest_plugin.plugin import Kept
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

@pytest.fixture
def breaking(kspy_tap):
    kspy_tap.client()
    yield
    raise RuntimeError("the end of the fixture")

def test_what_comes_after_fails(breaking):
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

def test_somebody_has_enough(kspy_tap):
    kspy_tap.client()
    raise KeyboardInterrupt
"""


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


def run_pytest(folder: Path) -> str:
    """Run the tests above; what pytest says. Temporary files and Jupyter's are in `folder` too."""
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
    return result.stdout + result.stderr


ENDS = {
    "a_tap_that_holds": "PASSED",
    "a_tap_that_fails": "FAILED",
    "a_tap_that_does_not_begin": "ERROR",
    "what_comes_after_fails": "ERROR",
    "a_tap_of_no_kernel[no-such-kernel]": "ERROR",
    "a_frontend": "PASSED",
    "no_such_recording": "FAILED",
    "the_kernel_answers_as_it_did": "PASSED",
    "the_kernel_answers_otherwise": "FAILED",
    "that_it_does_is_seen": "PASSED",
}


def test_all_of_it_in_one_run(tmp_path: Path) -> None:
    """One run: pytest and kernels take long to start."""
    said = run_pytest(tmp_path)
    for name, ends in ENDS.items():
        assert f"{ends} test_it.py::test_{name}" in said, said
    kept = tmp_path / "kept"

    # the recording of a test that fails is kept, and named; one that is there already stays
    again = kept / "test_it.py-test_a_tap_that_fails-2.kspy"
    assert f"kspy view {again}" in said
    with kspy.open(again) as recording:
        assert recording.state == "whole"
        assert "named = 'evidence'" in [message.content.get("code") for message in recording]
    assert again.stat().st_mode & 0o777 == 0o600
    assert (kept / "test_it.py-test_a_tap_that_fails.kspy").read_text() == "of before"

    # a replay that differs says how
    assert "hullo" in said
    other = kept / "test_it.py-test_the_kernel_answers_otherwise.kspy"
    with kspy.open(other) as recording:
        assert any("hello" in str(message.content.get("text")) for message in recording)

    # so it is where a test does not begin, or does not end well, or is interrupted, and that is
    # named, too; nothing else is kept
    with kspy.open(kept / "test_it.py-test_somebody_has_enough.kspy") as recording:
        assert recording.state == "whole"
    assert sorted(path.name.removeprefix("test_it.py-test_") for path in kept.iterdir()) == [
        "a_tap_that_does_not_begin.kspy",
        "a_tap_that_fails-2.kspy",
        "a_tap_that_fails.kspy",
        "somebody_has_enough.kspy",
        "the_kernel_answers_otherwise.kspy",
        "what_comes_after_fails.kspy",
    ]
    assert said.count("kspy view") == 5

    # what is not there is one line
    assert "no kernel is named 'no-such-kernel'" in said
    assert "none.kspy" in said
    assert "Traceback" not in said
    assert "another exception" not in said


def test_a_folder_that_cannot_be_written_to_ends_no_run(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recording is kept where it was made then: there is no other."""
    monkeypatch.setattr(request.config.option, "kspy_recordings", str(tmp_path / "a file"))
    (tmp_path / "a file").touch()
    made = tmp_path / "session.kspy"
    made.write_text("evidence")
    kept = Kept(request.node)
    kept.add(made)
    assert kept.keep() == [made]
    kept.settle()
    assert made.read_text() == "evidence"


def test_where_keeping_a_recording_fails_it_stays_and_that_is_said(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request.config.option, "kspy_recordings", str(tmp_path / "kept"))
    made = tmp_path / "session.kspy"
    made.write_text("evidence")
    kept = Kept(request.node)
    kept.add(made)
    [place] = kept.keep()
    place.mkdir()
    (place / made.name).mkdir()
    with pytest.warns(pytest.PytestWarning, match="session.kspy"):
        kept.settle()
    assert made.read_text() == "evidence"
