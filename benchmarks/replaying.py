"""How fast is a session replayed, beside a client of Jupyter's own that drives the same kernel?

Both send a request when the one before has had its reply and its idle. They take turns on one
ipykernel. The replay's time is from its first request to its last idle, as it recorded them.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

import kspy
from benchmarks.process import installed
from benchmarks.rig import folder
from benchmarks.table import Row

_PATIENCE = 60


def measure(*, quick: bool = False, profile: bool = False) -> list[Row]:
    requests, rounds = (100, 1) if quick else (1000, 5)
    codes = [f"{n} * 2" for n in range(requests)]
    with folder() as where, _kernel(where) as connection_file:
        session = where / "session.kspy"
        asyncio.run(_record(session, connection_file, codes))
        direct, replayed = [], []
        for number in range(rounds):
            direct.append(_drive(connection_file, codes))
            output = where / f"again-{number}.kspy"
            replayed.append(_replay(session, connection_file, output, profile=profile))
    ours, theirs = (requests / median(times) for times in (replayed, direct))
    return [
        Row(
            f"`kspy replay --fast` of {requests:,} requests to ipykernel, recording on",
            f"{ours:,.0f} requests/s",
            f"jupyter_client's blocking client {theirs:,.0f} requests/s",
            ours / theirs,
            "≥ 0.9",
            ours / theirs >= 0.9,
        )
    ]


@contextmanager
def _kernel(where: Path) -> Iterator[Path]:
    path = where / "kernel.json"
    manager = KernelManager(kernel_name="python3", connection_file=str(path))
    manager.start_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield path
    finally:
        manager.shutdown_kernel(now=True)
        manager.context.term()


async def _record(path: Path, connection_file: Path, codes: list[str]) -> None:
    async with kspy.connect(connection_file, record=path) as kernel:
        for code in codes:
            content = {"code": code, "silent": False, "store_history": True}
            thread = await kernel.request("execute_request", {**content, "allow_stdin": False})
            await thread.done()


def _drive(connection_file: Path, codes: list[str]) -> float:
    """Seconds that a direct client takes."""
    client = BlockingKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=_PATIENCE)
        start = time.perf_counter()
        for code in codes:
            _execute(client, code)
        return time.perf_counter() - start
    finally:
        client.stop_channels()
        client.context.term()


def _execute(client: Any, code: str) -> None:
    msg_id = client.execute(code, allow_stdin=False)
    while client.get_shell_msg(timeout=_PATIENCE)["parent_header"].get("msg_id") != msg_id:
        pass
    while True:
        message = client.get_iopub_msg(timeout=_PATIENCE)
        if (
            message["parent_header"].get("msg_id") == msg_id
            and message["content"].get("execution_state") == "idle"
        ):
            return


def _replay(session: Path, connection_file: Path, output: Path, *, profile: bool) -> float:
    """Seconds that a replay takes."""
    run = [sys.executable, "-m", "benchmarks.profiling"] if profile else [installed("kspy")]
    arguments = ["--existing", str(connection_file), "--fast", "-o", str(output)]
    subprocess.run(
        [*run, "replay", str(session), *arguments], check=True, stdout=subprocess.DEVNULL
    )
    with kspy.open(output) as recording:
        columns = recording.columns
        return (columns.times[-1] - columns.times[_first_request(columns)]) / 1e9


def _first_request(columns: Any) -> int:
    wanted = columns.names.index("execute_request")
    return int(columns.types.index(wanted))
