"""A recording of a WebSocket is read as one of ZeroMQ is: everywhere, with the same result."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from command import kspy as run_kspy
from conversation import START_NS
from exporting import everything, grown, run
from filtering import RECORDINGS, items
from websocket_recordings import over_websocket

import kspy
from kspy.export.copies import as_code, as_dict, as_json
from kspy.export.extract import extract
from kspy.recording.reader import Recording
from kspy.recording.repair import repair
from kspy.recording.writer import Writer
from kspy.tui.detail.hex_view import buffer_sections, frame_sections
from kspy.wire.websocket import Encoding, encoding_of, pack

ENCODED: list[Encoding] = ["json", "v1"]
MIB = 1 << 20

FILTERS = [
    "type:execute_*",
    "channel:shell -is:noise",
    "error",
    "state:ok",
    "text:hello",
    "text:division",
    "text:1",
    "text:null",
    "text:true",
    "/[Tt]race/",
    "text:'a b'",
    "comm:*",
    "id:*",
    "session:*",
    "username:root",
    "parent:3",
    "buffers>0",
    "buffers=0",
    "buffers>10B",
    "flag:malformed,undecodable,msgpack,truncated,oversized,no_channel,redelivered",
    "-flag:malformed",
    "latency>1ms",
]


VARIED = [path for path in RECORDINGS if path.stem in ("rich", "widget", "input", "two-clients")]


@pytest.fixture(params=VARIED, ids=lambda path: path.stem)
def source(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture(params=ENCODED)
def carried(request: pytest.FixtureRequest, source: Path, tmp_path: Path) -> Path:
    target = tmp_path / "websocket.kspy"
    over_websocket(source, target, request.param)
    return target


def shown(*arguments: str | Path) -> str:
    printed = run_kspy(*arguments)
    assert (printed.returncode, printed.stderr) == (0, "")
    return printed.stdout


def columns(recording: Recording) -> tuple[object, ...]:
    known = recording.columns
    types = [known.names[number] for number in known.types]
    return (types, list(known.parents), list(known.outcomes), list(known.routes))


def test_lines_and_threads_are_the_same(source: Path, carried: Path) -> None:
    assert shown("show", carried) == shown("show", source)
    assert shown("show", "--threads", carried) == shown("show", "--threads", source)


def test_json_is_the_same_but_for_the_encoding(source: Path, carried: Path) -> None:
    def objects(path: Path) -> list[dict[str, object]]:
        return [json.loads(line) for line in shown("show", "--json", path).splitlines()]

    for ours, theirs in zip(objects(carried), objects(source), strict=True):
        encoding = ours.pop("encoding", "zmq")
        assert (encoding == "zmq") == ("event" in ours or ours["channel"] == "hb")
        assert ours == theirs


def test_columns_are_the_same_with_an_index_and_without(
    source: Path, carried: Path, tmp_path: Path
) -> None:
    with kspy.open(source) as theirs, kspy.open(carried) as ours:
        assert columns(ours) == columns(theirs)
        end = ours.size - 40
    cut = tmp_path / "cut.kspy"
    cut.write_bytes(carried.read_bytes()[:end])
    with kspy.open(source) as theirs, kspy.open(cut) as ours:
        assert ours.state == "cut"
        assert columns(ours) == columns(theirs)


@pytest.mark.parametrize("text", FILTERS)
def test_filters_let_the_same_through(text: str, source: Path, carried: Path) -> None:
    with kspy.open(source) as theirs, kspy.open(carried) as ours:
        assert items(text, grown(ours)) == items(text, grown(theirs))


def test_copies_and_extracts(source: Path, carried: Path, tmp_path: Path) -> None:
    with kspy.open(source) as theirs, kspy.open(carried) as ours:
        for one, other in zip(ours, theirs, strict=True):
            alone = re.sub(r',\n  "encoding": "\w+"', "", as_json(one))
            assert alone == as_json(other)
            assert ("'encoding'" in as_dict(one)) == (one.encoding != "zmq")
            if one.channel != "hb" and one.direction == "to_kernel":
                assert as_code(one) == as_code(other)
        table = grown(ours)
        run(extract(table, everything(table), tmp_path / "extract.kspy"))
        repair(carried, tmp_path / "repaired.kspy")
        for copy in ("extract", "repaired"):
            with kspy.open(tmp_path / f"{copy}.kspy") as copied:
                for one, other in zip(copied, ours, strict=True):
                    assert (one.encoding, list(one.frames)) == (other.encoding, list(other.frames))


def test_what_the_inspector_shows_of_the_bytes(carried: Path) -> None:
    with kspy.open(carried) as recording:
        for message in recording:
            sections = frame_sections(message)
            assert len(sections) == len(message.frames)
            if message.encoding == "zmq":
                continue
            assert "signature: none" in sections[0].title
            assert sections[0].head(message) == message.frames[0][: 1 << 16]
            assert not sections[0].doubtful
            buffers = [section.head(message) for section in buffer_sections(message)]
            assert buffers == list(message.buffers)


def test_info_says_how_they_were_encoded(carried: Path) -> None:
    printed = shown("info", carried)
    found = re.search(r"^encoding +(.*)$", printed, re.MULTILINE)
    assert found is not None
    assert "WebSocket v1: " in found[1] or "WebSocket text: " in found[1]
    assert json.loads(shown("info", "--json", carried))["encodings"]


@pytest.mark.parametrize("subprotocol", [None, "v1.kernel.websocket.jupyter.org"])
@pytest.mark.parametrize("size", [MIB, 3 * MIB, 9 * MIB])
@pytest.mark.parametrize("buffers", [[], [b"x" * 3 * MIB, b"y"]])
def test_large_messages(
    subprotocol: str | None, size: int, buffers: list[bytes], tmp_path: Path
) -> None:
    """Their bytes go on in other entries, and with them what says what they are."""
    request = {"msg_id": "1", "msg_type": "execute_request"}
    reply = {"msg_id": "2", "msg_type": "execute_reply"}
    content = {"text": "z" * size, "status": "error"}
    payload, text = pack("shell", reply, request, {}, content, buffers, subprotocol)
    if text:  # as clients do that write the names in their order
        payload = json.dumps(json.loads(payload), sort_keys=True).encode()
    encoding = encoding_of(text=text, subprotocol=subprotocol)
    asked, its_text = pack("shell", request, {}, {}, {}, [], subprotocol)
    path = tmp_path / "large.kspy"
    with Writer(path) as writer:
        its = encoding_of(text=its_text, subprotocol=subprotocol)
        writer.write(START_NS, "shell", "to_kernel", [asked], encoding=its)
        writer.write(START_NS, "shell", "to_client", [payload], encoding=encoding)
    cut = tmp_path / "cut.kspy"
    with kspy.open(path) as recording:
        known = columns(recording)
        cut.write_bytes(path.read_bytes()[: recording.size - 40])
        message = recording[1]
        assert (message.msg_type, message.flags) == ("execute_reply", ())
        assert list(message.buffers) == buffers
        assert [message.buffer_head(n, 2) for n in range(len(buffers))] == [b"xx", b"y"][
            : len(buffers)
        ]
        assert items("text:zzz", grown(recording)) == [1]
        assert items("is:error", grown(recording)) == [1]
    with kspy.open(cut) as recording:
        assert columns(recording) == known == (
            ["execute_request", "execute_reply"], [0, 1], [0, 2], [0, 8]
        )  # fmt: skip
