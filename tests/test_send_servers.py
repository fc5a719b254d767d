"""`kspy send --gateway` to a real Jupyter Server and a real Kernel Gateway."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest
from speaking import (
    TOKEN,
    Server,
    free_port,
    jupyter_server,
    kernel_gateway,
    one_line_of,
    printed,
    read_until,
    sending,
    sent,
    thread_lines,
    types,
)
from tapping import PATIENCE, short_folder, wait_for

import kspy

DEFAULT_ENCODING = "--ZMQChannelsWebsocketConnection.kernel_ws_protocol="
AUTHORISED = {"JUPYTER_TOKEN": TOKEN}


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


@pytest.fixture(scope="module")
def server_folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


@pytest.fixture(scope="module")
def server(server_folder: Path) -> Iterator[Server]:
    """Speaks v1, below a base path."""
    with jupyter_server(server_folder, base="/some/base") as found:
        yield found
        assert found.kernels() == []


@pytest.fixture(scope="module")
def old_server(server_folder: Path) -> Iterator[Server]:
    """Speaks the default encoding."""
    with jupyter_server(server_folder, DEFAULT_ENCODING) as found:
        yield found
        assert found.kernels() == []


@pytest.fixture(scope="module")
def gateway(server_folder: Path) -> Iterator[Server]:
    with kernel_gateway(server_folder) as found:
        yield found
        assert found.kernels() == []


@pytest.fixture(params=["server", "old_server", "gateway"])
def any_server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


def encodings(recording: Path) -> set[str]:
    with kspy.open(recording) as opened:
        return {message.encoding for message in opened}


def test_code_on_every_server(any_server: Server, folder: Path) -> None:
    recording = folder / "session.kspy"
    arguments = ("--code", "print(6 * 7)", "--gateway", any_server.url, "-o", recording, "--json")
    ran = sent(folder, *arguments, **AUTHORISED)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert sorted(types(ran.stdout)) == sorted(
        ["execute_request", "status", "execute_input", "stream", "execute_reply", "status"]
    )
    assert ran.stdout.splitlines() == thread_lines(recording, "execute_request")
    assert any_server.kernels() == []
    assert TOKEN.encode() not in recording.read_bytes()
    with kspy.open(recording) as opened:
        assert opened.state == "whole"
        assert opened.metadata["kernel_name"] == "python3"
        assert not [message for message in opened if message.flags]
        assert TOKEN not in "".join(str(bytes(m.frames[0])) for m in opened)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("server", {"v1"}), ("old_server", {"json", "binary"})],
)
def test_buffers_in_both_encodings(
    name: str, expected: set[str], request: pytest.FixtureRequest, folder: Path
) -> None:
    server: Server = request.getfixturevalue(name)
    (folder / "one.bin").write_bytes(b"\x00\xff{}")
    recording = folder / "session.kspy"
    model = server.ask("/api/kernels", "POST", {"name": "python3"})
    try:
        target = (
            "def opened(comm, message): comm.send({'n': 1}, buffers=[b'back', b''])\n"
            "get_ipython().kernel.comm_manager.register_target('kspy-test', opened)"
        )
        to = ("--gateway", server.url, "--kernel-id", model["id"])
        assert sent(folder, "--code", target, *to, **AUTHORISED).returncode == 0
        ran = sent(
            folder, "--type", "comm_open", *to, "-o", recording, "--buffer", "one.bin", "--json",
            "--content", '{"comm_id": "c1", "target_name": "kspy-test", "data": {}}',
            **AUTHORISED,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert server.kernels() == [model["id"]]
    finally:
        server.ask(f"/api/kernels/{model['id']}", "DELETE")
    assert encodings(recording) == expected
    with kspy.open(recording) as opened:
        by_type = {m.msg_type: m.buffers for m in opened if m.msg_type.startswith("comm")}
        assert by_type == {"comm_open": [b"\x00\xff{}"], "comm_msg": [b"back", b""]}


@pytest.mark.parametrize("how", ["url", "page", "option", "other variable"])
def test_the_token_from_everywhere(server: Server, folder: Path, how: str) -> None:
    url, environment = server.url, {"JUPYTER_TOKEN": ""}
    options: tuple[str, ...] = ()
    if how == "url":
        url += f"/?token={TOKEN}"
    elif how == "page":
        url += f"/lab/tree/a.ipynb?token={TOKEN}"
    elif how == "option":
        options = ("--token", TOKEN)
    else:
        environment["JUPYTER_GATEWAY_AUTH_TOKEN"] = TOKEN
    arguments = ("--type", "kernel_info_request", "--gateway", url, *options)
    ran = sent(folder, *arguments, **environment)
    assert ran.returncode == 0, ran.stderr
    assert TOKEN not in ran.stdout


def test_a_server_without_authentication(folder: Path) -> None:
    with jupyter_server(folder, "--IdentityProvider.token=") as server:
        ran = sent(folder, "--code", "print(6 * 7)", "--gateway", server.url)
        assert ran.returncode == 0, ran.stderr
        assert "42" in ran.stdout
        assert server.kernels() == []


def test_questions_errors_and_unknown_types(old_server: Server, folder: Path) -> None:
    to = ("--gateway", old_server.url, "--json")
    asked = sent(folder, "--code", "print(input('? '))", "--stdin", "Ada", *to, **AUTHORISED)
    assert asked.returncode == 0, asked.stderr
    assert printed(asked.stdout) == "Ada\n"
    assert sent(folder, "--code", "1 / 0", *to, **AUTHORISED).returncode == 1
    junk = sent(folder, "--type", "junk", *to, **AUTHORISED)
    assert junk.returncode == 1
    assert junk.stderr == "kspy: the kernel is idle, and did not reply\n"


@pytest.mark.parametrize("token", ["wrong", ""])
def test_no_right_token(any_server: Server, folder: Path, token: str) -> None:
    ran = sent(folder, "--code", "1", "--gateway", any_server.url, JUPYTER_TOKEN=token)
    line = one_line_of(ran)
    assert any_server.url in line
    assert "token" in line
    assert " 401 " in line or " 403 " in line
    assert "wrong" not in line


def test_no_server_there(folder: Path) -> None:
    port = free_port()
    line = one_line_of(sent(folder, "--code", "1", "--gateway", f"http://127.0.0.1:{port}"))
    assert f"http://127.0.0.1:{port}" in line
    assert "Connection refused" in line
    line = one_line_of(sent(folder, "--code", "1", "--gateway", "http://no.such.host.invalid/"))
    assert "no.such.host.invalid" in line


def test_something_else_there(folder: Path, server: Server) -> None:
    root = server.url.removesuffix("/some/base")
    line = one_line_of(sent(folder, "--code", "1", "--gateway", root, **AUTHORISED))
    assert "404" in line


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8888", "ftp://localhost/", "http://", "http://localhost:99999/", "http://["],
)
def test_what_is_no_url(folder: Path, url: str) -> None:
    assert "--gateway" in one_line_of(sent(folder, "--code", "1", "--gateway", url))


def test_secrets_in_bad_urls_and_tokens_are_not_repeated(folder: Path) -> None:
    for arguments in (
        ("http://me:sesame@127.0.0.1:1/",),
        ("http://127.0.0.1:1/", "--token", "sesame\r\nEvil: yes"),
        ("http://[sesame/?token=sesame",),
        ("http://127.0.0.1:1/?token=sesame",),
    ):
        assert "sesame" not in one_line_of(sent(folder, "--code", "1", "--gateway", *arguments))


def test_unknown_kernels(any_server: Server, folder: Path) -> None:
    to = ("--code", "1", "--gateway", any_server.url)
    line = one_line_of(sent(folder, *to, "--kernel", "klingon", **AUTHORISED))
    assert "klingon" in line
    assert "python3" in line
    for kernel_id in ("6f5902ac-0000-4e7e-9d3c-5a1f6c3d0a11", "../contents", "x y"):
        line = one_line_of(sent(folder, *to, "--kernel-id", kernel_id, **AUTHORISED))
        assert kernel_id in line
    assert any_server.kernels() == []


def test_a_certificate_that_nobody_vouches_for(folder: Path) -> None:
    certificate, key = folder / "own.pem", folder / "own.key"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", str(key), "-out", str(certificate),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    options = (f"--ServerApp.certfile={certificate}", f"--ServerApp.keyfile={key}")
    with jupyter_server(folder, *options) as server:
        to = ("--code", "print(6 * 7)", "--gateway", server.url)
        line = one_line_of(sent(folder, *to, **AUTHORISED))
        assert "certificate" in line
        trusting = sent(folder, *to, **AUTHORISED, SSL_CERT_FILE=str(certificate))
        assert trusting.returncode == 0, trusting.stderr
        assert "42" in trusting.stdout


def test_the_kernel_dies_and_none_stays_behind(server: Server, folder: Path) -> None:
    code = "print('here', flush=True); import os; os._exit(3)"
    ran = sent(folder, "--code", code, "--gateway", server.url, **AUTHORISED)
    assert "execute_request" in ran.stdout
    assert "the kernel ended" in one_line_of(ran)
    assert server.kernels() == []


SLEEP = "print('here', flush=True); import time; time.sleep(60)"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_leave_no_kernel_behind(
    server: Server, folder: Path, number: signal.Signals
) -> None:
    to = ("--gateway", server.url, "--token", TOKEN)
    with sending(folder, "--code", SLEEP, *to) as process:
        read_until(process, "stream")
        process.send_signal(number)
        out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == (1 if number == signal.SIGINT else 143)
    assert ("KeyboardInterrupt" in out) == (number == signal.SIGINT)
    assert server.kernels() == []


def is_starting(server: Server) -> bool:
    """Is there a kernel? Asked while it starts one, Jupyter Server fails."""
    try:
        return bool(server.kernels())
    except HTTPError as error:
        return error.code == 500


def test_sigterm_while_the_server_starts_the_kernel(server: Server, folder: Path) -> None:
    to = ("--gateway", server.url, "--token", TOKEN)
    with sending(folder, "--code", SLEEP, *to) as process:
        wait_for(lambda: is_starting(server), "the kernel")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert server.kernels() == []


def test_a_connection_that_is_cut_meanwhile(folder: Path) -> None:
    recording = folder / "cut.kspy"
    with jupyter_server(folder) as server:
        model = server.ask("/api/kernels", "POST", {})
        to = ("--gateway", server.url, "--token", TOKEN, "--kernel-id", model["id"])
        with sending(folder, "--code", SLEEP, *to, "-o", recording) as process:
            shown = read_until(process, "stream")
            server.process.kill()
            _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 2
        assert "execute_request" in shown
        assert err == f"kspy: {server.url}: the server closed the connection (without a word)\n"
    with kspy.open(recording) as opened:
        assert opened.state == "whole"
        assert opened.events[-1].name == "kernel_disconnected"
        assert any(message.msg_type == "stream" for message in opened)


def test_a_server_that_never_answers(folder: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with sending(folder, "--code", "1", "--gateway", url, "-o", folder / "x.kspy") as process:
            accepted, _ = silent.accept()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
            accepted.close()
        assert process.returncode == 130
        assert not (folder / "x.kspy").exists()


def test_what_the_server_says_is_made_harmless(folder: Path) -> None:
    body = json.dumps({"message": "no\x1b]0;title\x07\nsecond line " + "x" * 5000}).encode()
    head = b"HTTP/1.1 403 Nope\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.socket() as rude:
        rude.bind(("127.0.0.1", 0))
        rude.listen()
        url = f"http://127.0.0.1:{rude.getsockname()[1]}"
        with sending(folder, "--code", "1", "--gateway", url) as process:
            accepted, _ = rude.accept()
            with accepted:
                accepted.recv(65536)
                accepted.sendall(head + body)
                _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert len(err.splitlines()) == 1
    assert "\x1b" not in err
    assert len(err) < 1000
