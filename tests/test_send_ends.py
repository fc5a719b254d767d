"""How `kspy send` ends: kernels that die, signals, a closed output; no kernel stays behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from speaking import kernels_of, read_until, sending, sent, types
from tapping import HERE, PATIENCE, running_kernel, short_folder, surroundings, wait_for

import kspy


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


def test_a_kernel_that_dies_meanwhile(folder: Path) -> None:
    recording = folder / "died.kspy"
    code = "print('here', flush=True); import os; os._exit(3)"
    with sending(folder, "--code", code, "--kernel", "python3", "-o", recording) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "execute_request" in out
    assert err.splitlines()[-1] == "kspy: kernel python3: it died (exit status 3)"
    assert kernels_of(folder) == []
    with kspy.open(recording) as opened:
        assert opened.state == "whole"
        names = [event.name for event in opened.events]
    assert names[0] == "kernel_started"
    assert names[-1] == "kernel_died"


def test_a_running_kernel_that_is_killed_meanwhile(folder: Path) -> None:
    kernel = folder / "kernel-doomed.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "ipykernel_launcher", "-f", str(kernel)],
        env=surroundings(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(kernel.exists, "the connection file")
        with sending(folder, "--code", HERE, "--existing", kernel) as sender:
            read_until(sender, "stream")
            process.kill()
            _, err = sender.communicate(timeout=PATIENCE)
        assert sender.returncode == 2
        assert err == f"kspy: {kernel}: the kernel is gone\n"
    finally:
        process.kill()
        process.wait()


def test_shutdown_is_answered_before_the_kernel_ends(folder: Path) -> None:
    ran = sent(
        folder, "--type", "shutdown_request", "--content", '{"restart": false}', "--kernel",
        "python3", "--json",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "shutdown_reply" in types(ran.stdout)


def test_ctrl_c_interrupts_the_kernel_that_was_started(folder: Path) -> None:
    with sending(folder, "--code", HERE, "--kernel", "python3") as process:
        read_until(process, "stream")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "KeyboardInterrupt" in out
    assert err.splitlines()[-1] == "kspy: interrupted the kernel; Ctrl-C again to end"
    assert kernels_of(folder) == []


def test_the_second_ctrl_c_ends_it_all(folder: Path) -> None:
    stubborn = (
        "import time\nprint('here', flush=True)\nwhile True:\n"
        "    try: time.sleep(0.05)\n    except KeyboardInterrupt: print('no', flush=True)"
    )
    with sending(folder, "--code", stubborn, "--kernel", "python3") as process:
        read_until(process, "stream")
        process.send_signal(signal.SIGINT)
        read_until(process, "no")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert kernels_of(folder) == []


def test_who_is_killed_leaves_no_kernel_behind(folder: Path) -> None:
    sleeps = ["/bin/sh", "-c", "sleep 600; true", "-f", "{connection_file}"]
    kernelspec = folder / "jupyter" / "kernels" / "sleeps"
    kernelspec.mkdir(parents=True)
    values = {"argv": sleeps, "display_name": "Sleeps", "language": "none"}
    (kernelspec / "kernel.json").write_text(json.dumps(values))
    with sending(
        folder, "--code", "1", "--kernel", "sleeps", JUPYTER_PATH=str(folder / "jupyter")
    ) as process:
        wait_for(lambda: len(kernels_of(folder)) == 2, "the kernel and its folder")
        time.sleep(2)  # its guardian is told of it a moment after it has started
        process.kill()
        process.communicate(timeout=PATIENCE)
        wait_for(lambda: not kernels_of(folder), "the end of both")


@pytest.mark.parametrize("when", ["while it runs", "while the kernel starts"])
def test_sigterm_leaves_no_kernel_behind(folder: Path, when: str) -> None:
    with sending(folder, "--code", HERE, "--kernel", "python3") as process:
        if when == "while it runs":
            read_until(process, "stream")
        else:
            wait_for(lambda: kernels_of(folder), "the kernel's folder")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert kernels_of(folder) == []


def test_ctrl_c_leaves_alone_a_kernel_that_was_there(folder: Path) -> None:
    with running_kernel(folder) as kernel:
        code = "print('here', flush=True); import time; time.sleep(2); print('whole')"
        with sending(folder, "--code", code, "--existing", kernel) as process:
            read_until(process, "stream")
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        ran = sent(folder, "--code", "print(In[1][:5])", "--existing", kernel)
        assert ran.returncode == 0
        assert "print⏎" in ran.stdout


def test_an_output_that_is_closed_ends_it_quietly(folder: Path) -> None:
    with sending(folder, "--code", HERE, "--kernel", "python3") as process:
        assert process.stdout is not None
        read_until(process, "stream")
        process.stdout.close()
        process.stdout = None
        process.send_signal(signal.SIGINT)  # the kernel says more, and there is nobody to read it
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert kernels_of(folder) == []
