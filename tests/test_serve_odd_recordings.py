"""Recordings of WebSockets, with lost parts, and with anything in them: what is served of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgpack
import pytest
from conversation import START_NS, of_frames, serialize
from hypothesis import given, settings
from hypothesis import strategies as st
from staging import Cell, Staged, brief, staged
from viewing import RECORDINGS
from websocket_recordings import over_websocket, payload_of

import kspy
from kspy.recording.event import EVENTS
from kspy.recording.writer import Writer
from kspy.wire.frames import CHANNELS, DIRECTIONS, Channel, Direction
from kspy.wire.websocket import Encoding


def told(path: Path) -> list[tuple[str, str, Any]]:
    """What is said to the recorded cells, one after the other."""
    with kspy.open(path) as recording:
        codes = [m.content["code"] for m in recording if m.msg_type == "execute_request"]
    with staged(path) as player:
        for code in codes:
            player.run(code, allow_stdin=False)
        return [(m.channel, m.msg_type, m.content) for m in player.heard()]


@pytest.mark.parametrize("name", ["rich", "widget"])
@pytest.mark.parametrize("encoding", ["v1", "json"])
def test_a_recording_of_websockets_is_served_the_same(
    name: str, encoding: Encoding, tmp_path: Path
) -> None:
    over_websocket(RECORDINGS / f"{name}.kspy", tmp_path / "ws.kspy", encoding)
    assert told(tmp_path / "ws.kspy") == told(RECORDINGS / f"{name}.kspy")
    with staged(tmp_path / "ws.kspy") as player:
        player.stage.start(player.now)
        assert all(frames[0].startswith(b"kernel.") for frames in player.frames)


def test_what_each_of_several_websockets_got_is_said_once(tmp_path: Path) -> None:
    request, asked = serialize("execute_request", {"code": "1", "silent": False})
    with Writer(tmp_path / "ws.kspy", {}) as writer:

        def write(frames: list[bytes], channel: Channel, direction: Direction, *to: int) -> None:
            payload, encoding = payload_of(of_frames(frames, channel, direction), "json")
            for client in to:
                told = (channel, direction, [payload])
                writer.write(START_NS, *told, client=client, encoding=encoding)

        write(asked, "shell", "to_kernel", 1)
        for state in ("busy", "idle"):
            _, said = serialize("status", {"execution_state": state}, request)
            write(said, "iopub", "to_client", 1, 2)
    with staged(tmp_path / "ws.kspy") as player:
        player.run("1")
        assert brief(player.heard()) == ["busy", "idle"]
        assert player.frames[0][0].endswith(b".status")


def packed(message: dict[str, Any], content: Any = None) -> list[bytes]:
    """As msgpack, with a content perhaps that JSON has no word for."""
    ready = json.loads(json.dumps(message, default=str))
    ready["content"] = ready["content"] if content is None else content
    parts = ("header", "parent_header", "metadata", "content")
    return [b"one", b"<IDS|MSG>", b"", *(msgpack.packb(ready[name]) for name in parts)]


def test_a_kernel_that_speaks_msgpack_is_served_in_msgpack(tmp_path: Path) -> None:
    request = serialize("execute_request", {"code": "1", "silent": False})[0]
    reply = serialize("execute_reply", {"status": "ok", "execution_count": 1}, request)[0]
    with Cell(tmp_path / "made.kspy") as made:
        made.raw("shell", "to_kernel", packed(request), 1)
        made.raw("shell", "to_client", packed(reply), 1)
    with staged(tmp_path / "made.kspy") as player:
        player.receive_raw("shell", packed(request))
        (message,) = player.heard()
        assert message.content == {"status": "ok", "execution_count": 1}
        assert message.parent_id == request["header"]["msg_id"]
        assert message.msg_id != reply["header"]["msg_id"]
        assert "msgpack" in message.flags
        unknown = serialize("execute_request", {"code": "2", "silent": False})[0]
        player.receive_raw("shell", packed(unknown))
        player.wait(1)
        assert all("msgpack" in message.flags for message in player.heard())


def test_a_comm_of_the_clients_may_have_a_word_for_an_id(tmp_path: Path) -> None:
    """Only where ids stand: elsewhere a word is a word."""
    with Cell(tmp_path / "made.kspy") as made:
        for msg_type, data in (("comm_open", {}), ("comm_msg", {"show": "plot"})):
            content = {"comm_id": "plot", "data": data, "target_name": "t"}
            request = made.ask(msg_type, content)
            made.publish("comm_msg", {"comm_id": "plot", "data": {"echo": "plot"}}, request)
            made.status("idle", request)
    with staged(tmp_path / "made.kspy") as player:
        for own in ("first", 'the "second"'):
            for msg_type, data in (("comm_open", {}), ("comm_msg", {"show": "plot"})):
                player.ask(msg_type, {"comm_id": own, "data": data, "target_name": "t"})
                echo, _ = player.heard()
                assert echo.content == {"comm_id": own, "data": {"echo": "plot"}}
        assert player.said == []


def test_a_long_chain_of_parents_costs_little(tmp_path: Path) -> None:
    with Cell(tmp_path / "made.kspy") as made:
        parent = made.ask("execute_request", {"code": "chain()", "silent": False})
        for _ in range(2000):
            parent, frames = serialize("comm_msg", {"comm_id": "c", "data": {}}, parent)
            made.raw("iopub", "to_client", frames)
    with staged(tmp_path / "made.kspy") as player:
        player.run("chain()")
        player.wait(0)
        assert len(player.heard()) == 2000


Told = tuple[str, Any]


@pytest.mark.parametrize("odd", [b"bytes", msgpack.Timestamp(1), 10**30, "\ud800", [[[]]] * 9])
def test_what_a_packer_has_no_word_for_ends_no_server(odd: Any, tmp_path: Path) -> None:
    content = {"status": "ok", "banner": odd, "execution_count": odd}
    json_only = isinstance(odd, (int, str))
    with Cell(tmp_path / "made.kspy") as made:
        for name in ("kernel_info", "execute"):
            request = made.ask(f"{name}_request", {"code": "1", "silent": False})
            reply, frames = serialize(f"{name}_reply", {}, request)
            in_json = [*frames[:-1], json.dumps(content, default=repr).encode()]
            made.raw("shell", "to_client", in_json if json_only else packed(reply, content), 1)
    asked = serialize("kernel_info_request", {})[0], serialize("execute_request", {"code": "2"})[0]
    with staged(tmp_path / "made.kspy") as player:
        for request in asked:
            player.receive_raw("control", packed(request))
            player.ask(request["msg_type"], request["content"])
            player.wait(1)
        replies = [m for m in player.heard() if m.channel != "iopub"]
        assert [m.msg_type for m in replies] == ["kernel_info_reply"] * 2 + ["execute_reply"] * 2
        assert replies[2].content["execution_count"] == 0


CODES = ("a", "b", "c")
TYPES = (
    "status", "stream", "error", "execute_reply", "comm_open", "comm_msg", "comm_close",
    "input_request", "iopub_welcome", "shutdown_reply", "kernel_info_reply",
)  # fmt: skip
ODD: tuple[Any, ...] = (b"bytes", msgpack.Timestamp(1), 2**64 - 1, True, [], {"x": b"y"})
stories = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(CODES)),
        st.tuples(st.just("ask"), st.sampled_from(("interrupt_request", "comm_open", "junk"))),
        st.tuples(
            st.just("say"),
            st.tuples(
                st.sampled_from(TYPES),
                st.sampled_from(CHANNELS),
                st.sampled_from(DIRECTIONS),
                st.integers(0, 9),
                st.integers(0, 31),
                st.sampled_from(
                    ({}, {"execution_state": "idle"}, {"comm_id": "x" * 40}, {"value": []})
                ),
            ),
        ),
        st.tuples(
            st.just("raw"), st.lists(st.sampled_from([b"<IDS|MSG>", b"{}", b"[1]", b"\xff"]))
        ),
        st.tuples(st.just("pack"), st.tuples(st.sampled_from(TYPES), st.sampled_from(ODD))),
        st.tuples(st.just("event"), st.sampled_from(sorted(EVENTS))),
        st.tuples(st.just("pass"), st.integers(-(1 << 61), 1 << 61)),
    ),
    min_size=1,
    max_size=25,
)


def write(path: Path, told: Sequence[Told]) -> None:
    with Cell(path) as made:
        known: list[Any] = [{}]
        for what, value in told:
            if what == "ask" and value in CODES:
                known.append(made.ask("execute_request", {"code": value, "silent": False}))
            elif what == "ask":
                known.append(made.ask(value, {"comm_id": "c" * 32}))
            elif what == "say":
                msg_type, channel, direction, parent, flags, content = value
                message, frames = serialize(msg_type, content, known[-1 - parent % len(known)])
                made.writer.write(made.now_ns, channel, direction, frames, client=1, flags=flags)
                known.append(message)
            elif what == "raw":
                made.raw("iopub", "to_client", value)
            elif what == "pack":
                message, _ = serialize(value[0], {}, known[-1])
                content = {"execution_count": value[1], "comm_id": value[1], "banner": value[1]}
                made.raw("shell", "to_client", packed(message, content), 1)
            elif what == "event":
                made.event(value)
            else:
                made.now_ns = value


def use(player: Staged) -> None:
    """All that a client may do."""
    for code in (*CODES, *CODES, "unknown"):
        player.run(code)
        player.wait(10)
        player.ask("input_reply", {"value": "x"}, "stdin")
    for msg_type in ("kernel_info_request", "execute_request", "comm_open", "comm_info_request"):
        request, _ = serialize(msg_type, {"code": "d", "comm_id": "x" * 40})
        player.receive_raw("control", packed(request))
    for msg_type in ("comm_open", "comm_msg", "junk", "kernel_info_request", "debug_request"):
        player.ask(msg_type, {"comm_id": "d" * 32})
    player.ask("interrupt_request", {}, "control")
    player.wait(1e12)
    player.stage.interrupt(player.now)
    player.ask("shutdown_request", {"restart": True}, "control")
    player.stage.restart(player.now)
    player.run("a")


@settings(max_examples=30, deadline=None)
@given(stories, st.sampled_from([1.0, 1e300, 1e-300, float("inf")]))
def test_whatever_is_in_a_recording_it_is_served_without_a_mistake(
    told: Sequence[Told], speed: float
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.kspy"
        write(path, told)
        with staged(path, speed) as player:
            use(player)
            player.heard()
