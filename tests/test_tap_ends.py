"""How a tap ends: asked to, with its kernel, with its client, or not at all politely."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest
from command import KSPY, kspy
from tapping import (
    HERE,
    PATIENCE,
    Tap,
    answer,
    ask,
    short_folder,
    surroundings,
    tapping,
    wait_for,
    wait_ready,
)

CLIENT = """
import sys
from jupyter_client.blocking.client import BlockingKernelClient
client = BlockingKernelClient(connection_file=sys.argv[1])
client.load_connection_file()
client.start_channels()
client.wait_for_ready(timeout=60)
client.execute_interactive("print('hello from the client')", timeout=60)
client.stop_channels()
sys.exit(int(sys.argv[2]))
"""


def is_whole(tap: Tap) -> bool:
    found = kspy("info", "--json", tap.recording)
    assert found.returncode == 0, found.stderr
    return bool(json.loads(found.stdout)["state"] == "whole")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_its_kernel(number: signal.Signals) -> None:
    with tapping() as tap:
        with tap.client() as client:
            answer(client, client.execute("print(1)"))
        assert tap.end(number) == 0
        assert f"bytes in {tap.recording}" in tap.stderr
        assert "Traceback" not in tap.stderr
        assert is_whole(tap)
        assert tap.events()[-1].name != "gap"
        assert [event.name for event in tap.events()].count("tap_stopped") == 1


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("import os; os._exit(3)", {"exit_status": 3}),
        ("import os; os.kill(os.getpid(), 9)", {"signal": "SIGKILL"}),
        ("import os; os.kill(os.getpid(), 11)", {"signal": "SIGSEGV"}),
    ],
)
def test_a_kernel_that_dies_ends_it_and_is_told_of(code: str, how: dict[str, object]) -> None:
    with tapping() as tap:
        with tap.client() as client:
            client.execute(code)
            assert tap.wait() == 0
        assert [dict(event.data) for event in tap.events("kernel_died")] == [how]
        assert [m.content["code"] for m in tap.messages() if m.msg_type == "execute_request"] == [
            code
        ]
        assert "the kernel ended" in tap.stderr
        assert is_whole(tap)


def test_a_shutdown_request_ends_it() -> None:
    with tapping() as tap:
        with tap.client() as client:
            reply = ask(client, "shutdown_request", {"restart": False})
            assert reply["content"]["status"] == "ok"
            assert tap.wait() == 0
        assert any(m.msg_type == "shutdown_reply" for m in tap.messages())
        assert tap.events("kernel_restarted") == []


def test_a_restart_goes_on_with_the_same_client() -> None:
    with tapping() as tap:
        with tap.client() as client:
            answer(client, client.execute("x = 1"))
            first = tap.events("kernel_started")[0].data["pid"]
            ask(client, "shutdown_request", {"restart": True})
            second = tap.wait_event("kernel_restarted").data["pid"]
            assert second != first
            wait_ready(client)
            reply = answer(client, client.execute("x"))
            assert reply["content"]["ename"] == "NameError"
        assert tap.end() == 0
        lives = ("kernel_started", "kernel_died", "kernel_restarted")
        told = [event.name for event in tap.events() if event.name in lives]
        assert told == ["kernel_started", "kernel_died", "kernel_restarted", "kernel_died"]
        assert is_whole(tap)


@pytest.mark.parametrize("code", [0, 7])
def test_the_clients_exit_code_is_the_taps(code: int) -> None:
    with tapping(
        "--kernel", "python3", "--", sys.executable, "-c", CLIENT, "{connection_file}", str(code)
    ) as tap:
        assert tap.wait() == code, tap.stderr
        assert "hello from the client\n" in tap.stdout
        texts = [m.content["text"] for m in tap.messages() if m.msg_type == "stream"]
        assert "".join(texts) == "hello from the client\n"
        assert is_whole(tap)


def test_the_end_of_a_tap_ends_its_client() -> None:
    sleeper = "import time, sys; time.sleep(600)"
    with tapping(
        "--kernel", "python3", "--", sys.executable, "-c", sleeper, "{connection_file}"
    ) as tap:
        assert tap.end(signal.SIGTERM) == 128 + signal.SIGTERM  # which is how the client ended


def test_ctrl_c_interrupts_the_cell_that_a_client_runs() -> None:
    code = CLIENT.replace("print('hello from the client')", HERE)
    with tapping(
        "--kernel", "python3", "--", sys.executable, "-c", code, "{connection_file}", "5"
    ) as tap:
        tap.wait_recorded(lambda m: m.msg_type == "stream")
        tap.process.send_signal(signal.SIGINT)
        assert tap.wait() == 5
        assert [event.data["by"] for event in tap.events("kernel_interrupted")] == ["signal"]
        assert any(m.content.get("ename") == "KeyboardInterrupt" for m in tap.messages())


def test_a_killed_taps_recording_is_readable_and_can_be_repaired() -> None:
    with tapping() as tap:
        kernel = psutil.Process(tap.events("kernel_started")[0].data["pid"])
        with tap.client() as client:
            for n in range(20):
                answer(client, client.execute(f"print({n})"))
            tap.wait_recorded(lambda m: str(m.content.get("text")).startswith("19"))
            tap.process.kill()
            tap.wait()
        kernel.kill()  # it outlives a tap that could not say goodbye
        tap.connection_file.unlink()
        assert json.loads(kspy("info", "--json", tap.recording).stdout)["state"] == "cut"
        before = kspy("show", tap.recording)
        assert (before.returncode, before.stderr) == (0, "")
        whole = tap.folder / "whole.kspy"
        repaired = kspy("repair", tap.recording, "-o", whole)
        assert repaired.returncode == 0, repaired.stderr
        assert json.loads(kspy("info", "--json", whole).stdout)["state"] == "whole"
        lines = kspy("show", whole).stdout.splitlines()
        assert lines[: len(before.stdout.splitlines())] == before.stdout.splitlines()
        for folder in tap.folder.glob("kspy-*"):  # nor could it clean up
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()


def test_following_a_recording_ends_when_it_ends() -> None:
    with tapping() as tap:
        follower = subprocess.Popen(
            [KSPY, "show", "--follow", "--json", str(tap.recording)],
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        try:
            with tap.client() as client:
                answer(client, client.execute("print('followed')"))
            assert tap.end() == 0
            shown, _ = follower.communicate(timeout=PATIENCE)
        finally:
            follower.kill()
            follower.wait()
        assert follower.returncode == 0
        assert shown == kspy("show", "--json", tap.recording).stdout
        assert "followed" in shown


def test_the_default_places_of_recording_and_connection_file() -> None:
    with short_folder() as folder:
        process = subprocess.Popen(
            [KSPY, "tap", "--kernel", "python3"],
            cwd=folder,
            env=surroundings(folder),
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        try:
            wait_for(lambda: list(folder.glob("kernel-kspy-*.json")), "the connection file")
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, said
        (recording,) = folder.glob("python3-*.kspy")
        assert recording.stat().st_mode & 0o777 == 0o600
        assert not list(folder.glob("kernel-*.json"))
        assert kspy("info", recording).returncode == 0


def test_what_the_user_is_told_fits_on_lines() -> None:
    with tapping(COLUMNS="80") as tap:
        assert tap.end() == 0
        assert all(line == line.strip() and line for line in tap.stderr.splitlines())
        assert os.linesep.join(tap.stderr.splitlines()[-1:]).startswith("read it: kspy show ")
