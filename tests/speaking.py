"""Run `kspy send`, and real Jupyter servers for it to speak to; nothing of them stays behind."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from command import KSPY
from tapping import PATIENCE, surroundings, wait_for

import kspy
from kspy.export.json_lines import message_line

TOKEN = "the-secret-token-of-the-tests"


def sent(
    folder: Path, *arguments: str | Path, stdin: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A `kspy send` that ran to its end in `folder`; `stdin` goes through a pipe."""
    given: Mapping[str, Any] = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    return subprocess.run(
        [KSPY, "send", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE,
        cwd=folder,
        env={**surroundings(folder, **environment), "PYTHONIOENCODING": "utf-8"},
        **given,
    )


@contextlib.contextmanager
def sending(folder: Path, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A `kspy send` while it runs; it and its kernels must be gone at the end."""
    process = subprocess.Popen(
        [KSPY, "send", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=folder,
        env={**surroundings(folder), "PYTHONIOENCODING": "utf-8"},
    )
    below: set[psutil.Process] = set()
    try:
        yield process
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            below = set(psutil.Process(process.pid).children(recursive=True))
        if process.poll() is None:
            process.kill()
        process.communicate()
        for child in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


def read_until(process: subprocess.Popen[str], wanted: str) -> str:
    """What it prints, up to the line that holds `wanted`."""
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if wanted in line:
            return read
    raise AssertionError(f"{wanted!r} did not come: {read}")


def kernels_of(folder: Path) -> list[str]:
    """Processes of kernels that were started with `folder` for temporary files, and such files."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or ())
        if f"-f {folder}/kspy-" in command:
            found.append(command)
    return [*found, *(path.name for path in folder.glob("kspy-*"))]


def one_line_of(ran: subprocess.CompletedProcess[str]) -> str:
    """The line of an error: exit code 2, and nothing else on standard error."""
    assert ran.returncode == 2, (ran.stdout, ran.stderr)
    lines = ran.stderr.splitlines()
    assert len(lines) == 1, ran.stderr
    assert "Traceback" not in ran.stdout
    return lines[0]


def thread_lines(recording: Path, msg_type: str) -> list[str]:
    """The JSON lines of the last recorded thread that begins with this type."""
    with kspy.open(recording) as opened:
        found = [t for t in opened.threads() if t.request.msg_type == msg_type]
        return [message_line(message) for message in found[-1].messages]


def types(output: str) -> list[str]:
    """The types of the messages that `--json` printed."""
    return [json.loads(line)["msg_type"] for line in output.splitlines()]


def printed(output: str) -> str:
    """What the code printed, by the lines of `--json`: a kernel may send one print in pieces."""
    messages = [json.loads(line) for line in output.splitlines()]
    streams = [message for message in messages if message["msg_type"] == "stream"]
    return "".join(message["content"]["text"] for message in streams)


@dataclass(frozen=True)
class Server:
    """A Jupyter server that runs. `url` has no token."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """What its REST API says."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return json.loads(response.read() or b"null")

    def kernels(self) -> list[str]:
        return [kernel["id"] for kernel in self.ask("/api/kernels")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def jupyter_server(folder: Path, *options: str, base: str = "") -> Iterator[Server]:
    command = [
        "jupyter_server",
        "--no-browser",
        "--allow-root",
        "--ServerApp.port_retries=0",
        f"--ServerApp.base_url={base or '/'}",
        f"--ServerApp.root_dir={folder}",
    ]
    with _server(folder, [*command, *options], "--ServerApp.port", base) as server:
        yield server


@contextlib.contextmanager
def kernel_gateway(folder: Path) -> Iterator[Server]:
    command = ["kernel_gateway", "--KernelGatewayApp.port_retries=0"]
    command += ["--JupyterWebsocketPersonality.list_kernels=True"]
    with _server(folder, command, "--KernelGatewayApp.port") as server:
        yield server


@contextlib.contextmanager
def _server(
    folder: Path, module: Sequence[str], port_option: str, base: str = ""
) -> Iterator[Server]:
    port = free_port()
    log = folder / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module, f"{port_option}={port}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=surroundings(
                folder,
                JUPYTER_TOKEN=TOKEN,
                KG_AUTH_TOKEN=TOKEN,
                JUPYTER_CONFIG_DIR=str(folder / "config"),
                HOME=str(folder),
            ),
        )
    scheme = "https" if any("certfile" in word for word in module) else "http"
    server = Server(f"{scheme}://127.0.0.1:{port}{base}", process, log)
    below: list[psutil.Process] = []
    try:
        wait_for(lambda: _listens(server, port), f"the server: {log.read_text()}")
        yield server
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            below = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        try:
            process.wait(PATIENCE)
        finally:
            for child in below:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()


def _listens(server: Server, port: int) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
