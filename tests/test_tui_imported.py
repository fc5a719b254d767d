"""The viewer on what was imported: it says so, and shows messages over WebSocket."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from piloting import piloted
from test_import import entry, frame, har
from viewing import viewing

from kspy.imports.source import read_source
from kspy.imports.spool import Spool
from kspy.imports.write import write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A request, and an output with a buffer."""
    source, target = tmp_path / "in.har", tmp_path / "session.kspy"
    frames = [
        frame("send", 1, "execute_request"),
        frame("receive", 2, "display_data", buffers=[b"\x01\x02buffer"]),
    ]
    source.write_text(json.dumps(har(entry(frames))))
    with Spool() as spool:
        origin, _ = read_source(source, spool)
        write(target, spool.conversations[0], spool, origin, overwrite=False)
    return target


@piloted
async def test_the_status_says_whence_it_was_imported(path: Path) -> None:
    async with viewing(path) as viewer:
        assert "imported from HAR" in viewer.status


@piloted
async def test_the_one_frame_its_encoding_and_its_buffers(path: Path) -> None:
    async with viewing(path, "colon", "=1", "enter", "4") as viewer:
        shown = "\n".join(viewer.screen)
        assert "WebSocket v1 · " in shown
        assert "· signature: none" in shown
        assert "WRONG" not in shown
        await viewer.enter("3")
        shown = "\n".join(viewer.screen)
        assert "buffer 0 · 8 bytes" in shown
        assert "01 02 62 75 66 66 65 72" in shown
