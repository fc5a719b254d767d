"""Replays through a Jupyter server's WebSockets, and of what was recorded there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from replays import RECORDINGS
from servers import running_server
from tapping import short_folder, surroundings

import kspy
from kspy.wire.websocket import V1, pack, pack_parts, unpack

PARTS = (b'{"msg_id": "m"}', b"{}", b"{}", b'{"n": 1.00}')


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with short_folder() as path:
        for name, value in surroundings(path).items():
            monkeypatch.setenv(name, value)
        yield path


def test_there_and_back_again(folder: Path) -> None:
    """From ZeroMQ to a server, and what was recorded there to ZeroMQ; and to a kernel that runs."""
    with running_server(folder) as server:
        to: dict[str, Any] = {"gateway": server.url, "token": server.token}
        there = kspy.replay_to(RECORDINGS / "widget.kspy", record=folder / "a.kspy", **to)
        assert there.same, str(there)
        with kspy.open(folder / "a.kspy") as recording:
            assert {message.encoding for message in recording} == {"v1"}
        back = kspy.replay_to(folder / "a.kspy", kernel="python3")
        assert back.same, str(back)
        assert server.kernels() == []
        model = server.ask("/api/kernels", "POST", {"name": "python3"})
        clients = kspy.replay_to(RECORDINGS / "two-clients.kspy", kernel_id=model["id"], **to)
        assert clients.same, str(clients)
        assert server.kernels() == [model["id"]]


def test_bytes_go_as_they_are_where_the_protocol_has_a_place_for_them() -> None:
    payload, text = pack_parts("shell", PARTS, [b"\x00"], V1)
    unpacked = unpack(payload, "v1")
    assert unpacked is not None
    assert (unpacked.parts.content, list(unpacked.parts.buffers), text) == (
        PARTS[3],
        [b"\x00"],
        False,
    )
    payload, text = pack_parts("shell", PARTS, [], None)
    assert text
    assert PARTS[3] in payload
    header, parent, metadata, content = map(json.loads, PARTS)
    packed, _ = pack("shell", header, parent, metadata, content, [], None)
    assert json.loads(payload) == json.loads(packed)
    with pytest.raises(ValueError, match="its content is no JSON object"):
        pack_parts("shell", (*PARTS[:3], b"[1]"), [], None)
