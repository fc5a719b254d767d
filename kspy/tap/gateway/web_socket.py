"""Find the messages in one direction of a WebSocket connection (RFC 6455, RFC 7692).

The library `websockets` reads the frames: it unmasks in C, and leaves text as the bytes it was.
Pure.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import NamedTuple

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.headers import parse_extension
from websockets.streams import StreamReader
from websockets.typing import ExtensionParameter

from kspy.tap.gateway.inflating import Inflating
from kspy.wire.websocket import MESSAGE_LIMIT


class NotWebSocketError(Exception):
    """The stream cannot be read on from here; `str(error)` says why."""


class Payload(NamedTuple):
    """A message: its payload without mask and compression, its fragments joined."""

    data: bytes
    is_text: bool


class Closing(NamedTuple):
    """A close frame; 1005 is "no code was given" (RFC 6455, section 7.4.1)."""

    code: int
    reason: str


class Compression(NamedTuple):
    """What the two sides agreed on; `text` says it as they did, other extensions left out."""

    text: str = ""
    server_keeps: bool = True
    client_keeps: bool = True


def compression(header: str) -> Compression | None:
    """What a server's `Sec-WebSocket-Extensions` means; None where it cannot be understood."""
    if not header:
        return Compression()
    try:
        extensions = parse_extension(header)
    except Exception:  # whatever a server may say there
        return None
    if [name for name, _ in extensions] != ["permessage-deflate"]:
        return None
    parameters = extensions[0][1]
    names = {name for name, _ in parameters}
    return Compression(
        "; ".join(["permessage-deflate", *map(_shown, parameters)]),
        server_keeps="server_no_context_takeover" not in names,
        client_keeps="client_no_context_takeover" not in names,
    )


class WebSocketReader:
    """Bytes of one direction in, what they say out."""

    def __init__(self, agreed: Compression, *, from_client: bool) -> None:
        keeps = agreed.client_keeps if from_client else agreed.server_keeps
        self._extensions = [Inflating(keeps=keeps)] if agreed.text else []
        self._from_client = from_client
        self._reader = StreamReader()
        self._frame = self._next_frame()
        self._fragments: list[bytes] = []
        self._open = False
        self._size = 0
        self._is_text = False

    def feed(self, data: bytes) -> Iterator[Payload | Closing]:
        """What is complete with `data`. Raises `NotWebSocketError`."""
        self._reader.feed_data(data)
        while frame := self._read_frame():
            found = self._take(frame)
            if found:
                yield found

    def _next_frame(self) -> Generator[None, None, Frame]:
        return Frame.parse(
            self._reader.read_exact,
            mask=self._from_client,
            max_size=MESSAGE_LIMIT,
            extensions=self._extensions,
        )

    def _read_frame(self) -> Frame | None:
        try:
            next(self._frame)
        except StopIteration as end:
            self._frame = self._next_frame()
            frame: Frame = end.value
            return frame
        except PayloadTooBig as error:
            raise NotWebSocketError(f"a message of more than {MESSAGE_LIMIT:,} bytes") from error
        except ProtocolError as error:
            raise NotWebSocketError(f"no WebSocket frame: {error}") from error
        return None

    def _take(self, frame: Frame) -> Payload | Closing | None:
        if frame.opcode is Opcode.CLOSE:
            return _closing(bytes(frame.data))
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            return None
        if self._open is not (frame.opcode is Opcode.CONT):  # RFC 6455, section 5.4
            what = "begins within another" if self._open else "goes on that did not begin"
            raise NotWebSocketError(f"a message {what}")
        self._open = not frame.fin
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
            self._fragments, self._size = [], 0
        self._fragments.append(bytes(frame.data))
        self._size += len(frame.data)
        if self._size > MESSAGE_LIMIT:
            raise NotWebSocketError(f"a message of more than {MESSAGE_LIMIT:,} bytes")
        if not frame.fin:
            return None
        fragments, self._fragments = self._fragments, []
        return Payload(b"".join(fragments), self._is_text)


def _closing(data: bytes) -> Closing:
    try:
        close = Close.parse(data)
    except (ProtocolError, UnicodeDecodeError):
        code = int.from_bytes(data[:2], "big")
        return Closing(code, data[2:].decode("utf-8", "backslashreplace"))
    return Closing(int(close.code), close.reason)


def _shown(parameter: ExtensionParameter) -> str:
    name, value = parameter
    return name if value is None else f"{name}={value}"
