"""Processes that end when the benchmark does, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def end_with_stdin() -> None:
    """End this process when its stdin is closed."""

    def wait() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def helper(module: str, *arguments: str) -> Iterator[None]:
    """Run a module that calls `end_with_stdin`."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE):
        yield
        # Popen's own exit closes stdin and waits.


@contextmanager
def tap(*arguments: str, profile: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Run `kspy tap` until the block ends; it must say that all went well."""
    run = [sys.executable, "-m", "benchmarks.profiling"] if profile else [installed("kspy")]
    process = subprocess.Popen(
        [*run, "tap", *arguments],
        stdin=subprocess.DEVNULL,
        stderr=None if profile else subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        _, said = process.communicate(timeout=120)
    if process.returncode:
        raise RuntimeError(f"kspy tap ended with {process.returncode}: {said}")


def installed(command: str) -> str:
    """Where pip put a command."""
    return str(Path(sys.executable).parent / command)
