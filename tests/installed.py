"""Kernelspecs that `kspy install` made, and sessions of Jupyter's own manager with them.

All goes into a short folder of its own: kernelspecs, recordings, connection files, temporary
files of whatever runs. At the end nothing that has to do with that folder may run.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from click.testing import CliRunner
from command import kspy as run_kspy
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from tapping import PATIENCE, is_left, short_folder, surroundings, wait_for

import kspy
from kspy.cli.install import install
from kspy.recording.event import Event
from kspy.wire.frames import CHANNELS
from kspy.wire.message import Message

TINY = [sys.executable, str(Path(__file__).with_name("tiny_kernel.py")), "-f", "{connection_file}"]
IPYTHON = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]


class Installed:
    """A folder with kernelspecs, one of them tapped; made by `installed`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recordings = folder / "recordings"
        self.environment = {
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_PATH": os.pathsep.join(
                [
                    str(folder / "first" / "share" / "jupyter"),
                    str(folder / "below"),
                    os.environ.get("JUPYTER_PATH", ""),
                ]
            ),
            "JUPYTER_PREFER_ENV_PATH": "0",
            "KSPY_DATA_DIR": str(folder),
        }
        self.stdout = folder / "stdout.txt"
        self.stderr = folder / "stderr.txt"
        self._outputs = {"stdout": self.stdout.open("ab"), "stderr": self.stderr.open("ab")}

    def kspy(self, *arguments: str | Path) -> Any:
        return run_kspy(*arguments, **self.environment)

    def add_below(self, name: str, argv: Sequence[str], **more: Any) -> Path:
        """A kernelspec that can be tapped; its folder."""
        folder = self.folder / "below" / "kernels" / name
        folder.mkdir(parents=True)
        values = {"argv": list(argv), "display_name": name.title(), "language": "python", **more}
        (folder / "kernel.json").write_text(json.dumps(values))
        return folder

    def install(self, kernel: str, *options: str) -> None:
        # In this process, as many tests need it; those of the command itself start the command.
        words = ["--kernel", kernel, "--user", *options]
        done = CliRunner().invoke(install, words, env=self.environment, catch_exceptions=False)
        assert (done.exit_code, done.stderr) == (0, "")

    def manager(self, name: str = "kspy-python3", **options: Any) -> KernelManager:
        """A manager of Jupyter's own, not started."""
        specs = KernelSpecManager(
            kernel_dirs=[
                str(self.folder / "first" / "share" / "jupyter" / "kernels"),
                str(self.folder / "data" / "kernels"),
                str(self.folder / "below" / "kernels"),
                *KernelSpecManager().kernel_dirs,
            ]
        )
        path = self.folder / f"kernel-{os.urandom(4).hex()}-0000.json"
        return KernelManager(
            kernel_name=name, kernel_spec_manager=specs, connection_file=str(path), **options
        )

    def started_with(self, **environment: str) -> Mapping[str, Any]:
        """Options for `start_kernel`."""
        env = {**surroundings(self.folder), **environment}
        return {"env": env, "cwd": str(self.folder), **self._outputs}

    def close(self) -> None:
        for file in self._outputs.values():
            file.close()

    @contextlib.contextmanager
    def session(
        self,
        name: str = "kspy-python3",
        *,
        transport: str = "tcp",
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
        """A kernel that runs, and a client of it; shut down in the end, if it still runs."""
        manager = self.manager(name, transport=transport)
        try:
            manager.start_kernel(**self.started_with(**(env or {})), **options)
            with client_of(manager) as client:
                yield manager, client
        finally:
            manager.shutdown_kernel(now=not manager.is_alive())
            manager.context.destroy(linger=0)

    def files(self) -> list[Path]:
        """The recordings, the last written to at the end: names tell no more than the second."""
        changed = {}
        for path in self.recordings.glob("*.kspy"):
            with contextlib.suppress(FileNotFoundError):  # an old one that has just been taken away
                changed[path] = path.stat().st_mtime_ns
        return sorted(changed, key=changed.__getitem__)

    def messages(self, path: Path | None = None) -> list[Message]:
        with kspy.open(path or self.files()[-1]) as recording:
            found = list(recording)
            for message in found:
                _ = message.frames  # the file is closed afterwards
            return found

    def events(self, name: str = "", path: Path | None = None) -> list[Event]:
        with kspy.open(path or self.files()[-1]) as recording:
            return [event for event in recording.events if name in ("", event.name)]

    def kernel(self) -> psutil.Process:
        """The kernel below, of the latest recording."""
        wait_for(self.files, "the recording")
        events = wait_for(lambda: self.events("kernel_started"), "the kernel")
        return psutil.Process(events[0].data["pid"])

    def warnings(self) -> list[str]:
        """What kspy said on stderr."""
        return [line for line in self.stderr.read_text().splitlines() if line.startswith("kspy:")]

    def running(self) -> list[psutil.Process]:
        """Every process that was started with this folder in its environment or command."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                return False
            ours = str(self.folder)
            return process.environ().get("TMPDIR") == ours or any(
                ours in word for word in process.cmdline()
            )
        return False

    def assert_nothing_left(self) -> None:
        """No process, no temporary file."""
        wait_for(lambda: not self.running(), "the end of all processes")
        assert [path.name for path in self.folder.glob("kspy-*")] == []


@contextlib.contextmanager
def installed(*options: str, kernel: str = "python3") -> Iterator[Installed]:
    """`kspy install --kernel <kernel> --user <options>`, done."""
    with short_folder() as folder:
        place = Installed(folder)
        try:
            if kernel:
                place.install(kernel, *options)
            yield place
            place.assert_nothing_left()
        finally:
            for process in place.running():
                process.kill()
            place.close()


@contextlib.contextmanager
def client_of(manager: KernelManager, *, ready: bool = True) -> Iterator[BlockingKernelClient]:
    client = manager.client()
    client.start_channels()
    try:
        if ready:
            client.wait_for_ready(timeout=PATIENCE)
        yield client
    finally:
        client.stop_channels()


def run_cell(client: Any, code: str, **options: Any) -> Mapping[str, Any]:
    """The reply, and what was printed, as `text`."""
    printed: list[str] = []

    def on_message(message: Any) -> None:
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(code, output_hook=on_message, timeout=PATIENCE, **options)
    return {**reply["content"], "text": "".join(printed)}


def wait_dead(manager: KernelManager) -> int:
    """Its process's status, once it has ended."""
    process = manager.provisioner.process
    wait_for(lambda: process.poll() is not None, "the kernel's end")
    return int(process.returncode)


def open_ports(manager: KernelManager, folder: Path) -> list[int]:
    ports = [int(getattr(manager, f"{channel}_port")) for channel in CHANNELS]
    return [port for port in ports if port and is_left(port, folder)]


def alive(process: psutil.Process) -> bool:
    """Has it not ended? One that nobody has asked after yet has."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
