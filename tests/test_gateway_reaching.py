"""How a server is reached through `kspy tap --gateway`: names, TLS, base paths, and when not."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import kspy as run_kspy
from free_ports import free_port
from gateways import Client, GatewayTap, Server, running_server, tapping_gateway
from talking import End, Hear, Listener, Say, Step, Wait, talk
from tapping import short_folder, wait_for

from kspy.tap.gateway.upstream import Upstream

BASE = "/user/ada/"
TOKEN = "0123456789abcdef"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody signed but itself, with its key."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", path,
         "-addext", "subjectAltName=DNS:localhost", "-out", path.with_suffix(".crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with short_folder() as path, running_server(path, base=BASE) as found:
        yield found


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


def refusal(folder: Path, *arguments: str) -> str:
    """The one line of a tap that cannot be."""
    folder.mkdir(exist_ok=True)
    ended = run_kspy("tap", "--recordings", folder / "recordings", *arguments)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("kspy: ")
    assert not list(folder.rglob("*.kspy"))
    return ended.stderr


def execute_through(tap: GatewayTap, token: str) -> None:
    async def converse() -> None:
        client = Client(tap.url, token, tap)
        kernel_id = await client.start_kernel()
        async with client.connect(kernel_id, v1=True) as channels:
            assert await channels.run() == "Hello world!\n"

    asyncio.run(converse())
    stream = tap.wait_recorded(lambda message: message.msg_type == "stream")
    assert stream.content["text"] == "Hello world!\n"


def test_a_base_path_is_part_of_the_url_to_use(folder: Path, server: Server) -> None:
    with tapping_gateway(folder, server.url) as tap:
        assert tap.url.endswith(BASE.rstrip("/"))
        execute_through(tap, server.token)


def test_others_can_reach_a_server_on_loopback_and_it_warns(folder: Path, server: Server) -> None:
    with tapping_gateway(folder, server.url, "--listen", "0.0.0.0:0") as tap:
        assert "others on the network can reach the server" in tap.said
        tap.url = tap.url.replace("0.0.0.0", _own_address())
        execute_through(tap, server.token)
        response = asyncio.run(Client(tap.url, "wrong").ask("GET", "/api/kernels"))
        assert response.code == 403
        wait_for(lambda: "refused a request (403): it needs a token" in tap.said, "the warning")


def test_tls(folder: Path, certificate: Path) -> None:
    options = [f"--ServerApp.certfile={certificate}", "--ServerApp.allow_remote_access=True"]
    with running_server(folder, options=options) as server:
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        with tapping_gateway(folder, url, "--ca", str(certificate)) as tap:
            execute_through(tap, server.token)
        with tapping_gateway(folder, url, "--insecure") as tap:
            assert tap.url.startswith("http://127.0.0.1:")
        untrusted = refusal(folder / "other", "--gateway", f"{url}/?token={TOKEN}")
        assert "certificate is not trusted" in untrusted
        assert "--ca FILE" in untrusted
        assert TOKEN not in untrusted
        plain = server.url.replace("http:", "https:")
        named = refusal(folder / "other", "--gateway", plain, "--ca", str(certificate))
        assert "127.0.0.1" in named


@pytest.mark.parametrize(("scheme", "is_tls"), [("ws", False), ("wss", True)])
def test_the_schemes_of_websockets_mean_those_of_http(scheme: str, is_tls: bool) -> None:
    upstream = Upstream.parse(f"{scheme}://localhost/base/")
    assert upstream.url == f"http{'s' * is_tls}://localhost/base"
    assert (upstream.port, upstream.tls is not None) == ((443, True) if is_tls else (80, False))


def test_over_tls_a_server_may_end_first(folder: Path, certificate: Path) -> None:
    listener = Listener(tls=_tls(certificate))

    def serve() -> None:
        listener.accept().close()  # the tap looks whether somebody is there
        connection = listener.accept()
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nno length")
        assert isinstance(connection, ssl.SSLSocket)
        connection.unwrap().close()  # says over TLS that it has said all

    serving = threading.Thread(target=serve)
    serving.start()
    url = f"https://localhost:{listener.port}"
    with tapping_gateway(folder, url, "--insecure") as tap:
        response = asyncio.run(Client(tap.url, "any").ask("GET", "/"))
        assert response.body == b"no length"
    serving.join()
    listener.close()


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_over_tls_an_answer_comes_though_the_client_has_ended_its_side(
    folder: Path, certificate: Path
) -> None:
    ask = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    listener = Listener(tls=_tls(certificate))
    tap = _tap_while(listener, folder, f"https://localhost:{listener.port}", "--insecure")
    try:
        answers: list[Step] = [Hear(len(ask)), Wait(), Say(OK)]
        (heard, how), (asked, _) = talk(tap.port, listener, [Say(ask), End()], answers)
        assert (heard, how, asked) == (OK, "end", ask)
    finally:
        tap.force_end()
        listener.close()


def _tap_while(listener: Listener, folder: Path, url: str, *options: str) -> GatewayTap:
    """A tap before a listener, which is first looked at whether it is there."""
    looked_at = threading.Thread(target=lambda: listener.accept().close())
    looked_at.start()
    tap = GatewayTap(folder, url, *options)
    looked_at.join()
    return tap


def test_a_server_elsewhere_is_called_by_its_own_name(folder: Path) -> None:
    address = _own_address()
    listener = Listener(host=address)
    theirs = f"{address}:{listener.port}"
    tap = _tap_while(listener, folder, f"http://{theirs}/")
    mine = f"127.0.0.1:{tap.port}"
    head = (
        "POST /x?a=http://{0} HTTP/1.1\r\nhost: {0}\r\nORIGIN: http://{0}\r\n"
        "Referer: http://{0}/lab\r\nX-Other: http://{0}\r\nContent-Length: 20\r\n\r\n"
    )
    body = b"Host: 127.0.0.1\r\n\r\nab"
    after = "GET / HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}.evil\r\n\r\n"
    stranger = b"GET / HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\r\n"
    asked = head.format(mine).encode() + body + after.format(mine).encode() + stranger
    kept = head.format(theirs).replace(f"a=http://{theirs}", f"a=http://{mine}")
    kept = kept.replace(f"X-Other: http://{theirs}", f"X-Other: http://{mine}")
    wanted = kept.encode() + body
    wanted += f"GET / HTTP/1.1\r\nHost: {theirs}\r\nOrigin: http://{mine}.evil\r\n\r\n".encode()
    wanted += stranger
    try:
        for pieces in ([Say(asked)], [Say(asked[at : at + 1]) for at in range(len(asked))]):
            answers: list[Step] = [Hear(len(wanted)), Say(OK * 3)]
            client, server = talk(tap.port, listener, [*pieces, End()], answers)
            assert server[0] == wanted
            assert client[0] == OK * 3
    finally:
        tap.force_end()
        listener.close()


def _own_address() -> str:
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        address: str = probe.getsockname()[0]
        return address


def test_a_server_that_goes_away_and_comes_back(folder: Path) -> None:
    async def converse(client: Client, server: Server) -> None:
        kernel_id = await client.start_kernel()
        async with client.connect(kernel_id) as channels:
            await channels.run()
            server.process.force_end()
            while await channels.connection.read_message() is not None:
                pass

    with contextlib.ExitStack() as stack:
        with running_server(folder) as server:
            tap = stack.enter_context(tapping_gateway(folder, server.url))
            asyncio.run(converse(Client(tap.url, server.token), server))
        closed = tap.wait_event("client_disconnected")
        assert closed.data == {"client": 1, "cut_by": "server"}
        ask = Client(tap.url, "any").ask
        for _ in range(2):
            response = asyncio.run(ask("GET", "/api"))
            assert response.code == 502
            assert re.fullmatch(
                rb"kspy: http://127.0.0.1:\d+: no server answers: .*\n", response.body
            )
        assert tap.said.count("no server answers") == 1
        with running_server(folder, port=int(server.url.rpartition(":")[2])):
            assert asyncio.run(ask("GET", "/api")).code == 200


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://127.0.0.1:{port}", "no server answers"),
        ("https://somebody:{token}@127.0.0.1:{port}/?token={token}", "no server answers"),
        ("ftp://localhost/", "--gateway: give it as http"),
        ("localhost:8888", "--gateway: give it as http"),
        ("http://localhost:99999/?token={token}", "--gateway: is no URL"),
        ("http://[::1/?token={token}", "--gateway: is no URL"),
        ("http://local\thost\x1b[31m/", "--gateway"),
        ("http://no-such-host.invalid/", "no server answers"),
    ],
)
def test_a_url_that_leads_nowhere(folder: Path, url: str, says: str) -> None:
    said = refusal(folder, "--gateway", url.format(port=free_port(), token=TOKEN))
    assert says in said
    assert TOKEN not in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--listen", "nowhere"], "HOST:PORT"),
        (["--listen", "127.0.0.1:70000"], "HOST:PORT"),
        (["--kernel", "python3"], "one of"),
        (["-o", "x.kspy"], "--output does not go with --gateway"),
        (["--curve"], "--curve does not go with --gateway"),
        (["--ca", "no-such.pem"], "certificate"),
        (["--view"], "--view needs a terminal"),
        (["--", "jupyter", "lab"], "a client command does not go with --gateway"),
    ],
)
def test_arguments_that_make_no_sense(folder: Path, arguments: list[str], says: str) -> None:
    assert says in refusal(folder, "--gateway", "http://localhost:1", *arguments)


def test_gateway_options_without_a_gateway() -> None:
    ended = run_kspy("tap", "--kernel", "python3", "--listen", "127.0.0.1:0")
    assert ended.returncode == 2
    assert "--listen is only for --gateway" in ended.stderr


def test_ports_and_folders_that_cannot_be_had(folder: Path) -> None:
    listener = Listener()
    url = f"http://127.0.0.1:{listener.port}"
    taken = refusal(folder, "--gateway", url, "--listen", f"127.0.0.1:{listener.port}")
    assert f"127.0.0.1:{listener.port}: Address already in use" in taken
    (folder / "file").write_text("")
    ended = run_kspy("tap", "--gateway", url, "--recordings", folder / "file" / "below")
    assert ended.returncode == 2
    assert f"{folder / 'file' / 'below'}: cannot be made" in ended.stderr
    listener.close()


def test_a_folder_that_is_gone_stops_no_session(folder: Path, server: Server) -> None:
    tap = GatewayTap(folder, server.url)
    try:
        tap.recordings.rmdir()
        tap.recordings.write_text("no folder any more")

        async def converse() -> None:
            client = Client(tap.url, server.token)
            kernel_id = await client.start_kernel()
            async with client.connect(kernel_id) as channels:
                assert await channels.run() == "Hello world!\n"

        asyncio.run(converse())
        wait_for(lambda: "is not recorded, but works" in tap.said, "the warning")
        assert tap.end() == 2
    finally:
        tap.force_end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_and_its_connections(folder: Path, number: signal.Signals) -> None:
    listener = Listener()
    tap = _tap_while(listener, folder, f"http://127.0.0.1:{listener.port}")
    try:
        client = socket.create_connection(("127.0.0.1", tap.port))
        server = listener.accept()
        client.sendall(b"GET")
        assert server.recv(9) == b"GET"
        tap.process.send_signal(number)
        assert client.recv(9) == b""
        assert server.recv(9) == b""
        assert tap.process.wait(30) == 0
        client.close()
        server.close()
    finally:
        tap.force_end()
        listener.close()
