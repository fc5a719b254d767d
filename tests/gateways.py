"""Real Jupyter servers and gateways on loopback, `kspy tap --gateway` before them, and clients."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from command import KSPY
from free_ports import free_port
from tapping import PATIENCE, answers, is_left, surroundings, wait_for
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

import kspy
from kspy.recording.event import Event
from kspy.wire.message import Message
from kspy.wire.websocket import V1, encoding_of, pack, unpack

CODE = "print('Hello', 'world!')"


class Background:
    """A process that is ended, with all below it, at the end of its block."""

    def __init__(self, folder: Path, name: str, command: Sequence[str], **environment: str) -> None:
        self.log = folder / f"{name}.txt"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=surroundings(folder, **environment),
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def find(self, pattern: str) -> str:
        """Wait until it has printed what `pattern` finds; the first group."""

        def look() -> str | None:
            found = re.search(pattern, self.said)
            assert found or self.process.poll() is None, self.said
            return found[1] if found else None

        return wait_for(look, f"{pattern} in {self.log}")

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def force_end(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            below = psutil.Process(self.process.pid).children(recursive=True)
            for process in below:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.kill()
        self.process.wait()


class Server:
    """A server that runs: `url` with the base path and no slash at its end, and its token."""

    def __init__(self, process: Background, url: str, token: str) -> None:
        self.process = process
        self.url = url
        self.token = token


@contextlib.contextmanager
def running_server(
    folder: Path,
    *,
    kind: str = "server",
    base: str = "/",
    options: Sequence[str] = (),
    port: int = 0,
) -> Iterator[Server]:
    """A `jupyter server`, `jupyter lab` or `jupyter kernelgateway`, as `kind` says."""
    port, token = port or free_port(), secrets.token_hex(16)
    command = [sys.executable, "-m"]
    if kind == "gateway":
        command += ["kernel_gateway", f"--KernelGatewayApp.port={port}"]
        command += [
            "--KernelGatewayApp.ip=127.0.0.1",
            f"--KernelGatewayApp.auth_token={token}",
            f"--KernelGatewayApp.base_url={base}",
            "--JupyterWebsocketPersonality.list_kernels=True",
        ]
    else:
        command += ["jupyterlab" if kind == "lab" else "jupyter_server"]
        command += [
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            "--ServerApp.ip=127.0.0.1",
            "--no-browser",
            "--allow-root",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.base_url={base}",
            f"--ServerApp.root_dir={folder}",
        ]
    process = Background(
        folder,
        kind,
        [*command, *options],
        JUPYTER_CONFIG_DIR=str(folder / "config"),
        JUPYTER_DATA_DIR=str(folder / "data"),
        JUPYTERLAB_SETTINGS_DIR=str(folder / "lab"),
        JUPYTERLAB_WORKSPACES_DIR=str(folder / "lab"),
        # A server without JupyterLab and other extensions starts in two thirds of the time.
        **({} if kind == "lab" else {"JUPYTER_NO_CONFIG": "1"}),
    )

    def up() -> bool:
        assert process.process.poll() is None, process.said
        return answers(port)

    try:
        wait_for(up, f"the {kind}")
        yield Server(process, f"http://127.0.0.1:{port}{base.rstrip('/')}", token)
    finally:
        process.force_end()


class GatewayTap(Background):
    """A `kspy tap --gateway` that listens; `url` is what it says to connect to."""

    def __init__(self, folder: Path, url: str, *options: str) -> None:
        self.recordings = folder / "recordings"
        command = [KSPY, "tap", "--gateway", url, "--recordings", str(self.recordings), *options]
        super().__init__(folder, "tap", command)
        self.url = self.find(r"connect to: (\S+)").rstrip("/")

    @property
    def port(self) -> int:
        found = re.search(r":(\d+)", self.url)
        assert found
        return int(found[1])

    def files(self) -> list[Path]:
        """The recordings; one that has only just been made is still empty."""
        return sorted(path for path in self.recordings.glob("*.kspy") if path.stat().st_size)

    def file(self) -> Path:
        """The one recording."""
        (path,) = self.files()
        return path

    def messages(self, path: Path | None = None) -> list[Message]:
        """What is in the recording by now; without one none."""
        if path is None and not self.files():
            return []
        with kspy.open(path or self.file()) as recording:
            found = list(recording)
            for message in found:
                _ = message.frames
            return found

    def events(self, name: str = "") -> list[Event]:
        if not self.files():
            return []
        with kspy.open(self.file()) as recording:
            return [event for event in recording.events if name in ("", event.name)]

    def wait_event(self, name: str, count: int = 1) -> Event:
        def look() -> Event | None:
            found = self.events(name)
            return found[-1] if len(found) >= count else None

        return wait_for(look, f"the event {name}")

    def wait_recorded(self, wanted: Callable[[Message], Any]) -> Message:
        return wait_for(
            lambda: next(filter(wanted, self.messages()), None), "a message in the recording"
        )


@contextlib.contextmanager
def tapping_gateway(folder: Path, url: str, *options: str) -> Iterator[GatewayTap]:
    """`kspy tap --gateway`; at the end it is asked to end, and must end well."""
    tap = GatewayTap(folder, url, *options)
    try:
        yield tap
        if tap.process.poll() is None:
            assert tap.end() == 0, tap.said
        assert "Traceback" not in tap.said
        assert "eof_received" not in tap.said  # what asyncio would say of a mistake over TLS
        assert not is_left(tap.port, folder)
    finally:
        tap.force_end()


class Client:
    """Tornado's own clients, at a tap or at a server."""

    def __init__(self, url: str, token: str, tap: GatewayTap | None = None) -> None:
        self.url = url
        self.token = token
        self._tap = tap

    @property
    def tap(self) -> GatewayTap:
        assert self._tap is not None
        return self._tap

    async def ask(
        self, method: str, path: str, value: Any = None, *, token: str | None = None
    ) -> HTTPResponse:
        headers = {"Authorization": f"token {self.token if token is None else token}"}
        request = HTTPRequest(
            f"{self.url}{path}",
            method=method,
            headers=headers,
            body=None if value is None else json.dumps(value),
            allow_nonstandard_methods=True,
            request_timeout=PATIENCE,
        )
        return await AsyncHTTPClient(force_instance=True).fetch(request, raise_error=False)

    async def start_kernel(self) -> str:
        """A new kernel's id."""
        response = await self.ask("POST", "/api/kernels", {"name": "python3"})
        assert response.code == 201, response.body
        kernel_id: str = json.loads(response.body)["id"]
        return kernel_id

    @contextlib.asynccontextmanager
    async def connect(
        self,
        kernel_id: str,
        *,
        v1: bool = False,
        compressed: bool = False,
        session: str = "",
        token: str | None = None,
    ) -> AsyncIterator[Channels]:
        """The kernel's channels over a WebSocket."""
        session = session or uuid.uuid4().hex
        url = f"ws{self.url[4:]}/api/kernels/{kernel_id}/channels?session_id={session}"
        request = HTTPRequest(
            url,
            headers={"Authorization": f"token {self.token if token is None else token}"},
            connect_timeout=PATIENCE,
        )
        socket_ = await websocket_connect(
            request,
            compression_options={} if compressed else None,
            subprotocols=[V1] if v1 else None,
            max_message_size=1 << 30,
        )
        try:
            yield Channels(socket_, session)
        finally:
            socket_.close()


class Channels:
    """A WebSocket to a kernel. `sent` and `received` are payloads as they were, in order."""

    def __init__(self, connection: WebSocketClientConnection, session: str) -> None:
        self.connection = connection
        self.session = session
        self.sent: list[bytes] = []
        self.received: list[bytes] = []

    @property
    def subprotocol(self) -> str:
        return self.connection.selected_subprotocol or ""

    async def send(
        self,
        msg_type: str,
        content: Mapping[str, Any],
        channel: str = "shell",
        buffers: Sequence[bytes] = (),
    ) -> str:
        """Its msg_id."""
        msg_id = uuid.uuid4().hex
        header = {
            "msg_id": msg_id,
            "msg_type": msg_type,
            "session": self.session,
            "username": "tester",
            "date": "2026-11-20T21:00:00.123456Z",
            "version": "5.4",
        }
        payload, is_text = pack(channel, header, {}, {}, content, buffers, self.subprotocol)
        self.sent.append(payload)
        await self.connection.write_message(payload, binary=not is_text)
        return msg_id

    async def execute(self, code: str = CODE) -> str:
        return await self.send("execute_request", {"code": code, "silent": False})

    async def receive(self) -> tuple[str, dict[str, Any]]:
        """The channel, and a map of the parts."""
        message = await self.connection.read_message()
        assert message is not None, self.connection.close_code
        is_text = isinstance(message, str)
        payload = message.encode() if isinstance(message, str) else message
        self.received.append(payload)
        found = unpack(payload, encoding_of(text=is_text, subprotocol=self.subprotocol))
        assert found is not None
        names = ("header", "parent_header", "metadata", "content")
        parts = {name: json.loads(getattr(found.parts, name)) for name in names}
        return found.channel, {**parts, "buffers": found.parts.buffers}

    async def until(
        self, msg_type: str, parent: str = "", wanted: Callable[[Any], Any] = bool
    ) -> dict[str, Any]:
        """Read on until such a message comes, about the request `parent` if given."""
        while True:
            _, message = await self.receive()
            is_it = message["header"]["msg_type"] == msg_type and wanted(message["content"])
            if is_it and parent in ("", message["parent_header"].get("msg_id")):
                return message

    async def run(self, code: str = CODE) -> str:
        """Run code until the kernel is idle and has replied, in whatever order; what it prints."""
        request = await self.execute(code)
        printed = ""
        left = {"execute_reply", "idle"}
        while left:
            _, message = await self.receive()
            if message["parent_header"].get("msg_id") == request:
                left.discard(message["header"]["msg_type"])
                left.discard(message["content"].get("execution_state", ""))
                printed += message["content"].get("text", "")
        return printed
