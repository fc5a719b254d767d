"""The recordings of this repository: they tell of nobody's machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kspy
from kspy.recording.event import Event

RECORDINGS = sorted((Path(__file__).parent.parent / "recordings").glob("*.kspy"))
NOBODYS = re.compile(rb"site-packages|/home/|/root/|/Users/|\.venv")


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_no_path_of_a_machine_is_in_it(path: Path) -> None:
    with kspy.open(path) as recording:
        assert recording.state == "whole"
        assert not NOBODYS.search(repr(recording.metadata).encode())
        for story in recording.stories():
            told = repr(story.data).encode() if isinstance(story, Event) else b"".join(story.frames)
            assert not NOBODYS.search(told), story
