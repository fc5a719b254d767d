"""A message as its reader sees it; whatever its bytes are, looking at it never raises."""

from __future__ import annotations

from collections.abc import Sequence

import msgpack
import pytest
from conversation import message, of_frames, serialize
from hypothesis import given
from hypothesis import strategies as st

from kspy.wire.frames import CHANNELS, DELIMITER, DIRECTIONS, Channel, Direction
from kspy.wire.message import DECODE_LIMIT, ROUTES, TRUNCATED, Message

some_frames = st.lists(
    st.binary(max_size=20) | st.sampled_from([DELIMITER, b"{}", b'{"msg_type": 1}', b"\x80"]),
    max_size=12,
)


class Counting:
    """A source of frames that says how often it was asked."""

    def __init__(self, frames: Sequence[bytes], cut: bool = False) -> None:
        self.frames = list(frames)
        self.loads = 0
        self.cut = cut

    def lengths(self, place: int) -> Sequence[int]:
        return [len(frame) for frame in self.frames]

    def load(self, place: int, first: int = 0, stop: int | None = None) -> tuple[list[bytes], bool]:
        self.loads += 1
        return self.frames[first:stop], self.cut

    def piece(self, place: int, frame: int, start: int, stop: int) -> bytes:
        return self.frames[frame][start:stop]


class Vast(Counting):
    """Frames of which some claim to be as long as they like."""

    def __init__(self, frames: Sequence[bytes], claims: Sequence[int]) -> None:
        super().__init__(frames)
        self.claims = claims

    def lengths(self, place: int) -> Sequence[int]:
        return self.claims

    def load(self, place: int, first: int = 0, stop: int | None = None) -> tuple[list[bytes], bool]:
        assert max(self.claims[first:stop]) <= DECODE_LIMIT
        return super().load(place, first, stop)


def test_a_message() -> None:
    seen = message("stream", {"name": "stdout", "text": "hi"}, buffers=[b"abc", b""])
    assert (seen.channel, seen.direction, seen.client) == ("iopub", "to_client", None)
    assert seen.msg_type == seen.header["msg_type"] == "stream"
    assert seen.content == {"name": "stdout", "text": "hi"}
    assert seen.parent_header == {}
    assert (seen.buffers, seen.buffer_sizes) == ([b"abc", b""], [3, 0])
    assert seen.size == sum(map(len, seen.frames))
    assert seen.flags == ()
    assert repr(seen) == f"<Message 0 iopub to_client stream {seen.size} bytes>"


def test_a_parent() -> None:
    request, _ = serialize("execute_request", {})
    _, frames = serialize("execute_reply", {}, request)
    assert of_frames(frames).parent_id == request["header"]["msg_id"]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_routes(channel: Channel, direction: Direction) -> None:
    seen = of_frames([b"x"], channel, direction)
    assert (seen.channel, seen.direction) == (channel, direction)
    assert ROUTES[channel, direction] < 256


def test_frames_are_loaded_once_and_only_when_somebody_looks() -> None:
    source = Counting([DELIMITER, b"", b"{}", b"{}", b"{}", b"{}"])
    seen = Message(0, 0, 0, 0, 0, 0, source)
    assert (seen.size, source.loads) == (17, 0)
    assert (seen.content, seen.flags, source.loads) == ({}, (), 1)


@given(some_frames, st.sampled_from(CHANNELS), st.integers(0, 255))
def test_looking_never_raises(frames: list[bytes], channel: Channel, flags: int) -> None:
    seen = Message(0, 0, ROUTES[channel, "to_kernel"], 0, flags, 0, Counting(frames))
    assert isinstance(seen.msg_type + seen.msg_id + seen.parent_id, str)
    for part in (seen.header, seen.parent_header, seen.metadata, seen.content):
        assert isinstance(part, dict)
    assert len(seen.buffers) == len(seen.buffer_sizes)
    assert all(isinstance(flag, str) for flag in seen.flags)
    assert repr(seen)
    assert seen.frames == frames


def test_flags() -> None:
    _, frames = serialize("status", {})
    assert of_frames(frames[:-1]).flags == ("malformed",)
    assert of_frames([*frames[:-1], b"\xff"]).flags == ("undecodable",)
    assert of_frames([*frames[:-1], msgpack.packb({"a": 1})]).flags == ("msgpack",)
    assert of_frames([b"ping"], "hb").flags == ()
    assert Message(0, 0, 1, 0, 3, 0, Counting(frames)).flags == ("bad_signature", "redelivered")


def test_truncated_by_the_file_or_by_a_file_that_it_was_copied_from() -> None:
    _, frames = serialize("status", {})
    for cut in (Message(0, 0, 1, 0, 0, 0, Counting(frames, cut=True)),
                Message(0, 0, 1, 0, TRUNCATED, 0, Counting(frames))):  # fmt: skip
        assert cut.truncated
        assert cut.flags == ("truncated",)
    assert not of_frames(frames).truncated


def test_strangers_put_anything_into_headers() -> None:
    odd = of_frames([DELIMITER, b"", b'{"msg_type": 7, "msg_id": []}', b"[]", b"{}", b"{}"])
    assert (odd.msg_type, odd.msg_id, odd.parent_id) == ("", "", "")
    assert odd.flags == ("undecodable",)


def test_a_vast_buffer_is_not_loaded_to_see_what_the_message_is() -> None:
    frames = [DELIMITER, b"", b'{"msg_type": "comm_msg"}', b"{}", b"{}", b'{"a": 1}', b"?"]
    seen = Message(0, 0, 1, 0, 0, 0, Vast(frames, [*map(len, frames[:-1]), 1 << 60]))
    assert (seen.msg_type, seen.content, seen.flags) == ("comm_msg", {"a": 1}, ())
    assert seen.buffer_sizes == [1 << 60]


def test_a_vast_dictionary_is_not_decoded() -> None:
    frames = [DELIMITER, b"", b'{"msg_type": "stream"}', b"{}", b"{}", b"?"]
    seen = Message(0, 0, 1, 0, 0, 0, Vast(frames, [*map(len, frames[:-1]), 1 << 60]))
    assert (seen.msg_type, seen.content, seen.flags) == ("stream", {}, ("oversized",))


def test_a_vast_message_of_a_million_frames_is_not_searched() -> None:
    source = Vast([b"123456789"] * 1_000_000, [9] * 999_999 + [1 << 60])
    seen = Message(0, 0, 1, 0, 0, 0, source)
    assert seen.flags == ("malformed",)
    assert source.loads < 100
