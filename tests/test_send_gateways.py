"""`kspy send --gateway` to servers that do not do what they should: the test decides what."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from free_ports import free_port
from servers import own_certificate
from speaking import one_line_of, sending, sent
from tapping import PATIENCE, short_folder
from tiny_server import Answer, tiny_server

import kspy
from kspy.errors import KspyError
from kspy.speak import gateway
from kspy.speak.gateway import OnServer
from kspy.speak.server import Server

STARTED = Answer(201, b'{"id": "the-kernel"}')
ENDED = Answer(204)
REFUSED = Answer(500)
MAY_BE_THERE = "the kernel may be there still"


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


def hangs_at(begins: str) -> Callable[[str], Answer | None]:
    """Starts a kernel that nobody can connect to, but never answers such a request."""

    def answer(line: str) -> Answer | None:
        if line.startswith(begins):
            return None
        return {"POST": STARTED, "DELETE": ENDED}.get(line.split()[0], REFUSED)

    return answer


@pytest.mark.parametrize("hangs", ["POST /api/kernels", "DELETE /api/kernels/the-kernel"])
def test_a_server_that_hangs_is_given_up_at_the_second_signal(folder: Path, hangs: str) -> None:
    with (
        tiny_server(hangs_at(hangs)) as server,
        sending(folder, "--code", "1", "--gateway", server.url) as process,
    ):
        server.wait_asked(hangs)
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        assert "Ctrl-C gives up" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    [line] = err.splitlines()
    assert line.startswith(f"kspy: {server.url}: ")
    assert line.endswith(MAY_BE_THERE)


def test_a_server_that_does_not_end_the_kernel_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def connect(url: str) -> None:
        async with kspy.connect(gateway=url):
            pass

    monkeypatch.setattr("kspy.speak.server._END_SECONDS", 0.2)
    with tiny_server(hangs_at("DELETE")) as server:
        with pytest.raises(KspyError, match=": the server refuses: 500 "):
            asyncio.run(connect(server.url))
        assert server.asked[-1] == "DELETE /api/kernels/the-kernel"
    assert MAY_BE_THERE in caplog.text


def test_a_server_that_never_answers(folder: Path) -> None:
    with (
        tiny_server(lambda line: None) as server,
        sending(folder, "--code", "1", "--gateway", server.url, "-o", folder / "x.kspy") as process,
    ):
        server.wait_asked("GET")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert not (folder / "x.kspy").exists()


@pytest.mark.parametrize("what", ["GET /api/kernelspecs", "GET /api/kernels/the-kernel/channels"])
def test_a_token_is_not_sent_elsewhere(folder: Path, what: str) -> None:
    with tiny_server(lambda line: REFUSED) as thief:
        elsewhere = Answer(302, b"", {"Location": f"{thief.url}/x"})
        usual = hangs_at("no request")
        with tiny_server(
            lambda line: elsewhere if line.startswith(what) else usual(line)
        ) as server:
            ran = sent(folder, "--code", "1", "--gateway", server.url, "--token", "sesame")
            server.wait_asked(what)
        if "channels" in what:
            assert "sends elsewhere" in one_line_of(ran)
        assert thief.asked == []


def test_what_the_server_says_is_made_harmless(folder: Path) -> None:
    body = json.dumps({"message": "no\x1b]0;title\x07\nsecond line " + "x" * 5000}).encode()
    with tiny_server(lambda line: Answer(403, body)) as rude:
        line = one_line_of(sent(folder, "--code", "1", "--gateway", rude.url))
    assert "\x1b" not in line
    assert len(line) < 1000


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_names_the_server_and_not_the_token(folder: Path, status: int) -> None:
    with tiny_server(lambda line: Answer(status)) as server:
        to = ("--gateway", server.url, "--kernel", "python3")
        line = one_line_of(sent(folder, "--code", "1", *to, JUPYTER_TOKEN="sesame"))
    assert server.url in line
    assert f" {status} " in line
    assert ("token" in line) == (status != 404)
    assert "sesame" not in line


def test_no_server_there(folder: Path) -> None:
    port = free_port()
    line = one_line_of(sent(folder, "--code", "1", "--gateway", f"http://127.0.0.1:{port}"))
    assert f"http://127.0.0.1:{port}" in line
    assert "Connection refused" in line
    line = one_line_of(sent(folder, "--code", "1", "--gateway", "http://no.such.host.invalid/"))
    assert "no.such.host.invalid" in line


def test_certificates(folder: Path) -> None:
    certificate, key = own_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with tiny_server(lambda line: Answer(401), context) as server:
        to = ("--code", "1", "--gateway", server.url)
        line = one_line_of(sent(folder, *to))
        assert "its certificate is not trusted: " in line
        assert server.asked == []
        assert " 401 " in one_line_of(sent(folder, *to, "--insecure"))
        assert "holds no certificates" in one_line_of(sent(folder, *to, "--ca", key))
        assert "no-such.pem" in one_line_of(sent(folder, *to, "--ca", "no-such.pem"))
    plain = ("--code", "1", "--gateway", "http://127.0.0.1:1/", "--insecure")
    assert "begins with http:" in one_line_of(sent(folder, *plain))


@pytest.mark.parametrize(
    "url",
    [
        "", "localhost:8888", "ftp://localhost/", "http://", "http://localhost:99999/", "http://[",
        "http://lo\x1bcal/", "http://me:sesame@127.0.0.1:1/", "http://[sesame/?token=sesame",
    ],
)  # fmt: skip
def test_what_is_no_url_is_said_without_secrets(url: str) -> None:
    with pytest.raises(KspyError, match="gateway: ") as caught:
        Server(url, None)
    assert "sesame" not in str(caught.value)
    assert "--" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_what_is_no_url_or_token_is_one_line(folder: Path) -> None:
    assert "gateway: " in one_line_of(sent(folder, "--code", "1", "--gateway", "localhost:8888"))
    evil = ("--gateway", "http://127.0.0.1:1/", "--token", "sesame\r\nEvil: yes")
    assert "sesame" not in one_line_of(sent(folder, "--code", "1", *evil))


@pytest.mark.parametrize("path", ["", "/", "/some/base", "/some/base/lab/tree/a.ipynb"])
def test_the_token_and_the_base_path_of_an_address(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    server = Server(f"http://localhost:8888{path}?token=sesame", None)
    assert server.url == "http://localhost:8888" + ("/some/base" if "base" in path else "")
    assert server.headers == {"Authorization": "token sesame"}


def test_the_order_of_what_gives_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(url: str, token: str | None) -> str | None:
        return Server(url, token).headers.get("Authorization")

    monkeypatch.setenv("JUPYTER_TOKEN", "")
    monkeypatch.setenv("JUPYTER_GATEWAY_AUTH_TOKEN", "last")
    assert told("http://localhost/", None) == "token last"
    monkeypatch.setenv("JUPYTER_TOKEN", "third")
    assert told("http://localhost/", None) == "token third"
    assert told("http://localhost/?token=second", None) == "token second"
    assert told("http://localhost/?token=second", "first") == "token first"
    assert told("http://localhost/?token=second", "") is None


def test_a_socket_that_says_nothing_of_http(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with sending(folder, "--code", "1", "--gateway", url) as process:
            accepted, _ = listener.accept()
            with accepted:
                accepted.recv(65536)
                accepted.sendall(b"\x00\x01 no http at all\r\n\r\n")
            _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert len(err.splitlines()) == 1


def test_a_question_that_is_not_answered_ends_with_the_connection() -> None:
    class Mute:
        async def kernel(self, _: str) -> None:
            await asyncio.sleep(PATIENCE)

    async def ask_and_close() -> None:
        host = OnServer(cast("Server", Mute()), None, "k", "session")
        assert not await host.ended()
        assert len(asyncio.all_tasks()) == 2
        await host.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(ask_and_close())


def test_a_kernel_that_somebody_deletes_is_gone_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that deletes a kernel need not say so to who is connected to it."""
    monkeypatch.setattr(gateway, "_QUIET_SECONDS", 0.0)
    answers = [REFUSED, Answer(200, b'{"id": "k"}'), Answer(404)]

    async def ended(host: OnServer) -> str:
        while not (why := await host.ended()):
            await asyncio.sleep(0.01)
        await host.close()
        return why

    with tiny_server(lambda line: answers.pop(0)) as server:
        host = OnServer(Server(server.url, "", None), None, "k", "session")
        why = asyncio.run(asyncio.wait_for(ended(host), PATIENCE))
    assert server.asked == ["GET /api/kernels/k"] * 3
    assert why.endswith("no kernel there has the id k any more")
