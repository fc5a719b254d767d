"""Whatever HTTP two ends speak: each gets through the tap what it gets without one."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping

import pytest
from gateways import GatewayTap, tapping_gateway
from hypothesis import given, settings
from hypothesis import strategies as st
from talking import Break, End, Hear, Listener, Say, Step, Wait, talk
from tapping import short_folder
from tornado.httputil import HTTPHeaders

from kspy.tap.gateway.exchange import Exchange, Rename, Request

BIG = bytes(range(256)) * 40_000  # 10 MB
HOST = b"Host: localhost:54321\r\n"  # as long as the name that the server gets
GET = b"GET /api/kernels?token=abc HTTP/1.1\r\n" + HOST + b"Cookie: a=b; c=d\r\n\r\n"
UPGRADE = (
    b"GET /api/kernels/0aa0-1/channels HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n\r\n"
)
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: x=y; HttpOnly\r\n\r\nok"
SPACES = b"Referer: x" + b" " * 60_000 + b"y\r\n\r\n"
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
        [Hear(len(UPGRADE)), Say(SWITCH + b"odd"), Say(bytes(300))],
    ),
    "a flood behind an upgrade": (
        [Say(UPGRADE + BIG), End()],
        [Hear(len(UPGRADE)), Wait(), Say(SWITCH), Hear(len(UPGRADE + BIG)), Say(b"enough")],
    ),
    "a request behind an upgrade, and no more": (
        [Say(UPGRADE + GET), End()],
        [Hear(len(UPGRADE)), Wait(), Say(REFUSED), Hear(len(UPGRADE + GET)), Say(OK)],
    ),
    "half a request behind an upgrade, and no more": (
        [Say(UPGRADE + GET[:30]), End()],
        [Hear(len(UPGRADE)), Wait(), Say(REFUSED)],
    ),
    "a request behind an upgrade, answered with nonsense": (
        [Say(UPGRADE + GET), Hear(len(REFUSED)), End()],
        [Hear(len(UPGRADE)), Say(REFUSED + b"nonsense\r\n\r\n"), Hear(len(UPGRADE + GET))],
    ),
    "half a request, and no more": ([Say(GET[:30]), End()], [Hear(30), Say(OK)]),
    "half a request to a server that says no more": (
        [Hear(len(OK)), Wait(), Say(GET[:30]), Wait(), Say(GET[30:])], [Say(OK), End()],
    ),
    "sixty thousand spaces": (
        [Say(asks(b"GET /x", SPACES)), Hear(len(OK)), End()],
        [Hear(len(asks(b"GET /x", SPACES))), Say(OK)],
    ),
    "old line ends and odd headers": (
        [Say(b"\r\nGET /x HTTP/1.0\nhOsT :  localhost:54321 \nX-Twice: 1\nx-twice: 2\n\n"), End()],
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


@pytest.fixture(scope="module", params=["127.0.0.1", "0.0.0.0"], ids=["as it is", "renaming"])
def tap(request: pytest.FixtureRequest, listener: Listener) -> Iterator[GatewayTap]:
    with short_folder() as folder:
        url = f"http://localhost:{listener.port}/"
        with tapping_gateway(folder, url, "--listen", f"{request.param}:0") as found:
            listener.accept().close()  # it looked whether somebody is there
            yield found


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_bytes(name: str, listener: Listener, tap: GatewayTap) -> None:
    client, server = CONVERSATIONS[name]
    direct = talk(listener.port, listener, client, server)
    answers, (asked, how) = talk(tap.port, listener, client, server)
    theirs, ours = b"localhost:%d" % listener.port, b"localhost:54321"
    assert (answers, (asked.replace(theirs, ours), how)) == direct
    assert direct[1][0] == said(client)
    assert "silence" not in (direct[0][1], direct[1][1])


def test_a_client_is_read_no_further_than_what_can_be_passed_on(
    listener: Listener, tap: GatewayTap
) -> None:
    with socket.create_connection(("127.0.0.1", tap.port)) as client, listener.accept() as server:
        client.sendall(UPGRADE)
        assert server.recv(4, socket.MSG_WAITALL) == b"GET "
        client.settimeout(1.0)
        with pytest.raises(TimeoutError):
            client.sendall(bytes(100 << 20))


def said(steps: list[Step]) -> bytes:
    return b"".join(step.data for step in steps if isinstance(step, Say))


class Listening:
    """Who wants to know (`Watcher`)."""

    def __init__(self) -> None:
        self.was_opened = False

    def answered(self, request: Request, status: int, headers: HTTPHeaders) -> None:
        return None

    def complete(self, request: Request) -> None:
        return None

    def opened(self, request: Request, headers: HTTPHeaders) -> None:
        self.was_opened = True

    def switched(self, data: bytes, *, to_client: bool) -> None:
        return None


def unchanged(head: bytes, headers: Mapping[str, str]) -> bytes:
    return head


SHORT = [name for name, (one, other) in CONVERSATIONS.items() if len(said(one + other)) < 9_000]


@pytest.mark.parametrize("rename", [None, unchanged], ids=["as it is", "renaming"])
@given(
    names=st.lists(st.sampled_from(SHORT), min_size=1, max_size=3),
    errors=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), max_size=3),
    cuts=st.lists(st.tuples(st.booleans(), st.integers(1, 500)), max_size=60),
    who_ends=st.booleans(),
)
@settings(max_examples=300)
def test_no_byte_is_lost_or_moved(
    rename: Rename | None,
    names: list[str],
    errors: list[tuple[int, int]],
    cuts: list[tuple[bool, int]],
    who_ends: bool,
) -> None:
    """Whatever is said, in whatever pieces, and whoever ends."""
    client, server = (bytearray().join(said(CONVERSATIONS[n][i]) for n in names) for i in (0, 1))
    for place, value in errors:
        client[place % len(client)] = value
    exchange = Exchange(Listening(), rename)
    passed, left, answers = b"", bytes(client), bytes(server)
    for is_client, size in cuts:
        if is_client:
            passed += exchange.to_server(left[:size]) if left else b""
            left = left[size:]
        else:
            passed += exchange.to_client(answers[:size]) if answers else b""
            answers = answers[size:]
        assert client.startswith(passed)
    passed += exchange.to_server(left)
    if who_ends:
        passed += exchange.client_ended()
        passed += exchange.to_client(answers)
        # What still waits, waits for an answer.
        assert passed == client or (exchange.is_holding and exchange.awaiting)
    passed += exchange.server_ended()
    assert passed == client
    assert not exchange.is_holding


@pytest.mark.parametrize("rename", [None, unchanged], ids=["as it is", "renaming"])
def test_what_follows_an_upgrade_is_held_up_to_a_limit(rename: Rename | None) -> None:
    watcher = Listening()
    exchange = Exchange(watcher, rename)
    exchange.to_server(UPGRADE)
    passed = 0
    for _ in range(1_000):
        if exchange.is_full:
            break
        passed += len(exchange.to_server(bytes(1_000)))
    assert exchange.is_full == exchange.is_holding == bool(rename)
    assert passed == (0 if rename else 1_000_000)
    released = exchange.to_client(SWITCH)
    assert watcher.was_opened == bool(rename)
    assert (len(released) > 100_000) == bool(rename)
    assert not exchange.is_full
