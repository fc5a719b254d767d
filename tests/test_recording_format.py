"""The file as docs/format.md says: read here without any of kspy's own code."""

from __future__ import annotations

import re
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import IDENT, Happened, Said, chunk_content, end, entry, only_messages, read, write

import kspy
from kspy.errors import KspyError
from kspy.recording.format import (
    decode_end,
    decode_envelope,
    decode_header,
    decompress,
    encode_entry,
    encode_header,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SPECIFICATION = Path(__file__).parent.parent / "docs" / "format.md"
TINY = Said(1_795_208_400_000_000_000, "hb", "to_kernel", [b"ping"], client=1)
BUFFER = Said(9, "iopub", "to_client", [b"topic", bytes(range(256)) * 40_000, b""], flags=1)
STORIES: list[list[Said | Happened]] = [
    [TINY, Happened(7, "kernel_died", {"signal": 9})],
    [TINY, BUFFER, TINY],
]


# A reader made from docs/format.md alone


def columns(packed: bytes, code: str) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // struct.calcsize(code)}{code}", packed)


def mini_reader(path: Path) -> Iterator[tuple[Any, ...]]:
    """Every message: seq, time, channel, to the client?, frames, client, flags."""
    header, *found = msgpack.Unpacker(path.open("rb"), raw=False)
    assert header["kspy"] == 1
    contents = [
        (kind, msgpack.unpackb(zstd.decompress(payload)))
        for kind, ident, payload in found
        if kind in ("chunk", "more") and ident == header["id"]
    ]
    for place, (kind, chunk) in enumerate(contents):
        if kind == "more":
            continue
        data = chunk["data"]
        for kind_after, more in contents[place + 1 :]:
            if kind_after != "more":
                break
            assert more["at"] == len(data)
            data += more["data"]
        time, at = chunk["time"], 0
        lengths = iter(columns(chunk["lengths"], "Q"))
        counts, clients = columns(chunk["counts"], "I"), columns(chunk["clients"], "H")
        for number, step in enumerate(columns(chunk["steps"], "q")):
            time += step
            frames = []
            for _ in range(counts[number]):
                length = next(lengths)
                frames.append(data[at : at + length])
                at += length
            route = chunk["routes"][number]
            channel = ("shell", "iopub", "stdin", "control", "hb")[route & 7]
            to = "to_client" if route & 8 else "to_kernel"
            seq, flags = chunk["seq"] + number, chunk["flags"][number]
            yield seq, time, channel, to, frames, clients[number], flags


def test_the_specification_is_enough_to_read_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "session.kspy"
    told = write(path, STORIES)
    assert list(mini_reader(path)) == only_messages(told)


def test_msgpack_alone_walks_from_the_first_byte_to_the_last(tmp_path: Path) -> None:
    path = tmp_path / "session.kspy"
    write(path, STORIES)
    walked = msgpack.Unpacker()
    walked.feed(path.read_bytes())
    header, *found = walked
    assert walked.tell() == path.stat().st_size
    assert (header["kspy"], header["kernel_name"], len(header["id"])) == (1, "test", 8)
    kinds = [kind for kind, _, _ in found]
    assert kinds == ["chunk", "chunk", "more", "more", "more", "chunk", "index", "end"]
    assert {ident for _, ident, _ in found} == {header["id"]}


def test_header_and_end_are_where_the_specification_says(tmp_path: Path) -> None:
    path = tmp_path / "session.kspy"
    write(path, STORIES)
    data = path.read_bytes()
    at = data.index(b"crc32") + 5
    assert data[at] == 0xCE
    assert int.from_bytes(data[at + 1 : at + 5], "big") == zlib.crc32(data[:at])
    index, seq, crc = struct.unpack("<QQI", data[-20:])
    assert data[-37:-34] == b"\x93\xa3e"
    assert data[index:].startswith(b"\x93\xa5index\xc4\x08")
    assert seq == 4
    assert crc == zlib.crc32(data[-20:-4])


def tiny_file() -> bytes:
    """The file in the specification: a header, a chunk with one heartbeat, an end."""
    content = msgpack.packb(
        {
            **chunk_content(0, [4], b"ping"),
            "time": TINY.time_ns,
            "routes": b"\x04",
            "clients": b"\x01\x00",
        }
    )
    block = (len(content) << 3 | 1).to_bytes(3, "little") + content  # the last, not compressed
    checksum = zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})[-4:]
    payload = b"\x28\xb5\x2f\xfd\x24" + bytes([len(content)]) + block + checksum
    header = encode_header({"created": "2026-11-20T21:00:00Z"}, IDENT)
    return header + encode_entry("chunk", IDENT, payload) + end(0, 1)


def test_the_tiny_file_of_the_specification(tmp_path: Path) -> None:
    section = SPECIFICATION.read_text().split("## A tiny file")[1]
    lines = re.findall(r"^    ([0-9a-f]{4})  ((?:[0-9a-f]{2} ?)+)", section, re.MULTILINE)
    pieces = [bytes.fromhex(text) for _, text in lines]
    sums = [sum(map(len, pieces[:number])) for number in range(len(pieces))]
    assert [int(offset, 16) for offset, _ in lines] == sums
    assert b"".join(pieces) == tiny_file()
    path = tmp_path / "tiny.kspy"
    path.write_bytes(b"".join(pieces))
    assert read(path) == list(mini_reader(path)) == [(0, *TINY)]
    with kspy.open(path) as recording:
        assert recording.state == "whole"
        assert recording.metadata == {"kspy": 1, "created": "2026-11-20T21:00:00Z"}


def test_what_is_not_known_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "future.kspy"
    chunk = {**chunk_content(0, [4], b"ping"), "colours": [{"new": b""}], "x": None}
    path.write_bytes(
        encode_header({"tomorrow": {"a": 1}}, IDENT)
        + encode_entry("thumbnail", IDENT, b"this is no zstd frame")
        + entry("chunk", chunk)
        + encode_entry("z", IDENT, b"")
        + entry("chunk", {**chunk, "seq": 1})
        + end(0, 2)
    )
    assert [story[0] for story in read(path)] == [0, 1]
    with kspy.open(path) as recording:
        assert recording.metadata["tomorrow"] == {"a": 1}
        assert (len(recording), recording.events, recording.state) == (2, [], "whole")


def test_a_newer_major_version_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "newer.kspy"
    header = encode_header({}, IDENT).replace(b"\xa4kspy\x01", b"\xa4kspy\x02")
    path.write_bytes(header[:-4] + zlib.crc32(header[:-5]).to_bytes(4, "big"))
    with pytest.raises(KspyError, match=r"newer\.kspy: written by a newer kspy .*upgrade"):
        kspy.open(path)


# Pure functions never raise


@given(st.binary(max_size=100))
def test_reading_functions_never_raise(junk: bytes) -> None:
    assert decode_header(junk) is None or junk[0] >> 4 == 8 or junk[0] in (0xDE, 0xDF)
    assert decode_envelope(junk, IDENT) is None
    assert decompress(junk) is None
    assert decode_end(junk) is None


@given(st.binary(max_size=60))
def test_what_follows_a_mark_never_raises(junk: bytes) -> None:
    envelope = decode_envelope(b"\x93\xa5chunk\xc4\x08" + IDENT + junk, IDENT)
    assert envelope is None or (envelope.kind == "chunk" and envelope.start <= envelope.stop)


@given(st.binary(max_size=200))
def test_contents(junk: bytes) -> None:
    content = {"a": junk}
    frame = entry("chunk", content)
    envelope = decode_envelope(frame, IDENT)
    assert envelope is not None
    payload = frame[envelope.start : envelope.stop]
    assert decompress(payload) == content
    assert decompress(payload[:-1]) is None
    assert zstd.get_frame_info(payload).decompressed_size == len(msgpack.packb(content))
