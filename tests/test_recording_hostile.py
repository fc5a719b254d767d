"""Files made to hurt: they cost a bounded amount of memory, and end in a KspyError at most."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgpack
import pytest
from recorded import IDENT, chunk_content, end, entry, only_messages, read_everything

import kspy
from kspy.errors import KspyError
from kspy.recording.format import CONTENT_LIMIT, encode_entry, encode_header
from kspy.recording.index import Columns
from kspy.recording.writer import Writer

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HEADER = encode_header({}, IDENT)
PING = {**chunk_content(0, [4], b"ping"), "routes": b"\x04"}
OTHER = {**PING, "seq": 1}

LIMITED = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import recorded
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
limit = used + 400 * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
print(*(story[0] for story in recorded.read_everything(Path(sys.argv[1]))))
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def bomb(kind: str, content: bytes, claim: int | None = None) -> bytes:
    """An entry of zeros or the like; it may claim another size than it has."""
    payload = zstd.compress(content)
    if claim is not None:  # a frame header with a size of eight bytes, and one raw block
        payload = b"\x28\xb5\x2f\xfd\xe0" + claim.to_bytes(8, "little") + b"\x01\x00\x00"
    return encode_entry(kind, IDENT, payload)


def things(kind: bytes, n: int) -> bytes:
    """A map of one unknown key, with an array of `n` times the same byte."""
    return b"\x81\xa1x\xdd" + n.to_bytes(4, "big") + kind * n


def more(seq: int, at: int, data: bytes) -> bytes:
    return entry("more", {"seq": seq, "at": at, "data": data})


def long_message(length: int) -> bytes:
    return entry("chunk", {**chunk_content(1, [length], b""), "flags": b"\x00"})


FULL = CONTENT_LIMIT - 100
BOMBS = {
    "claims terabytes": bomb("chunk", b"", claim=1 << 42),
    "claims everything": bomb("chunk", b"", claim=(1 << 64) - 1),
    "a gigabyte of zeros": bomb("chunk", bytes(1 << 30)),
    "says no size": encode_entry("chunk", IDENT, zstd.ZstdCompressor().compress(bytes(1 << 28))),
    "sixteen million maps": bomb("chunk", things(b"\x80", FULL)),
    "sixteen million arrays": bomb("index", things(b"\x90", FULL)),
    "arrays of four billion": bomb("chunk", b"\x81\xa1x" + b"\xdd\xff\xff\xff\xff" * 1000),
    "arrays that claim what they could hold": bomb(
        "chunk", b"\x81\xa1x" + b"\xdd\x00\x0f\xff\xff" * 900 + bytes(1 << 20)
    ),
    "a frame of 2^60 bytes": long_message(1 << 60),
    "frames whose sum overflows": entry("chunk", chunk_content(1, [(1 << 64) - 1] * 3, b"x" * 4)),
    "two million empty frames": entry(
        "chunk",
        {
            **chunk_content(1, [0], b""),
            "counts": b"\x00\x00\x1e\x00",
            "lengths": bytes(0x1E0000 * 8),
        },
    ),
    "an entry of four gigabytes": b"\x93\xa5chunk\xc4\x08" + IDENT + b"\xc6\xff\xff\xff\xff",
    "pieces without a message": more(1, 0, bytes(FULL - 100)) * 20,
    "marks and nothing else": (b"\x93\xa5chunk\xc4\x08" + IDENT + b"\xc4\x09") * 10_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bomb.kspy"
    path.write_bytes(
        HEADER + entry("chunk", PING) + BOMBS[name] + entry("chunk", {**PING, "seq": 9})
    )
    limited = subprocess.run(
        [sys.executable, "-c", LIMITED, path, Path(__file__).parent],
        capture_output=True,
        text=True,
        check=False,
    )
    assert limited.stderr == ""
    *found, most_kibibytes = map(int, limited.stdout.split())
    assert most_kibibytes < 400 * 1024
    assert len(found) >= 3  # both pings, and the gap or the message between them
    assert {0, 9} <= set(found)


def test_a_message_of_gigabytes_of_zeros_is_told_apart_without_unpacking_it(tmp_path: Path) -> None:
    path = tmp_path / "long.kspy"
    pieces = 130
    size = (4 << 20) * pieces
    frames = [b"<IDS|MSG>", b"", b'{"msg_type":"comm_msg"}', b"{}", b"{}", b"{}"]
    lengths = [*map(len, frames), size]
    chunk: dict[str, Any] = {
        **chunk_content(0, lengths, b"".join(frames)),
        "steps": bytes(8),
        "routes": b"\x01",
        "clients": bytes(2),
        "flags": b"\x00",
        "counts": b"\x07\x00\x00\x00",
    }
    at = len(chunk["data"])
    rest = [more(0, at + (place << 22), bytes(4 << 20)) for place in range(pieces)]
    path.write_bytes(HEADER + entry("chunk", chunk) + b"".join(rest) + end(0, 1))
    assert path.stat().st_size < 200_000
    code = (
        LIMITED.split("print")[0]
        + """
import kspy
with kspy.open(sys.argv[1]) as recording:
    message = recording[0]
    print(message.msg_type, message.flags, message.buffer_sizes[0])
"""
    )
    limited = subprocess.run(
        [sys.executable, "-c", code, path, Path(__file__).parent], capture_output=True, check=True
    )
    assert limited.stdout.decode() == f"comm_msg () {size}\n"


# Chunks and indexes that contradict themselves


@pytest.mark.parametrize(
    "wrong",
    [
        {"seq": -1},
        {"seq": 1 << 63},
        {"seq": True},
        {"time": -1},
        {"time": (1 << 62) - 1, "steps": b"\xff" * 7 + b"\x7f"},
        {"steps": b""},
        {"steps": bytes(7)},
        {"routes": b"\x05"},
        {"routes": b"\x10"},
        {"routes": "shell"},
        {"clients": bytes(4)},
        {"flags": b""},
        {"counts": b"\xff\xff\xff\xff"},
        {"lengths": bytes(8)},
        {"lengths": None},
        {"data": b"pingpong"},
        {"events": [{"at": 2, "time": 0, "event": "x", "data": {}}]},
        {"events": [{"at": 0, "time": 0, "event": 7, "data": {}}]},
        {"events": [7]},
        {"events": {}},
    ],
    ids=str,
)
def test_a_chunk_that_contradicts_itself_is_lost_alone(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    path = tmp_path / "wrong.kspy"
    path.write_bytes(HEADER + entry("chunk", {**PING, **wrong}) + entry("chunk", OTHER) + end(0, 2))
    gap, told = read_everything(path)
    assert gap[2] == "gap"
    assert told[0] == 1


def honest(**changes: Any) -> Columns:
    columns = Columns()
    first = len(HEADER)
    columns.offsets.extend((first, first + len(entry("chunk", PING))))
    columns.seqs.extend((0, 1))
    columns.sums.extend((1, 1))
    columns.times.extend((1, 1))
    columns.routes += b"\x04\x04"
    columns.clients.extend((0, 0))
    columns.flags += bytes(2)
    columns.types.extend((0, 0))
    columns.names = [""]
    columns.parents.extend((0, 0))
    columns.sizes.extend((4, 4))
    for name, values in changes.items():
        column = getattr(columns, name)
        column[:] = type(column)(column.typecode, values) if name in ARRAYS else values
    return columns


ARRAYS = ("offsets", "seqs", "sums", "clients", "types", "parents", "sizes", "times")
LIES: list[dict[str, Any]] = [
    {"offsets": (0, 1)},
    {"offsets": (5, 5)},
    {"offsets": (1 << 40, 1 << 41)},
    {"offsets": (1 << 62, (1 << 63) - 1)},
    {"offsets": (1 << 63, (1 << 64) - 1)},
    {"seqs": (1, 0)},
    {"seqs": (0, (1 << 64) - 1)},
    {"sums": (2, 0)},
    {"sums": (0, 2)},
    {"sums": (9, 9)},
    {"routes": b"\x07\x07"},
    {"types": (0, 9)},
    {"names": []},
    {"parents": (7, (1 << 32) - 1)},
    {"parents": (0, 1)},
    {"parents": (0, 1), "routes": b"\x04\x00"},
]


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_an_index_that_lies(tmp_path: Path, lie: dict[str, Any]) -> None:
    path = tmp_path / "lie.kspy"
    data = HEADER + entry("chunk", PING) + entry("chunk", OTHER)
    index = entry("index", dict(honest(**lie).encode(0)))
    path.write_bytes(data + index + end(len(data), 2))
    assert [story[0] for story in read_everything(path)] == [0, 1]
    with kspy.open(path) as recording:
        assert [recording[place].seq for place in range(2)] == [0, 1]


@pytest.mark.parametrize("previous", [-1, 1 << 63, "x", None, 10, (1 << 64) - 1], ids=str)
def test_an_index_whose_chain_leads_nowhere(tmp_path: Path, previous: Any) -> None:
    path = tmp_path / "chain.kspy"
    data = HEADER + entry("chunk", PING) + entry("chunk", OTHER)
    index = entry("index", {**honest().encode(0), "previous": previous})
    for offset in (len(data), (1 << 64) - 1, 1 << 63, 1):
        path.write_bytes(data + index + end(offset, 2))
        assert [story[0] for story in read_everything(path)] == [0, 1]
        with kspy.open(path) as recording:
            assert len(recording) == 2


@pytest.mark.parametrize("extra", [{b"\xff": 1}, {7: {}}, {"id": b""}, {"kspy": "1"}, {"a": [[]]}])
def test_odd_headers(tmp_path: Path, extra: dict[Any, Any]) -> None:
    path = tmp_path / "odd.kspy"
    path.write_bytes(encode_header(extra, IDENT) + entry("chunk", PING) + end(0, 1))
    if extra == {"kspy": "1"}:
        with pytest.raises(KspyError, match="newer"):
            kspy.open(path)
    else:
        assert [story[0] for story in only_messages(read_everything(path))] == [0]


# Messages made to hurt the one who records them


def test_what_is_no_unicode_can_be_recorded(tmp_path: Path) -> None:
    """JSON can hold half a surrogate pair, and so can a file name."""
    path = tmp_path / "half.kspy"
    half = [b"<IDS|MSG>", b"", rb'{"msg_type":"\ud83d","msg_id":"\ud83d"}', b"{}", b"{}", b"{}"]
    with Writer(path, {"argv": ["\udcff"]}) as writer:
        writer.event(0, "client_identified", {"session": "\ud83d"})
        writer.write(1, "shell", "to_kernel", half)
    with kspy.open(path) as recording:
        assert recording.state == "whole"
        assert recording.metadata["argv"] == ["\\udcff"]
        assert recording.events[0].data == {"session": "\\ud83d"}
        assert recording[0].msg_type == "\ud83d"
        assert recording.columns.names == ["\\ud83d"]


def test_more_clients_than_there_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "clients.kspy"
    with Writer(path) as writer:
        for client in (65_535, 65_536, 1 << 40):
            writer.write(1, "shell", "to_kernel", [b""], client=client)
    with kspy.open(path) as recording:
        assert [message.client for message in recording] == [65_535, None, None]


def test_absurd_message_types_cost_the_index_only(tmp_path: Path) -> None:
    path = tmp_path / "types.kspy"
    with Writer(path) as writer:
        for number in range(20):
            header = msgpack.packb({"msg_type": f"{number}" + "x" * 1_000_000})
            writer.write(number, "shell", "to_kernel", [b"<IDS|MSG>", b"", header, b"", b"", b""])
    with kspy.open(path) as recording:
        assert (recording.state, len(recording), recording.events) == ("whole", 20, [])
        assert recording[19].msg_type.startswith("19x")


def test_many_and_large_events_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "events.kspy"
    with Writer(path) as writer:
        for number in range(40):
            writer.event(number, "large", {"data": bytes(1_000_000)})
        for number in range(20_000):
            writer.event(number, "small", {"address": "tcp://127.0.0.1:54321"})
        writer.event(1, "absurd", {"data": bytes(20_000_000)})
    with kspy.open(path) as recording:
        assert (recording.state, len(recording.events)) == ("whole", 20_041)
        assert recording.events[-1].data["left_out"] > 20_000_000
        assert recording.state == "whole"


def test_a_message_of_too_many_frames_is_lost_alone_and_said(tmp_path: Path) -> None:
    path = tmp_path / "frames.kspy"
    errors: list[str | None] = []
    with Writer(path, on_error=errors.append) as writer:
        writer.write(1, "hb", "to_kernel", [b"before"])
        writer.write(2, "shell", "to_kernel", [b""] * 1_000_000)
        writer.write(3, "shell", "to_kernel", [b""] * 3_000_000)
        writer.write(4, "hb", "to_kernel", [b"after"])
    assert writer.lost == 1
    assert errors[-1] is None
    with kspy.open(path) as recording:
        assert [message.seq for message in recording] == [0, 1, 3]
        assert [event.data["lost"] for event in recording.events] == [1]
