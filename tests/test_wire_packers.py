"""Dictionaries of a message, from JSON or msgpack; and signatures."""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import msgpack
import pytest
from conversation import SESSION, serialize
from hypothesis import given
from hypothesis import strategies as st

from kspy.wire.frames import DELIMITER
from kspy.wire.packers import ITEM_LIMIT, decode, decode_header, unpack
from kspy.wire.signature import SignatureChecker

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
dictionaries = st.dictionaries(st.text(), values, max_size=5)


@given(dictionaries)
def test_json(value: dict[str, Any]) -> None:
    frame = json.dumps(value).encode()
    assert decode(frame) == (value, "json")
    assert decode_header(frame) == value


@given(dictionaries)
def test_msgpack(value: dict[str, Any]) -> None:
    frame = msgpack.packb(value)
    assert decode(frame) == (value, "msgpack")
    assert decode_header(frame) == value


@given(st.binary(max_size=200))
def test_decoding_never_raises(frame: bytes) -> None:
    decoded = decode(frame)
    assert decoded is None or isinstance(decoded.value, dict)
    header = decode_header(frame)
    assert header is None or isinstance(header, dict)


@pytest.mark.parametrize("frame", [b"", b"[]", b"1", b"null", b"\x90", b"\xc0", b'{"a":', b"\x81"])
def test_what_is_no_dictionary_is_nothing(frame: bytes) -> None:
    assert decode(frame) is None
    assert decode_header(frame) is None


def test_numbers_survive() -> None:
    decoded = decode(b'{"large": 123456789012345678901234567890, "odd": NaN}')
    assert decoded is not None
    assert decoded.value["large"] == 123456789012345678901234567890
    assert math.isnan(decoded.value["odd"])


def test_pickle_is_never_loaded() -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return pytest.fail, ("a pickle was loaded",)

    assert decode(pickle.dumps({"bomb": Bomb()})) is None


@pytest.mark.parametrize(
    "frame",
    [
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"\x81\xa1a" + b"\x91" * 100_000,
        b'{"a": ' + b"9" * 100_000 + b"}",
    ],
)
def test_what_is_too_deep_or_too_long_is_nothing(frame: bytes) -> None:
    assert decode(frame) is None
    assert decode_header(frame) is None or frame.endswith(b"9}")


def test_a_small_frame_of_millions_of_empty_things_is_nothing() -> None:
    """They would take a hundred times the room as objects."""
    n = ITEM_LIMIT + 1
    assert decode(b'{"a": [' + b"{}," * n + b"{}]}") is None
    assert decode(b"\x81\xa1a\xdd" + n.to_bytes(4, "big") + b"\x80" * n) is None
    half = (n // 2).to_bytes(4, "big") + b"\x90" * (n // 2)
    assert decode(b"\x82\xa1a\xdd" + half + b"\xa1b\xdd" + half) is None
    assert unpack(b"\x93\x01\x02\x03", limit=3) is None
    assert unpack(b"\x93\x01\x02\x03", limit=4) == [1, 2, 3]


def signed() -> tuple[list[bytes], int]:
    _, frames = serialize("kernel_info_request", {})
    return frames, frames.index(DELIMITER)


def test_signatures_of_jupyter_client_are_right() -> None:
    check = SignatureChecker(SESSION.key, SESSION.signature_scheme)
    frames, at = signed()
    assert check(frames, at)
    assert check([*frames, b"a buffer is not signed"], at)


@pytest.mark.parametrize("place", range(1, 6))
def test_a_changed_frame_is_found(place: int) -> None:
    check = SignatureChecker(SESSION.key)
    frames, at = signed()
    frames[at + place] += b" "
    assert not check(frames, at)


def test_an_empty_key_turns_signing_off() -> None:
    assert SignatureChecker(b"")([DELIMITER, b"", b"", b"", b"", b""], 0)


def test_an_unknown_scheme_is_found_at_once() -> None:
    with pytest.raises(ValueError, match="unsupported"):
        SignatureChecker(b"key", "hmac-nosuch")
