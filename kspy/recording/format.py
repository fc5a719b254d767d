"""The bytes of a `.kspy` file: header, entries, the end. See docs/format.md, which comes first.

Pure: bytes in, bytes or values out. Every function that reads expects hostile bytes and
answers None, never with an exception.
"""

from __future__ import annotations

import re
import struct
import sys
import zlib
from array import array
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgpack

from kspy.wire.packers import unpack

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAJOR: Final = 1
ID_SIZE: Final = 8
CONTENT_LIMIT: Final = 16 << 20
END_SIZE: Final = 37
HEADER_LIMIT: Final = 1 << 20
ENVELOPE_LIMIT: Final = 64
CONTENT_ITEMS: Final = 1 << 20

_END = struct.Struct("<QQ")
_CRC = struct.Struct("<I")
_KIND = rb"\x93([\xa1-\xbf])([a-z]{1,31})\xc4\x08"
_UNICODE_ERRORS: Final = "backslashreplace"
"""Half a surrogate pair, which JSON can hold and file names decode to, is no UTF-8."""

_LEVEL: Final = 1
_ZSTD: Mapping[int, int] = {
    zstd.CompressionParameter.compression_level: _LEVEL,
    zstd.CompressionParameter.checksum_flag: 1,
    zstd.CompressionParameter.content_size_flag: 1,
}


class Envelope(NamedTuple):
    """The outside of an entry; offsets are relative to its first byte."""

    kind: str
    start: int
    stop: int


class End(NamedTuple):
    """Where the last index is (0: nowhere), and the number the next message would have had."""

    index_offset: int
    seq: int


def encode_header(metadata: Mapping[str, Any], ident: bytes) -> bytes:
    fields = {"kspy": MAJOR, "id": ident, **metadata}
    packer = msgpack.Packer(unicode_errors=_UNICODE_ERRORS)
    packed = [packer.pack_map_header(len(fields) + 1)]
    for key, value in fields.items():
        packed += (packer.pack(key), packer.pack(value))
    packed.append(packer.pack("crc32"))
    head = b"".join(packed)
    return head + b"\xce" + struct.pack(">I", zlib.crc32(head))


class Header(NamedTuple):
    metadata: dict[str, Any]
    size: int
    sound: bool


def decode_header(head: bytes) -> Header | None:
    """Read the header at the start of `head`; None where there is none."""
    unpacker = msgpack.Unpacker(max_buffer_size=HEADER_LIMIT, strict_map_key=False)
    unpacker.feed(head[:HEADER_LIMIT])
    try:
        value = unpacker.unpack()
    except Exception:  # msgpack raises half a dozen unrelated types on bad input
        return None
    if not isinstance(value, dict) or "kspy" not in value:
        return None
    size = unpacker.tell()
    crc = value.pop("crc32", None)
    sound = head[size - 5 : size - 4] == b"\xce" and crc == zlib.crc32(head[: size - 5])
    return Header(value, size, sound)


def encode_entry(kind: str, ident: bytes, payload: bytes) -> bytes:
    return bytes(msgpack.packb((kind, ident, payload)))


def decode_envelope(head: bytes, ident: bytes) -> Envelope | None:
    """Read the outside of the entry that `head` begins with."""
    match = re.match(_KIND + re.escape(ident), head)
    if not match or match[1][0] & 0x1F != len(match[2]):
        return None
    at = match.end()
    widths = {0xC4: 1, 0xC5: 2, 0xC6: 4}
    width = widths.get(head[at] if at < len(head) else 0)
    if width is None or at + 1 + width > len(head):
        return None
    start = at + 1 + width
    return Envelope(match[2].decode(), start, start + int.from_bytes(head[at + 1 : start], "big"))


def mark_pattern(ident: bytes | None) -> re.Pattern[bytes]:
    """What to search for when lost; without an id, any entry's mark (the id is group 3)."""
    return re.compile(_KIND + (b"(" + (re.escape(ident) if ident else b".{8}") + b")"), re.DOTALL)


def compress(content: Mapping[str, Any]) -> bytes:
    """The payload for `content`. Raises `ValueError` where no reader would unpack it."""
    packed = pack(content)
    if len(packed) > CONTENT_LIMIT:
        raise ValueError(f"{len(packed)} bytes are too much for one entry")
    return zstd.compress(packed, options=_ZSTD)


def pack(value: Any) -> bytes:
    return bytes(msgpack.packb(value, unicode_errors=_UNICODE_ERRORS))


def decompress(payload: bytes) -> dict[str, Any] | None:
    """The map in a payload, or None. Never unpacks more than `CONTENT_LIMIT`."""
    try:
        size = zstd.get_frame_info(payload).decompressed_size
        if size is None or size > CONTENT_LIMIT:
            return None
        decompressor = zstd.ZstdDecompressor()
        content = decompressor.decompress(payload, max_length=size + 1)
        if not decompressor.eof or len(content) != size:
            return None
    except Exception:  # zstd raises several unrelated types on bad input
        return None
    value = unpack(content, CONTENT_ITEMS)
    return value if isinstance(value, dict) else None


def encode_end(ident: bytes, end: End) -> bytes:
    body = _END.pack(*end)
    return encode_entry("end", ident, body + _CRC.pack(zlib.crc32(body)))


def decode_end(payload: bytes) -> End | None:
    if len(payload) != 20 or _CRC.unpack(payload[16:])[0] != zlib.crc32(payload[:16]):
        return None
    return End(*_END.unpack(payload[:16]))


def pack_array(code: str, values: Any) -> bytes:
    """An array of docs/format.md: little-endian numbers. `code` is one of `array`'s."""
    numbers = array(code, values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def unpack_array(code: str, packed: object, length: int | None = None) -> array[int] | None:
    """The array again; None where `packed` is no such array, or not `length` long."""
    numbers = array(code)
    if not isinstance(packed, bytes) or len(packed) % numbers.itemsize:
        return None
    numbers.frombytes(packed)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers if length is None or len(numbers) == length else None
