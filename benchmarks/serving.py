"""How fast does a served recording answer, beside the kernel that it was recorded from?"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Final, Literal

from benchmarks.messages import KEY
from benchmarks.process import tap
from benchmarks.rig import Client, folder, free_ports, wait_for_connection
from benchmarks.table import Row
from kspy.tap.connection import Connection
from kspy.wire.frames import DELIMITER

Who = Literal["served", "ipykernel"]

_CODE: Final = "total = {}"
_TIMES: Final = 5.0


def measure(*, quick: bool = False, profile: bool = False) -> list[Row]:
    rounds, cells = (3, 20) if quick else (30, 50)
    with folder() as where, ExitStack() as stack:
        kernel_file, recording = where / "ipykernel.json", where / "cells.kspy"
        launcher = ("-m", "ipykernel_launcher", "-f")
        kernel = stack.enter_context(_running(kernel_file, *launcher))
        _record(kernel_file, recording, cells)
        run = ("-m", "benchmarks.profiling" if profile else "kspy")
        serve = (*run, "serve", str(recording), "--fast", "--connection-file")
        served = stack.enter_context(_running(where / "served.json", *serve, heard=profile))
        samples = _interleaved({"ipykernel": kernel, "served": served}, rounds, cells)
    fast, beside = (median(samples[who]) * 1e6 for who in ("served", "ipykernel"))
    ratio = beside / fast
    return [
        Row(
            "a cell run by a served recording, --fast, to reply and idle, p50",
            f"{fast:.0f} µs",
            f"ipykernel {beside:.0f} µs",
            ratio,
            f"≥ {_TIMES:.0f}",
            ratio >= _TIMES,
        )
    ]


class _Client(Client):
    """Runs cells, and waits for both, the reply and the idle."""

    def wait_connected(self) -> None:
        self.run(_CODE.format(0), until_idle=False)
        while not self.iopub.poll(50):
            self.run(_CODE.format(0), until_idle=False)
        while self.iopub.poll(50):
            self.iopub.recv_multipart()

    def run(self, code: str, *, until_idle: bool = True) -> float:
        """How many seconds it took."""
        message = self.execute_request(code)
        receive = self.iopub.recv_multipart
        start = time.perf_counter()
        self.shell.send_multipart(message)
        idle = not until_idle
        while not idle:
            idle = b'"idle"' in (frames := receive())[frames.index(DELIMITER) + 5]
        self.shell.recv_multipart()
        return time.perf_counter() - start


def _interleaved(
    clients: Mapping[Who, _Client], rounds: int, cells: int
) -> Mapping[Who, list[float]]:
    """Seconds of each cell, a few at a time by each."""
    samples: dict[Who, list[float]] = {who: [] for who in clients}
    for number in range(rounds):
        for who in sorted(clients, reverse=bool(number % 2)):
            samples[who] += [clients[who].run(_CODE.format(cell)) for cell in range(cells)]
    return samples


def _record(kernel: Path, path: Path, cells: int) -> None:
    """What ipykernel says to these cells."""
    tapped = str(path.with_suffix(".json"))
    with tap("--existing", str(kernel), "-o", str(path), "--connection-file", tapped):
        client = _Client(wait_for_connection(tapped))
        client.wait_connected()
        for cell in range(cells):
            client.run(_CODE.format(cell))
        client.close()


@contextmanager
def _running(path: Path, *command: str, heard: bool = False) -> Iterator[_Client]:
    """A client of what the command runs, which is told where to listen as kernels are."""
    connection = Connection("tcp", "127.0.0.1", free_ports(), KEY, "hmac-sha256")
    connection.write(str(path))
    with subprocess.Popen(
        [sys.executable, *command, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=None if heard else subprocess.DEVNULL,
    ) as process:
        client = _Client(connection)
        try:
            client.wait_connected()
            yield client
        finally:
            client.close()
            process.terminate()
