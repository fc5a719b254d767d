"""Real Jupyter servers on loopback, with a token; nothing of them stays behind."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
from free_ports import free_port
from tapping import PATIENCE, surroundings, wait_for

Kind = Literal["jupyter_server", "jupyterlab", "kernel_gateway"]


@dataclass(frozen=True)
class Server:
    """A server that runs. `url` has its base path, no token, and no slash at its end."""

    url: str
    token: str
    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """What its REST API says."""
        headers = {"Authorization": f"token {self.token}"}
        if not self.token:
            headers = {"Cookie": "_xsrf=test", "X-XSRFToken": "test"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        context = ssl._create_unverified_context() if self.url.startswith("https") else None
        with urllib.request.urlopen(request, timeout=PATIENCE, context=context) as response:
            return json.loads(response.read() or b"null")

    def kernels(self) -> list[str]:
        return [kernel["id"] for kernel in self.ask("/api/kernels")]

    def kill(self) -> None:
        """End it, and all that it has started, at once."""
        below: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            below = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        for child in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


def own_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that nobody vouches for, and its key."""
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
    return certificate, key


@contextlib.contextmanager
def running_server(
    folder: Path,
    kind: Kind = "jupyter_server",
    *options: str,
    base: str = "",
    token: str | None = None,
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[Server]:
    """A server of this kind; all that it leaves lying is in `folder`.

    token         "": without authentication; None: one of its own
    certificate   for https: the certificate and its key
    """
    port = free_port()
    token = secrets.token_hex(16) if token is None else token
    log = folder / f"server-{port}.log"
    command = [sys.executable, "-m", kind, *_options(kind, port, base, folder), *options]
    if certificate:
        app = "KernelGatewayApp" if kind == "kernel_gateway" else "ServerApp"
        command += [f"--{app}.certfile={certificate[0]}", f"--{app}.keyfile={certificate[1]}"]
    if not token:
        command += ["--IdentityProvider.token="]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=surroundings(
                folder,
                HOME=str(folder),
                JUPYTER_CONFIG_DIR=str(folder / "config"),
                JUPYTER_DATA_DIR=str(folder / "data"),
                JUPYTER_TOKEN=token,
                KG_AUTH_TOKEN=token,
            ),
        )
    url = f"{'https' if certificate else 'http'}://127.0.0.1:{port}{base}"
    server = Server(url, token, process, log)
    try:
        wait_for(lambda: _listens(server, port), f"the server: {log.read_text()}")
        yield server
    finally:
        server.kill()


def _options(kind: Kind, port: int, base: str, folder: Path) -> list[str]:
    if kind == "kernel_gateway":
        return [
            "--KernelGatewayApp.ip=127.0.0.1",
            f"--KernelGatewayApp.port={port}",
            "--KernelGatewayApp.port_retries=0",
            f"--KernelGatewayApp.base_url={base or '/'}",
            "--JupyterWebsocketPersonality.list_kernels=True",
        ]
    return [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.base_url={base or '/'}",
        f"--ServerApp.root_dir={folder}",
        "--no-browser",
        "--allow-root",
    ]


def _listens(server: Server, port: int) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
