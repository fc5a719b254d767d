"""Frames of a message, sorted by their meaning."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kspy.wire.frames import CHANNELS, DELIMITER, DIRECTIONS, split
from kspy.wire.message import ROUTES

BODY = [b"signature", b"header", b"parent", b"metadata", b"content"]
some_frames = st.lists(st.binary(max_size=20) | st.just(DELIMITER), max_size=12)
identities = st.lists(st.binary(max_size=20).filter(lambda frame: frame != DELIMITER), max_size=4)


def test_a_message() -> None:
    parts = split([b"identity", DELIMITER, *BODY, b"buffer 0", b"buffer 1"])
    assert parts is not None
    assert parts.identities == [b"identity"]
    assert parts.signature == b"signature"
    assert parts.header == b"header"
    assert parts.parent_header == b"parent"
    assert parts.metadata == b"metadata"
    assert parts.content == b"content"
    assert parts.buffers == [b"buffer 0", b"buffer 1"]


def test_no_message() -> None:
    assert split([]) is None
    assert split([b"ping"]) is None
    assert split([DELIMITER]) is None
    assert split([b"identity", DELIMITER, *BODY[:-1]]) is None
    assert split(BODY) is None


@given(some_frames)
def test_split_never_raises_and_loses_nothing(frames: list[bytes]) -> None:
    parts = split(frames)
    if parts is not None:
        body = [parts.signature, parts.header, parts.parent_header, parts.metadata, parts.content]
        assert [*parts.identities, DELIMITER, *body, *parts.buffers] == frames


@given(identities, some_frames)
def test_the_first_delimiter_counts(before: list[bytes], buffers: list[bytes]) -> None:
    parts = split([*before, DELIMITER, *BODY, *buffers])
    assert parts is not None
    assert (parts.identities, parts.buffers) == (before, buffers)


def test_every_route_has_its_own_byte() -> None:
    assert set(ROUTES) == {(channel, to) for channel in CHANNELS for to in DIRECTIONS}
    assert len(set(ROUTES.values())) == len(ROUTES)
