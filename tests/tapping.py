"""Run the installed `kspy tap` as a user does, and see that nothing of it is left behind.

Every tap has a folder of its own, which is also Jupyter's runtime folder and the folder for
temporary files of all that runs below the tap.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psutil
from command import KSPY
from jupyter_client.blocking.client import BlockingKernelClient

import kspy
from kspy.errors import KspyError
from kspy.recording.event import Event
from kspy.wire.frames import CHANNELS
from kspy.wire.message import Message

PATIENCE = 60.0
"""Seconds to wait for what must happen; only a test that fails waits so long."""

SLEEP = "import time; [time.sleep(0.05) for _ in range(2000)]"
"""A cell that runs until it is interrupted. Python sees no signal that comes in the moment before
it begins to sleep until it has slept."""

HERE = f"print('here', flush=True); {SLEEP}"
"""And says so when it does: before that, an interrupt may hit the kernel itself."""

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found | None], what: str) -> Found:
    """Call `look` until it gives something true."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


class Tap:
    """A `kspy tap` that runs, or ran; made by `tapping`."""

    def __init__(self, folder: Path, arguments: tuple[str, ...], **environment: str) -> None:
        self.folder = folder
        self.recording = folder / "session.kspy"
        self.connection_file = folder / "client.json"
        self.connection: dict[str, Any] = {}
        self._known: set[psutil.Process] = set()
        self._stderr = folder / "stderr.txt"
        self._stdout = folder / "stdout.txt"
        command = [KSPY, "tap", "-o", str(self.recording)]
        if "-o" in arguments:
            self.recording = Path(arguments[arguments.index("-o") + 1])
            command = command[:2]
        if "--connection-file" not in arguments:
            command += ["--connection-file", str(self.connection_file)]
        with self._stderr.open("wb") as stderr, self._stdout.open("wb") as stdout:
            self.process = subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd=folder,
                env=surroundings(folder, **environment),
            )

    def wait_ready(self) -> None:
        """Wait until clients can connect and the kernel listens, or until it ended."""
        wait_for(self._ready, "the tap's connection file")
        wait_for(self._kernel_ready, "the kernel")
        with contextlib.suppress(psutil.NoSuchProcess):
            self._known.update(psutil.Process(self.process.pid).children(recursive=True))

    def _ready(self) -> bool:
        if self.process.poll() is not None:
            return True
        with contextlib.suppress(OSError, ValueError):
            self.connection = json.loads(self.connection_file.read_bytes())
        return bool(self.connection)

    def _kernel_ready(self) -> bool:
        # A client that finds no heartbeat for a second gives the kernel up, tap or no tap.
        if self.process.poll() is not None:
            return True
        with contextlib.suppress(KspyError):  # it may end, and remove the recording, meanwhile
            return len(self.events("kernel_connected")) >= len(CHANNELS)
        return False

    @property
    def stderr(self) -> str:
        return self._stderr.read_text()

    @property
    def stdout(self) -> str:
        return self._stdout.read_text()

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to end; its exit code."""
        if self.process.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                self._known.update(psutil.Process(self.process.pid).children(recursive=True))
            self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait until it ends by itself; its exit code."""
        return self.process.wait(PATIENCE)

    @contextlib.contextmanager
    def client(self, *, ready: bool = True) -> Iterator[BlockingKernelClient]:
        """A client of Jupyter's own, connected through the tap."""
        with connected(self.connection_file, ready=ready) as client:
            yield client

    def messages(self) -> list[Message]:
        """What is in the recording by now."""
        with kspy.open(self.recording) as recording:
            found = list(recording)
            for message in found:
                _ = message.frames  # the file is closed afterwards
            return found

    def events(self, name: str = "") -> list[Event]:
        """The recording's events of that name, or all."""
        with kspy.open(self.recording) as recording:
            return [event for event in recording.events if name in ("", event.name)]

    def wait_recorded(self, wanted: Callable[[Message], Any]) -> Message:
        """Wait until a message like that is in the recording."""
        return wait_for(
            lambda: next(filter(wanted, self.messages()), None), "a message in the recording"
        )

    def wait_frames(self, frames: Sequence[bytes]) -> Message:
        """Wait until a message of these frames is in the recording."""
        wanted = list(frames)
        return self.wait_recorded(lambda message: list(message.frames) == wanted)

    def wait_event(self, name: str) -> Event:
        return wait_for(lambda: next(iter(self.events(name)), None), f"the event {name}")

    def left_behind(self) -> list[str]:
        """Processes, files and ports that are still there after its end."""
        _, alive = psutil.wait_procs(self._known, timeout=PATIENCE)
        left = [f"process {process.pid}" for process in alive]
        expected = {self.recording.name, self._stderr.name, self._stdout.name}
        left += [f"file {path.name}" for path in self.folder.glob("kernel-kspy-*")]
        left += [f"file {path.name}" for path in self.folder.glob("kspy-*")]
        left += [f"file {path.name}" for path in self.folder.glob("client*")]
        assert not expected & {word.removeprefix("file ") for word in left}
        if self.connection.get("transport") == "tcp":
            ports = [self.connection[f"{channel}_port"] for channel in CHANNELS]
            left += [f"port {port}" for port in ports if is_left(port, self.folder)]
        return left

    def force_end(self) -> None:
        """End all of it, whatever state it is in."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._known.update(psutil.Process(self.process.pid).children(recursive=True))
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for process in self._known:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(self._known, timeout=PATIENCE)


def surroundings(folder: Path, **more: str) -> Mapping[str, str]:
    """The environment for what a test starts, with `folder` for all that it leaves lying."""
    return {
        **os.environ,
        "JUPYTER_RUNTIME_DIR": str(folder),
        "TMPDIR": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        **more,
    }


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A folder with a path short enough for ipc addresses below it."""
    path = Path(tempfile.mkdtemp(prefix="k", dir="/tmp"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def tapping(*arguments: str, **environment: str) -> Iterator[Tap]:
    """`kspy tap` with these arguments (default: `--kernel python3`), ready for clients.

    At the end of the block it is asked to end, if it still runs, and must leave nothing behind.
    """
    with short_folder() as folder:
        tap = Tap(folder, arguments or ("--kernel", "python3"), **environment)
        try:
            tap.wait_ready()
            yield tap
            tap.end()
            assert tap.left_behind() == []
        finally:
            tap.force_end()


def wait_ready(client: BlockingKernelClient) -> None:
    """Wait until the kernel answers; one silent for a second is not dead, as the client has it."""

    def answers() -> bool:
        try:
            client.wait_for_ready(timeout=PATIENCE)
        except RuntimeError as error:
            if "died" not in str(error):
                raise
            return False
        return True

    wait_for(answers, "the kernel")


@contextlib.contextmanager
def connected(connection_file: Path, *, ready: bool = True) -> Iterator[BlockingKernelClient]:
    """A client of Jupyter's own; `ready`: wait until the kernel answers."""
    client = BlockingKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    client.start_channels()
    try:
        if ready:
            wait_ready(client)
        yield client
    finally:
        client.stop_channels()
        client.context.term()


@contextlib.contextmanager
def running_kernel(folder: Path, **options: Any) -> Iterator[Path]:
    """A kernel without a tap; its connection file."""
    from jupyter_client.manager import KernelManager

    path = folder / "kernel-untapped.json"
    transport = options.pop("transport", "tcp")
    manager = KernelManager(kernel_name="python3", connection_file=str(path), transport=transport)
    manager.start_kernel(
        env=dict(surroundings(folder)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **options,
    )
    try:
        yield path
        assert manager.is_alive(), "the kernel did not live on"
    finally:
        manager.shutdown_kernel(now=True)
        manager.context.term()


def answers(port: int) -> bool:
    """Does anybody listen there?"""
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_left(port: int, folder: Path) -> bool:
    """Does anybody listen there who was started with `folder`?

    The system may have given the port to another test by now.
    """
    return answers(port) and any(
        started_with(folder, listener.pid)
        for listener in psutil.net_connections("tcp")
        if listener.status == psutil.CONN_LISTEN and listener.laddr[1:] == (port,) and listener.pid
    )


def started_with(folder: Path, pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).environ().get("JUPYTER_RUNTIME_DIR") == str(folder)
    return False


def ask(client: Any, msg_type: str, content: Mapping[str, Any], channel: str = "control") -> Any:
    """Send a request, and give its reply."""
    message = client.session.msg(msg_type, dict(content))
    getattr(client, f"{channel}_channel").send(message)
    return answer(client, message["header"]["msg_id"], channel)


def answer(client: Any, msg_id: str, channel: str = "shell") -> Any:
    """The reply to a request."""
    while True:
        reply = getattr(client, f"get_{channel}_msg")(timeout=PATIENCE)
        if reply["parent_header"].get("msg_id") == msg_id:
            return reply


def until_idle(client: Any, msg_id: str) -> list[Any]:
    """All that the kernel publishes for a request, to the end."""
    found = []
    while True:
        message = client.get_iopub_msg(timeout=PATIENCE)
        if message["parent_header"].get("msg_id") != msg_id:
            continue
        found.append(message)
        if message["content"].get("execution_state") == "idle":
            return found
