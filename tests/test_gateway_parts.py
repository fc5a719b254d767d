"""Frames of every kind are read as what they say; a disk that is too slow leaves a counted gap."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tapping import wait_for
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

import kspy
from kspy.recording.event import Event
from kspy.recording.writer import Writer
from kspy.tap.gateway import kernel_file
from kspy.tap.gateway.kernel_file import KernelFile
from kspy.tap.gateway.recorder import Connection, Recorder
from kspy.tap.gateway.web_socket import (
    Closing,
    NotWebSocketError,
    Payload,
    WebSocketReader,
    compression,
)
from kspy.tap.limits import EVERYTHING
from kspy.wire.message import ROUTES

HEADERS = [
    "",
    "permessage-deflate",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; client_max_window_bits=9; server_max_window_bits=10",
]
texts = st.text(max_size=300).map(lambda text: Payload(text.encode(), True))
said = st.lists(texts | st.binary(max_size=300).map(lambda data: Payload(data, False)), max_size=9)


def framed(payload: Payload, cuts: list[int], extensions: list[Any], *, mask: bool) -> bytes:
    """The payload in fragments, with a ping after each."""
    places = sorted({0, len(payload.data), *(cut % (len(payload.data) + 1) for cut in cuts)})
    pieces = [payload.data[start:stop] for start, stop in pairwise(places)] or [b""]
    frames = b""
    for number, piece in enumerate(pieces):
        first = Opcode.TEXT if payload.is_text else Opcode.BINARY
        opcode = Opcode.CONT if number else first
        frame = Frame(opcode, piece, fin=number == len(pieces) - 1)
        frames += frame.serialize(mask=mask, extensions=extensions)
        frames += Frame(Opcode.PING, b"are you there").serialize(mask=mask)
    return frames


@pytest.mark.parametrize("header", HEADERS)
@given(
    payloads=said,
    cuts=st.lists(st.integers(0, 300), max_size=3),
    mask=st.booleans(),
    step=st.integers(1, 99),
)
def test_payloads_come_out_as_they_went_in(
    header: str, payloads: list[Payload], cuts: list[int], mask: bool, step: int
) -> None:
    agreed = compression(header)
    assert agreed is not None
    keeps = agreed.client_keeps if mask else agreed.server_keeps
    bits = 15 if "bits" not in header else 9 if mask else 10
    extensions = [PerMessageDeflate(True, not keeps, 15, bits)] if header else []
    stream = b"".join(framed(payload, cuts, extensions, mask=mask) for payload in payloads)
    stream += Frame(Opcode.CLOSE, b"\x0f\xa1bye").serialize(mask=mask)
    reader = WebSocketReader(agreed, from_client=mask)
    found = []
    for at in range(0, len(stream), step):
        found += list(reader.feed(stream[at : at + step]))
    assert found == [*payloads, Closing(4001, "bye")]


@pytest.mark.parametrize(
    "data",
    [b"\x81\x00", b"\xf1\x80abcd", b"\x83\x80abcd", b"\xc1\x84\0\0\0\0\xff\xff\xff\xff",
     b"\x82\xff\x7f" + b"\xff" * 7, b"\x80\x81\0\0\0\0a",
     b"\x01\x81\0\0\0\0a" + b"\x82\x81\0\0\0\0b",
     b"\xc1\xfe\x02\0\0\0\0\0" + b"\x03\0" * 256],
    ids=["unmasked", "reserved bits", "unknown opcode", "not compressed", "exabytes",
         "goes on without a beginning", "begins within another", "countless deflate streams"],
)  # fmt: skip
def test_what_is_no_websocket_is_said_so(data: bytes) -> None:
    agreed = compression("permessage-deflate")
    assert agreed is not None
    with pytest.raises(NotWebSocketError):
        list(WebSocketReader(agreed, from_client=True).feed(data))


def squeezed(data: bytes) -> bytes:
    """A frame that says its data is compressed."""
    frame = Frame(Opcode.BINARY, data).serialize(mask=False)
    return bytes([frame[0] | 0x40]) + frame[1:]


def stream_of(pieces: list[bytes], ends: list[bool], *, sync: bool) -> bytes:
    """A message compressed by RFC 7692 where each piece may end its deflate stream (BFINAL)."""
    data = b""
    for piece, is_last in zip(pieces, ends, strict=True):
        squeezer = zlib.compressobj(wbits=-15)
        data += squeezer.compress(piece)
        data += squeezer.flush(zlib.Z_FINISH if is_last else zlib.Z_SYNC_FLUSH)
    return data.removesuffix(b"\x00\x00\xff\xff") if not ends[-1] else data + b"\0" * sync


@pytest.mark.parametrize("header", HEADERS[1:3])
@given(
    messages=st.lists(
        st.lists(st.tuples(st.binary(max_size=99), st.booleans()), min_size=1, max_size=4),
        max_size=5,
    ),
    sync=st.booleans(),
)
def test_deflate_streams_may_end_anywhere(
    header: str, messages: list[list[tuple[bytes, bool]]], sync: bool
) -> None:
    agreed = compression(header)
    assert agreed is not None
    reader = WebSocketReader(agreed, from_client=False)
    for message in messages:
        pieces, ends = [piece for piece, _ in message], [is_last for _, is_last in message]
        data = stream_of(pieces, ends, sync=sync)
        frame = squeezed(data)
        assert list(reader.feed(frame)) == [Payload(b"".join(pieces), False)]


def test_a_deflate_stream_that_begins_anew_may_refer_to_the_last() -> None:
    agreed = compression("permessage-deflate")
    assert agreed is not None
    reader = WebSocketReader(agreed, from_client=False)
    said = secrets.token_bytes(300)
    for dictionary in (b"", said):
        squeezer = zlib.compressobj(wbits=-15, zdict=dictionary)
        data = squeezer.compress(said) + squeezer.flush(zlib.Z_FINISH) + b"\0"
        frame = squeezed(data)
        assert list(reader.feed(frame)) == [Payload(said, False)]
    assert len(data) < 100


extension_like = st.lists(
    st.sampled_from(
        ["permessage-deflate", "x-webkit-deflate-frame", "server_no_context_takeover",
         "client_no_context_takeover", "server_max_window_bits", "=", "10", '"15"', '"', ";", ",",
         " ", "\t", "\\", "\x7f", "é"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(extension_like | st.text())
@example("permessage-deflate;server_no_context_takeover")
@example("permessage-deflate, permessage-deflate")
def test_whatever_a_server_says_of_extensions(header: str) -> None:
    agreed = compression(header)
    if agreed is None:
        assert header
        return
    assert bool(agreed.text) == bool(header)
    assert agreed.text.split(";")[0] == ("permessage-deflate" if header else "")
    assert agreed.server_keeps == ("server_no_context_takeover" not in header)
    assert agreed.client_keeps == ("client_no_context_takeover" not in header)
    assert header.count("permessage-deflate") == bool(header)


@given(st.binary(max_size=400), st.integers(1, 50))
def test_whatever_bytes_come_the_reader_says_so_or_goes_on(data: bytes, step: int) -> None:
    agreed = compression("permessage-deflate")
    assert agreed is not None
    reader = WebSocketReader(agreed, from_client=False)
    with contextlib.suppress(NotWebSocketError):
        for at in range(0, len(data), step):
            list(reader.feed(data[at : at + step]))


def test_a_disk_that_is_too_slow_makes_a_counted_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_file, "WAITING_LIMIT", 3 << 20)
    path = tmp_path / "slow.kspy"
    stuck = threading.Event()

    def wait() -> None:
        stuck.wait()

    file = KernelFile(Writer(path, on_start=wait))
    route = ROUTES["iopub", "to_client"]
    payload = bytes(1 << 20)
    for number in range(60):
        file.message(number, route, payload, 1, 0)
    file.event(60, "kernel_interrupted", {})
    stuck.set()
    while file.writer.behind:
        pass
    file.tick(61)
    file.message(62, route, b"last", 1, 0)
    file.close()
    with kspy.open(path) as recording:
        stories = list(recording.stories())
        (gap,) = (one for one in stories if isinstance(one, Event) and one.name == "gap")
        times = [one.time_ns for one in stories if not isinstance(one, Event)]
    assert gap.data["lost"] == file.lost > 0
    assert len(times) + file.lost == 61
    assert times == [*range(60 - file.lost), 62]
    after = stories[stories.index(gap) + 1 :]
    assert [one.time_ns for one in after] == [60, 62]


class Tapped:
    """A recorder at a time that a test sets, and a WebSocket."""

    def __init__(self, folder: Path) -> None:
        self.now = time.time_ns()
        self.folder = folder
        self.connection = Connection("0123abcd-ef", "session", "here", "", "")
        self.looked = 0
        self.recorder = Recorder(folder, EVERYTHING, lambda *_: {}, self._look, print)
        self.recorder.start()

    def _look(self) -> int:
        self.looked += 1
        return self.now

    def pass_time(self) -> None:
        """Until long after, and until the recorder has seen that."""
        self.now += kernel_file.IDLE_NS + 1
        enough = self.looked + 3
        wait_for(lambda: self.looked >= enough, "the recorder")

    def say(self, text: bytes) -> None:
        frame = Frame(Opcode.TEXT, text).serialize(mask=False)
        self.recorder.passed(self.connection, frame, to_client=True)

    def stories(self, state: str) -> list[list[str]]:
        """Wait until all files are in such a state; what each tells."""

        def look() -> list[list[str]] | None:
            found, states = [], []
            for path in self.folder.iterdir():
                if not path.stat().st_size:
                    return None  # it has only just been made
                with kspy.open(path) as recording:
                    states.append(recording.state)
                    found.append(
                        [
                            one.name if isinstance(one, Event) else one.frames[0].decode()
                            for one in recording.stories()
                        ]
                    )
            return found if set(states) == {state} else None

        return wait_for(look, f"a recording that is {state}")


@pytest.mark.parametrize("is_deleted", [False, True], ids=["culled", "deleted"])
def test_the_file_of_a_kernel_that_nobody_uses_is_closed(tmp_path: Path, is_deleted: bool) -> None:
    tapped = Tapped(tmp_path)
    recorder = tapped.recorder
    recorder.opened(tapped.connection, "python3")
    tapped.say(b"one")
    if is_deleted:  # and its WebSocket stays open
        recorder.happened(tapped.connection.kernel_id, "kernel_shut_down")
    else:
        recorder.ended(tapped.connection, "server")
    assert tapped.stories("growing")
    tapped.pass_time()
    over = "kernel_shut_down" if is_deleted else "client_disconnected"
    first = ["tap_started", "client_connected", "one", over, "tap_stopped"]
    assert tapped.stories("whole") == [first]
    if not is_deleted:
        recorder.opened(tapped.connection, "python3")
    tapped.say(b"two")
    recorder.ended(tapped.connection, "client")
    recorder.stop("asked")
    second = ["tap_started", "client_connected", "two", "client_disconnected", "tap_stopped"]
    assert sorted(tapped.stories("whole")) == sorted([first, second])
    assert not recorder.failed


def test_the_file_of_a_kernel_that_a_client_is_connected_to_stays_open(tmp_path: Path) -> None:
    tapped = Tapped(tmp_path)
    tapped.recorder.opened(tapped.connection, "python3")
    tapped.say(b"one")
    assert tapped.stories("growing")
    tapped.pass_time()
    tapped.say(b"two")
    tapped.recorder.stop("asked")
    told = ["tap_started", "client_connected", "one", "two", "tap_stopped"]
    assert tapped.stories("whole") == [told]
