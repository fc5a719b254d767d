"""Run `kspy send`, and look at what it printed; nothing of it stays behind."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
from command import KSPY
from tapping import PATIENCE, surroundings

import kspy
from kspy.export.json_lines import message_line


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
def sending(
    folder: Path, *arguments: str | Path, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """A `kspy send` while it runs; it and its kernels must be gone at the end."""
    process = subprocess.Popen(
        [KSPY, "send", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=folder,
        env={**surroundings(folder, **environment), "PYTHONIOENCODING": "utf-8"},
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
