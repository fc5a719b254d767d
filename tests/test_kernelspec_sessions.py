"""A tapped kernelspec gives sessions like those without a tap, and leaves a recording of each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sysconfig
import venv
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from installed import IPYTHON, Installed, alive, installed, run_cell, wait_dead
from nbclient import NotebookClient
from tapping import PATIENCE, ask, connected, surroundings, wait_for
from test_tap_kernel_test import outcomes

import kspy

COUNT_SIGNALS = """
import signal, time
found = []
signal.signal(signal.SIGINT, lambda *_: found.append(1))
print("ready", flush=True)
end = time.monotonic() + 60
while not found and time.monotonic() < end:
    time.sleep(0.01)
time.sleep(0.3)
print("got", len(found))
"""


def interrupted_cell(place: Installed, client: Any, interrupt: Any) -> str:
    """What the cell printed that counts the signals it gets."""
    printed: list[str] = []

    def on_message(message: Any) -> None:
        text = message["content"].get("text", "")
        printed.append(text)
        if "ready" in text:
            interrupt()

    client.execute_interactive(COUNT_SIGNALS, output_hook=on_message, timeout=PATIENCE)
    return "".join(printed)


def test_a_session_leaves_a_recording() -> None:
    with installed() as place:
        with place.session() as (manager, client):
            assert run_cell(client, "print(6 * 7)")["text"] == "42\n"
            kernel = place.kernel()
            assert kernel.pid != manager.provisioner.pid
        assert not alive(kernel)
        [path] = place.files()
        assert path.stat().st_mode & 0o777 == 0o600
        assert place.recordings.stat().st_mode & 0o777 == 0o700
        assert path.name.startswith("python3-")
        assert path.stem.endswith(Path(manager.connection_file).stem[7:15])
        info = json.loads(place.kspy("info", "--json", path).stdout)
        assert info["state"] == "whole"
        assert info["kernel"]["name"] == "python3"
        assert any(str(m.content.get("text")).startswith("42") for m in place.messages())
        names = [event.name for event in place.events()]
        assert names[:2] == ["tap_started", "kernel_started"]
        assert "kernel_died" in names
        assert names[-1] == "tap_stopped"
        key = manager.session.key
        assert key
        assert key not in path.read_bytes()
        assert place.warnings() == []


def test_the_suite_gives_the_same_result_with_and_without(tmp_path: Path) -> None:
    with installed() as place:
        with place.session("python3") as (manager, _):
            without = outcomes(Path(manager.connection_file))
        with place.session() as (manager, _):
            through = outcomes(Path(manager.connection_file))
        assert len(place.messages()) > 100
    assert through == without
    assert list(without.values()).count("passed") >= 11


def test_a_notebook_gives_the_same_outputs_with_and_without() -> None:
    cells = [
        "print('text')",
        "import sys; print('warning', file=sys.stderr)",
        "{'a': [1, 2]}",
        "from IPython.display import HTML, display; display(HTML('<b>bold</b>'))",
        "raise ValueError('no')",
        "from IPython.display import clear_output; print(1); clear_output(); print(2)",
    ]

    def outputs(place: Installed, name: str) -> list[Any]:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        manager = place.manager(name)
        manager.client_class = "jupyter_client.asynchronous.AsyncKernelClient"
        client = NotebookClient(notebook, km=manager, allow_errors=True, timeout=PATIENCE)
        client.execute(**place.started_with())
        manager.shutdown_kernel()
        return [cell.outputs for cell in client.nb.cells]

    with installed() as place:
        through = outputs(place, "kspy-python3")
        assert through == outputs(place, "python3")
        assert sum(map(len, through)) >= len(cells)
        assert any(m.content.get("ename") == "ValueError" for m in place.messages())


@pytest.mark.parametrize("how", ["group", "process"])
def test_an_interrupt_signal_comes_once(how: str) -> None:
    with installed() as place, place.session() as (manager, client):
        pid = manager.provisioner.pid
        send = os.killpg if how == "group" else os.kill
        printed = interrupted_cell(place, client, lambda: send(pid, signal.SIGINT))
        assert printed.endswith("got 1\n")
        assert run_cell(client, "print('alive')")["text"] == "alive\n"
        interrupts = wait_for(lambda: place.events("kernel_interrupted"), "the event")
        assert [event.data["by"] for event in interrupts] == ["signal"]
        after = place.messages()[interrupts[0].seq :]
        assert all(message.time_ns >= interrupts[0].time_ns for message in after)


def test_an_interrupt_message_passes() -> None:
    with installed(kernel="") as place:
        place.add_below("messages", IPYTHON, interrupt_mode="message")
        place.install("messages")
        with place.session("kspy-messages") as (manager, client):
            assert manager.kernel_spec.interrupt_mode == "message"
            assert interrupted_cell(place, client, manager.interrupt_kernel).endswith("got 1\n")
        assert any(m.msg_type == "interrupt_request" for m in place.messages())
        assert any(m.msg_type == "interrupt_reply" for m in place.messages())


def test_the_kernelspecs_environment_is_applied_once() -> None:
    with installed(kernel="") as place:
        place.add_below("env", IPYTHON, env={"TRAIL": "${TRAIL}:spec", "OTHER": "x"})
        place.install("env")
        with place.session("kspy-env", env={"TRAIL": "frontend"}) as (_, client):
            code = "import os; print(os.environ['TRAIL'], os.environ['OTHER'])"
            assert run_cell(client, code)["text"] == "frontend:spec x\n"


def test_what_lies_in_the_notebooks_folder_is_not_imported() -> None:
    with installed() as place:
        for name in ("json", "zmq", "kspy", "subprocess"):
            (place.folder / f"{name}.py").write_text("raise SystemExit('imported by mistake')")
        manager = place.manager()
        try:
            manager.start_kernel(**place.started_with())
            wait_for(place.files, "the recording")
            assert manager.is_alive()
        finally:
            manager.shutdown_kernel(now=True)
            manager.context.destroy(linger=0)
        assert "imported by mistake" not in str(place.warnings())


def test_modules_that_a_kernelspec_gives_its_kernel_are_not_the_wrappers() -> None:
    with installed(kernel="") as place:
        modules = place.folder / "modules"
        modules.mkdir()
        (modules / "kspy.py").write_text("mine = 5")
        place.add_below("modules", IPYTHON, env={"PYTHONPATH": str(modules)})
        install = "from kspy.cli.main import run; run()"
        words = ["-c", install, "install", "--kernel", "modules", "--user"]
        environment = {**os.environ, **place.environment}
        environment.pop("PYTHONPATH", None)
        subprocess.run([python_with_kspy(place.folder), *words], env=environment, check=True)
        with place.session("kspy-modules") as (_, client):
            assert run_cell(client, "import kspy; print(kspy.mine)")["text"] == "5\n"
        assert place.warnings() == []
        assert any(str(m.content.get("text")).startswith("5") for m in place.messages())


def python_with_kspy(folder: Path) -> str:
    """A Python that finds the kspy of these tests, and what that needs, without PYTHONPATH."""
    venv.create(folder / "venv")
    [packages] = (folder / "venv").glob("lib/python*/site-packages")
    paths = [str(Path(kspy.__file__).parents[1]), sysconfig.get_path("purelib")]
    (packages / "kspy.pth").write_text("\n".join(paths))
    return str(folder / "venv" / "bin" / "python")


def test_what_the_kernel_prints_to_its_descriptors_comes_as_it_is() -> None:
    raw = b"\xff\x00 raw, no line"
    with installed() as place, place.session() as (_, client):
        run_cell(client, f"import os; _ = os.write(1, {raw!r}); _ = os.write(2, {raw!r})")
        wait_for(lambda: raw in place.stderr.read_bytes(), "what the kernel wrote")
        assert place.stdout.read_bytes() == raw


def test_the_debugger_works_and_is_told_of() -> None:
    with installed() as place, place.session() as (manager, client):
        assert manager.kernel_spec.metadata["debugger"] is True
        request = {"type": "request", "seq": 1, "command": "debugInfo", "arguments": {}}
        reply = ask(client, "debug_request", request)
        assert reply["content"]["body"]["isStarted"] is False
        request |= {"seq": 2, "command": "initialize", "arguments": {"adapterID": ""}}
        assert ask(client, "debug_request", request)["content"]["success"] is True


def test_curve_is_passed_on() -> None:
    with installed() as place:
        with place.session(transport_encryption="required") as (manager, client):
            assert manager.curve_publickey
            assert run_cell(client, "print(1)")["text"] == "1\n"
        assert "without encryption" not in place.stderr.read_text()
        secret = manager.curve_secretkey
        assert secret not in place.files()[-1].read_bytes()


def test_ipc_is_passed_on() -> None:
    with installed() as place:
        with place.session(transport="ipc") as (_, client):
            assert run_cell(client, "print(1)")["text"] == "1\n"
            assert len(list(place.folder.glob("kernel-*-ipc-*"))) == 5
            assert len(list(place.folder.glob("kspy-*/kernel-*"))) == 5
        assert list(place.folder.glob("*-ipc-*")) == []


def test_a_restart_keeps_the_ports_and_makes_another_recording() -> None:
    with installed() as place, place.session() as (manager, client):
        run_cell(client, "x = 1")
        first = place.kernel()

        def have_cells(recordings: int) -> bool:
            return recordings == sum(
                any(message.msg_type == "execute_request" for message in place.messages(path))
                for path in place.files()
            )

        for number, now in ((2, False), (3, True)):
            manager.restart_kernel(now=now)
            client.wait_for_ready(timeout=PATIENCE)
            assert run_cell(client, "x")["ename"] == "NameError"
            # Who is killed, as it is next, has not written what passed just before.
            wait_for(partial(have_cells, number), f"{number} recordings")
        assert len(place.files()) == 3
        assert not alive(first)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("import os; os._exit(3)", 3),
        ("import os; os._exit(0)", 0),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import os; os.kill(os.getpid(), 11)", -signal.SIGSEGV),
        ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM),
    ],
)
def test_the_frontend_sees_its_kernel_die(code: str, status: int) -> None:
    with installed() as place, place.session() as (manager, client):
        client.execute(code)
        assert wait_dead(manager) == status
        assert not manager.is_alive()
        died = {"exit_status": status} if status >= 0 else {"signal": signal.Signals(-status).name}
        assert [dict(event.data) for event in place.events("kernel_died")] == [died]
        assert any(m.content.get("code") == code for m in place.messages())


def test_a_signal_that_ends_the_kernel_ends_both() -> None:
    with installed() as place, place.session() as (manager, _):
        kernel = place.kernel()
        os.kill(manager.provisioner.pid, signal.SIGTERM)
        assert wait_dead(manager) == -signal.SIGTERM
        assert not alive(kernel)
        assert [event.data["signal"] for event in place.events("kernel_signalled")] == ["SIGTERM"]


@pytest.mark.parametrize("how", ["group", "process"])
def test_the_kernel_does_not_outlive_a_wrapper_that_is_killed(how: str) -> None:
    with installed() as place, place.session() as (manager, client):
        code = "import subprocess; p = subprocess.Popen(['sleep', '600']); print(p.pid)"
        child = psutil.Process(int(run_cell(client, code)["text"]))
        kernel = place.kernel()
        send = os.killpg if how == "group" else os.kill
        send(manager.provisioner.pid, signal.SIGKILL)
        assert wait_dead(manager) == -signal.SIGKILL
        wait_for(lambda: not alive(kernel), "the kernel's end")
        wait_for(lambda: not alive(child), "the end of the kernel's child")


FRONTEND = """
import sys, time
from jupyter_client.manager import KernelManager
from jupyter_client.kernelspec import KernelSpecManager
specs = KernelSpecManager(kernel_dirs=[sys.argv[1]])
manager = KernelManager(kernel_name="kspy-python3", kernel_spec_manager=specs)
manager.start_kernel(independent=sys.argv[2] == "independent")
print(manager.provisioner.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("kind", ["dependent", "independent"])
def test_the_kernel_ends_with_its_frontend_unless_it_is_independent(kind: str) -> None:
    with installed() as place:
        frontend = subprocess.Popen(
            [IPYTHON[0], "-c", FRONTEND, str(place.folder / "data" / "kernels"), kind],
            env=surroundings(place.folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert frontend.stdout is not None
        wrapper = psutil.Process(int(frontend.stdout.readline()))
        kernel = place.kernel()
        wait_for(lambda: len(place.events("kernel_connected")) == 5, "the kernel")
        frontend.kill()
        frontend.wait()
        frontend.stdout.close()
        if kind == "independent":
            with pytest.raises(psutil.TimeoutExpired):
                wrapper.wait(2.5)  # looked at each second
            assert alive(kernel)
            wrapper.kill()
        wait_for(lambda: not alive(wrapper) and not alive(kernel), "the end of both")
        reasons = [event.data["reason"] for event in place.events("tap_stopped")]
        assert reasons == ([] if kind == "independent" else ["the frontend is gone"])


def test_several_clients_are_told_apart() -> None:
    with installed() as place:
        with (
            place.session() as (manager, first),
            connected(Path(manager.connection_file)) as second,
        ):
            run_cell(first, "1")
            run_cell(second, "2")
        asked = {m.content["code"]: m.client for m in place.messages()
                 if m.msg_type == "execute_request"}  # fmt: skip
        assert asked["1"] != asked["2"]
