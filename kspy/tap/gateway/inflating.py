"""Decompress the messages of one direction of a WebSocket connection (RFC 7692).

The extension of `websockets` stops at a block that says it is the last (BFINAL), which the RFC
allows in any place (sections 7.2.1 and 7.2.3.4), and gives nothing from there on. Pure.
"""

from __future__ import annotations

import sys
import zlib
from dataclasses import replace
from typing import Final

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.extensions import Extension
from websockets.frames import Frame, Opcode
from websockets.typing import ExtensionName

_WINDOW: Final = 1 << 15
_TAIL: Final = b"\x00\x00\xff\xff"
_STREAMS: Final = 100
"""Blocks that end a stream in a frame: two bytes can be one, and each is some work."""
_DATA: Final = (Opcode.TEXT, Opcode.BINARY)


class Inflating(Extension):
    """`keeps`: a message may refer to what was in those before it (context takeover)."""

    name = ExtensionName("permessage-deflate")

    def __init__(self, *, keeps: bool) -> None:
        self._keeps = keeps
        self._compressed = False
        self._window = b""
        self._begin()

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        """The frame as it was before. Raises `ProtocolError` and `PayloadTooBig`."""
        if frame.opcode in _DATA:
            self._compressed = frame.rsv1
            if frame.rsv1 and not self._keeps:
                self._window = b""
                self._begin()
        elif frame.opcode is not Opcode.CONT or frame.rsv1:
            return frame
        if not self._compressed:
            return frame
        limit = sys.maxsize - 1 if max_size is None else max_size
        try:
            data = self._inflate(bytes(frame.data), limit)
            if frame.fin and not self._at_start:
                data += self._inflate(_TAIL, limit - len(data))
        except zlib.error as error:
            raise ProtocolError("decompression failed") from error
        return replace(frame, data=data, rsv1=False)

    def _begin(self) -> None:
        self._decoder = zlib.decompressobj(-zlib.MAX_WBITS, zdict=self._window)
        self._at_start = True

    def _inflate(self, data: bytes, limit: int) -> bytes:
        pieces: list[bytes] = []
        left = limit
        for _ in range(_STREAMS):
            if not data:
                return b"".join(pieces)
            self._at_start = False
            piece = self._decoder.decompress(data, left + 1)
            left -= len(piece)
            if left < 0 or self._decoder.unconsumed_tail:
                raise PayloadTooBig(None, limit)
            pieces.append(piece)
            self._window = (self._window + piece[-_WINDOW:])[-_WINDOW:]
            data = self._decoder.unused_data
            if self._decoder.eof:
                self._begin()
        raise ProtocolError("a frame of too many deflate streams")
