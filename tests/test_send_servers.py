"""`kspy send --gateway` to a real Jupyter Server and a real Kernel Gateway.

A server takes seconds to start; so each test starts one, and asks it for all that it is there for.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest
from servers import Server, own_certificate, running_server
from speaking import one_line_of, printed, read_until, sending, sent, thread_lines, types
from tapping import HERE, PATIENCE, short_folder, wait_for

import kspy

DEFAULT_ENCODING = "--ZMQChannelsWebsocketConnection.kernel_ws_protocol="


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


def test_a_jupyter_server_below_a_base_path(folder: Path) -> None:
    with running_server(folder, base="/some/base") as server:
        to = ("--gateway", server.url)
        code_runs(server, folder, *to)
        assert buffers_arrive(server, folder, *to) == {"v1"}
        wrong_tokens_and_names_are_one_line(server, folder, *to)
        a_kernel_that_dies_is_told_of(server, folder, *to)
        signals_leave_no_kernel_behind(server, folder, *to)
        root = server.url.removesuffix("/some/base")
        line = one_line_of(sent(folder, "--code", "1", "--gateway", root, "--token", server.token))
        assert " 404 " in line


def test_a_jupyter_server_with_the_default_encoding_and_no_authentication(folder: Path) -> None:
    with running_server(folder, "jupyter_server", DEFAULT_ENCODING, token="") as server:
        to = ("--gateway", server.url)
        code_runs(server, folder, *to)
        assert buffers_arrive(server, folder, *to) == {"json", "binary"}
        asked = sent(folder, "--code", "print(input('? '))", "--stdin", "Ada", *to, "--json")
        assert asked.returncode == 0, asked.stderr
        assert printed(asked.stdout) == "Ada\n"
        junk = sent(folder, "--type", "junk", *to)
        assert (junk.returncode, junk.stderr) == (
            1,
            "kspy: the kernel is idle, and did not reply\n",
        )
        a_connection_that_is_cut_is_told_of(server, folder, *to)


def test_a_kernel_gateway_over_tls(folder: Path) -> None:
    certificate = own_certificate(folder)
    with running_server(folder, "kernel_gateway", certificate=certificate) as server:
        to = ("--gateway", server.url)
        assert "certificate is not trusted" in one_line_of(sent(folder, "--code", "1", *to))
        code_runs(server, folder, *to, "--ca", certificate[0])
        wrong_tokens_and_names_are_one_line(server, folder, *to, "--insecure")
        environment = {"SSL_CERT_FILE": str(certificate[0]), "JUPYTER_TOKEN": server.token}
        ran = sent(folder, "--type", "kernel_info_request", *to, **environment)
        assert ran.returncode == 0, ran.stderr


def code_runs(server: Server, folder: Path, *to: str | Path) -> None:
    recording = folder / "session.kspy"
    arguments = ("--code", "print(6 * 7)", *to, "-o", recording, "--json")
    ran = sent(folder, *arguments, JUPYTER_TOKEN=server.token)
    assert ran.stderr == ""
    assert ran.returncode == 0
    assert sorted(types(ran.stdout)) == sorted(
        ["execute_request", "status", "execute_input", "stream", "execute_reply", "status"]
    )
    assert ran.stdout.splitlines() == thread_lines(recording, "execute_request")
    assert server.kernels() == []
    with kspy.open(recording) as opened:
        assert opened.state == "whole"
        assert opened.metadata["kernel_name"] == "python3"
        assert not [message for message in opened if message.flags]
        frames = b"".join(bytes(frame) for message in opened for frame in message.frames)
    if server.token:
        assert server.token.encode() not in recording.read_bytes() + frames


def buffers_arrive(server: Server, folder: Path, *to: str | Path) -> set[str]:
    """Both ways, with a kernel that runs there already; the encodings of the messages."""
    (folder / "one.bin").write_bytes(b"\x00\xff{}")
    recording = folder / "buffers.kspy"
    authorised = {"JUPYTER_TOKEN": server.token}
    model = server.ask("/api/kernels", "POST", {"name": "python3"})
    try:
        target = (
            "def opened(comm, message): comm.send({'n': 1}, buffers=[b'back', b''])\n"
            "get_ipython().kernel.comm_manager.register_target('kspy-test', opened)"
        )
        to = (*to, "--kernel-id", model["id"])
        assert sent(folder, "--code", target, *to, **authorised).returncode == 0
        ran = sent(
            folder, "--type", "comm_open", *to, "-o", recording, "--buffer", "one.bin", "--json",
            "--content", '{"comm_id": "c1", "target_name": "kspy-test", "data": {}}',
            **authorised,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert server.kernels() == [model["id"]]
    finally:
        server.ask(f"/api/kernels/{model['id']}", "DELETE")
    with kspy.open(recording) as opened:
        by_type = {m.msg_type: m.buffers for m in opened if m.msg_type.startswith("comm")}
        assert by_type == {"comm_open": [b"\x00\xff{}"], "comm_msg": [b"back", b""]}
        return {message.encoding for message in opened}


def wrong_tokens_and_names_are_one_line(server: Server, folder: Path, *to: str | Path) -> None:
    for token in ("wrong", ""):
        line = one_line_of(sent(folder, "--code", "1", *to, JUPYTER_TOKEN=token))
        assert server.url in line
        assert "token" in line
        assert " 401 " in line or " 403 " in line
        assert "wrong" not in line
    authorised = {"JUPYTER_TOKEN": server.token}
    line = one_line_of(sent(folder, "--code", "1", *to, "--kernel", "klingon", **authorised))
    assert "klingon" in line
    assert "python3" in line
    for kernel_id in ("6f5902ac-0000-4e7e-9d3c-5a1f6c3d0a11", "../contents x"):
        asked = ("--code", "1", *to, "--kernel-id", kernel_id)
        assert kernel_id in one_line_of(sent(folder, *asked, **authorised))
    assert server.kernels() == []


def a_kernel_that_dies_is_told_of(server: Server, folder: Path, *to: str | Path) -> None:
    code = "print('here', flush=True); import os; os._exit(3)"
    ran = sent(folder, "--code", code, *to, JUPYTER_TOKEN=server.token)
    assert "execute_request" in ran.stdout
    assert "the kernel ended" in one_line_of(ran)
    assert server.kernels() == []


def signals_leave_no_kernel_behind(server: Server, folder: Path, *to: str | Path) -> None:
    to = (*to, "--token", server.token)
    with sending(folder, "--code", HERE, *to) as process:
        read_until(process, "stream")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "KeyboardInterrupt" in out
    assert server.kernels() == []
    with sending(folder, "--code", HERE, *to) as process:
        wait_for(lambda: is_starting(server), "the kernel")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert server.kernels() == []


def is_starting(server: Server) -> bool:
    """Is there a kernel? Asked while it starts one, Jupyter Server fails."""
    try:
        return bool(server.kernels())
    except HTTPError as error:
        return error.code == 500


def a_connection_that_is_cut_is_told_of(server: Server, folder: Path, *to: str | Path) -> None:
    """The server is dead afterwards."""
    recording = folder / "cut.kspy"
    model = server.ask("/api/kernels", "POST", {})
    to = (*to, "--kernel-id", model["id"])
    with sending(folder, "--code", HERE, *to, "-o", recording) as process:
        shown = read_until(process, "stream")
        server.kill()
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "execute_request" in shown
    assert err == f"kspy: {server.url}: the server closed the connection (without a word)\n"
    with kspy.open(recording) as opened:
        assert opened.state == "whole"
        assert opened.events[-1].name == "kernel_disconnected"
        assert any(message.msg_type == "stream" for message in opened)
