"""Whatever HTTP two ends speak: each gets through the tap what it gets without one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gateways import GatewayTap, tapping_gateway
from talking import Break, End, Hear, Listener, Say, Step, Wait, talk
from tapping import short_folder

BIG = bytes(range(256)) * 40_000  # 10 MB
HOST = b"Host: localhost\r\n"
GET = b"GET /api/kernels?token=abc HTTP/1.1\r\n" + HOST + b"Cookie: a=b; c=d\r\n\r\n"
UPGRADE = (
    b"GET /api/kernels/0aa0-1/channels HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n\r\n"
)
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: x=y; HttpOnly\r\n\r\nok"
REFUSED = OK.replace(b"200 OK", b"403 No")


def sized(data: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(data) + data


def asks(start: bytes, rest: bytes = b"") -> bytes:
    return start + b" HTTP/1.1\r\n" + HOST + rest


def in_bits(data: bytes, size: int) -> list[Step]:
    bits = [Say(data[at : at + size]) for at in range(0, len(data), size)]
    return [step for bit in bits for step in (bit, Wait(0.002))]


CHUNKED = (
    b"4;name=value\r\nWiki\r\n6\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n"
    b"0\r\nExpires: never\r\nX-Sum: 1\r\n\r\n"
)
POST_CHUNKED = asks(b"POST /x", b"Transfer-Encoding: chunked\r\nTrailer: Expires\r\n\r\n") + CHUNKED
ANSWER_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED
CONTINUE = asks(b"PUT /x", b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")

Conversation = tuple[list[Step], list[Step]]

CONVERSATIONS: dict[str, Conversation] = {
    "one request": ([Say(GET), Hear(len(OK)), End()], [Hear(len(GET)), Say(OK)]),
    "keep-alive": (
        [Say(GET), Hear(len(OK)), Say(GET), Hear(2 * len(OK)), End()],
        [Hear(len(GET)), Say(OK), Hear(2 * len(GET)), Say(OK)],
    ),
    "pipelining": (
        [Say(GET + POST_CHUNKED + asks(b"HEAD /h", b"\r\n") + GET), End()],
        [
            Hear(2 * len(GET) + len(POST_CHUNKED) + len(asks(b"HEAD /h", b"\r\n"))),
            Say(OK + ANSWER_CHUNKED + b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + OK),
        ],
    ),
    "chunks and trailers, a byte at a time": (
        [*in_bits(POST_CHUNKED, 1), Hear(len(ANSWER_CHUNKED)), End()],
        [Hear(len(POST_CHUNKED)), *in_bits(ANSWER_CHUNKED, 1)],
    ),
    "100-continue": (
        [Say(CONTINUE), Hear(25), Say(b"hello"), Hear(25 + len(OK)), End()],
        [
            Hear(len(CONTINUE)),
            Say(b"HTTP/1.1 100 Continue\r\n\r\n"),
            Hear(len(CONTINUE) + 5),
            Say(OK),
        ],
    ),
    "no content, not modified": (
        [Say(asks(b"DELETE /d", b"\r\n")), Hear(27), Say(GET), End()],
        [
            Hear(20),
            Say(b"HTTP/1.1 204 No Content\r\n\r\n"),
            Hear(30),
            Say(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nETag: x\r\n\r\n"),
        ],
    ),
    "redirect": (
        [Say(GET), End()],
        [Hear(len(GET)), Say(b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/x?y\r\n"
                             b"Content-Length: 0\r\n\r\n")],
    ),
    "an answer that ends with the connection": (
        [Say(GET)],
        [Hear(len(GET)), Say(b"HTTP/1.0 200 OK\r\n\r\nfirst"), Wait(), Say(b"last"), End()],
    ),
    "big bodies both ways": (
        [Say(asks(b"POST /b", b"Content-Length: %d\r\n\r\n" % len(BIG)) + BIG), End()],
        [Hear(len(BIG)), Say(sized(BIG))],
    ),
    "both talk at once": (
        [Say(asks(b"POST /b", b"Content-Length: %d\r\n\r\n" % len(BIG)) + BIG), End()],
        [Hear(10), Say(sized(BIG))],
    ),
    "slow streaming": (
        [Say(GET), Hear(40), Wait(), End()],
        [Hear(len(GET)), *in_bits(ANSWER_CHUNKED, 7)],
    ),
    "a head in bits": (
        [*in_bits(GET, 3), Hear(len(OK)), End()],
        [Hear(len(GET)), *in_bits(OK, 3)],
    ),
    "an upgrade that is refused, then more": (
        [Say(UPGRADE), Hear(len(OK)), Say(GET), Hear(2 * len(OK)), End()],
        [Hear(len(UPGRADE)), Say(REFUSED), Hear(len(UPGRADE + GET)), Say(OK)],
    ),
    "no WebSocket after all": (
        [Say(UPGRADE + b"early"), Hear(len(SWITCH) + 3), Say(b"\x00\xff" * 99), End()],
        [Hear(len(UPGRADE) + 5), Say(SWITCH + b"odd"), Say(bytes(300))],
    ),
    "old line ends and odd headers": (
        [Say(b"\r\nGET /x HTTP/1.0\nhOsT :  localhost \nX-Twice: 1\nx-twice: 2\n\n"), End()],
        [Hear(20), Say(b"HTTP/1.1 200\r\nnot a header\r\n\r\nbody")],
    ),
    "no HTTP at all": ([Say(b"\x16\x03\x01" + bytes(2000)), End()], [Hear(9), Say(b"\x15\x03")]),
    "HTTP/2": ([Say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00"), End()], [Hear(9), Say(bytes(9))]),
    "an endless head": ([Say(b"GET / HTTP/1.1\r\nX: " + b"y" * 400_000), End()], [Hear(300_000)]),
    "lengths that contradict each other": (
        [Say(asks(b"POST /", b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")), End()],
        [Hear(20), Say(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc")],
    ),
    "an answer that nobody asked for": ([Wait(), Say(GET)], [Say(OK), Hear(len(GET)), End()]),
    "the client ends its side first": ([Say(GET), End()], [Hear(len(GET)), Wait(), Say(OK)]),
    "the server ends its side first": ([Hear(2), Wait(), Say(GET)], [Say(b"hi"), End()]),
    "the client breaks off": ([Say(GET), Wait(0.2), Break()], [Hear(len(GET)), Say(b"")]),
    "the server breaks off": ([Say(GET)], [Hear(len(GET)), Wait(0.2), Break()]),
}  # fmt: skip


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.close()


@pytest.fixture(scope="module")
def tap(listener: Listener) -> Iterator[GatewayTap]:
    with short_folder() as folder:
        url = f"http://127.0.0.1:{listener.port}/"
        with tapping_gateway(folder, url) as found:
            listener.accept().close()  # it looked whether somebody is there
            yield found


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_bytes(name: str, listener: Listener, tap: GatewayTap) -> None:
    client, server = CONVERSATIONS[name]
    direct = talk(listener.port, listener, client, server)
    assert talk(tap.port, listener, client, server) == direct
    assert direct[1][0] == b"".join(step.data for step in client if isinstance(step, Say))
    assert "silence" not in (direct[0][1], direct[1][1])
