"""Frontends with a recording for a kernel: nbclient, jupyter_console, JupyterLab in a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import pexpect
import pytest
from browser import DRIVER, browser
from gateways import running_server
from installed import Installed, installed, run_cell
from nbclient import NotebookClient
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.action_chains import ActionChains
from tapping import PATIENCE, answer, short_folder, surroundings, wait_for
from test_serve_recordings import served
from viewing import RECORDINGS

import kspy

CELLS = (
    "x = 41",
    "print(x + 1)",
    "x + 2",
    "from IPython.display import HTML, display; display(HTML('<b>bold</b>')); HTML('<i>i</i>')",
    "import time\nfor n in range(3): print(n, object()); time.sleep(0.02)",
    "1 / 0",
    "print('going on')",
)


def notebook_of(cells: Sequence[str], kernel: str) -> Any:
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    notebook.metadata.kernelspec = {"name": kernel, "display_name": kernel, "language": "python"}
    return notebook


def outputs_of(place: Installed, kernel: str) -> list[Any]:
    """Execution counts and outputs of the cells, as nbclient has them from this kernel."""
    notebook = notebook_of(CELLS, kernel)
    manager = place.manager(kernel)
    executor = NotebookClient(notebook, km=manager, timeout=PATIENCE, allow_errors=True)
    try:
        executor.execute(**place.started_with())
    finally:
        manager.shutdown_kernel()
    return [(cell.execution_count, cell.outputs) for cell in notebook.cells]


def test_nbclient_runs_the_recorded_notebook_to_identical_outputs() -> None:
    with installed() as place:
        recorded = outputs_of(place, "kspy-python3")
        path = place.folder / "The Session.kspy"
        place.files()[0].rename(path)
        done = place.kspy("install", "--recording", path, "--user", "--fast")
        assert (done.returncode, done.stderr) == (0, "")
        assert outputs_of(place, "kspy-the-session") == recorded
        assert len(place.files()) == 0
        spec_file = place.folder / "data" / "kernels" / "kspy-the-session" / "kernel.json"
        spec = json.loads(spec_file.read_bytes())
        assert spec["display_name"] == "Python 3 (ipykernel) (recorded)"
        assert (spec["language"], spec["interrupt_mode"]) == ("python", "message")
        listed = place.kspy("list").stdout
        assert f"serves {path}" in listed.replace("\n", "")
        path.unlink()
        assert "which is gone" in place.kspy("list").stdout
        kernels = json.loads(place.kspy("list", "--json").stdout)["kernels"]
        assert [kernel["recording"] for kernel in kernels if "recording" in kernel] == [str(path)]
        assert place.kspy("uninstall", "kspy-the-session").returncode == 0
        assert not spec_file.exists()


def test_a_frontend_restarts_interrupts_and_takes_it_along() -> None:
    with installed(kernel="") as place:
        recording = RECORDINGS / "interrupt.kspy"
        assert place.kspy("install", "--recording", recording, "--user").returncode == 0
        with place.session("kspy-interrupt", transport="ipc", transport_encryption="required") as (
            manager,
            client,
        ):
            assert manager.curve_publickey
            sleeping = client.execute("import time\ntime.sleep(600)")
            while client.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "execute_input":
                pass
            manager.interrupt_kernel()
            assert answer(client, sleeping)["content"]["ename"] == "KeyboardInterrupt"
            manager.restart_kernel()
            client.wait_for_ready(timeout=PATIENCE)
            assert "NotRecorded" in str(run_cell(client, "1"))
        starter = (
            "import sys, json, os\nfrom jupyter_client.manager import KernelManager\n"
            "m = KernelManager(kernel_name='kspy-interrupt')\nm.start_kernel()\n"
            "print(m.provisioner.pid, flush=True)\nsys.stdin.read()"
        )
        environment = {**surroundings(place.folder), **place.environment}
        with subprocess.Popen(
            [sys.executable, "-c", starter],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        ) as frontend:
            assert frontend.stdout is not None
            assert int(frontend.stdout.readline()) > 0
            frontend.kill()
        # that nothing runs any more is seen at the end of `installed`


def test_jupyter_console() -> None:
    with short_folder() as folder, served(RECORDINGS / "input.kspy") as kernel:
        command = ["-m", "jupyter_console", "--existing", str(kernel.connection_file)]
        console = pexpect.spawn(
            sys.executable,
            [*command, "--simple-prompt"],
            encoding="utf-8",
            timeout=PATIENCE,
            env={**surroundings(folder), "TERM": "dumb"},
            cwd=str(folder),
        )
        try:
            console.expect(r"In \[1\]: ")
            console.sendline("print('hello', input('your name? '))")
            console.expect(r"your name\? ")
            console.sendline("Ada")
            console.expect("hello Ada")
            console.sendline("print('good day')")
            console.expect("NotRecorded.*has no such execute_request; the nearest is message")
        finally:
            console.close(force=True)


@pytest.mark.skipif(DRIVER is None, reason="needs chromium-driver")
def test_jupyterlab_shows_the_recorded_outputs(tmp_path: Path) -> None:
    with kspy.open(RECORDINGS / "rich.kspy") as recording:
        cells = [m.content["code"] for m in recording if m.msg_type == "execute_request"]
    with short_folder() as folder:
        environment = {"JUPYTER_DATA_DIR": str(folder / "data")}
        words = [sys.executable, "-m", "kspy", "install", "--recording"]
        subprocess.run(
            [*words, str(RECORDINGS / "rich.kspy"), "--user", "--fast"],
            check=True,
            env={**os.environ, **environment},
        )
        nbformat.write(notebook_of(cells, "kspy-rich"), folder / "rich.ipynb")
        with running_server(folder, kind="lab") as server, browser(tmp_path) as page:
            page.get(f"{server.url}/lab/tree/rich.ipynb?token={server.token}&reset")
            run_all(page, len(cells))
            wait_for(lambda: "ZeroDivisionError" in shown(page), "the error")
            for text in ("Results", "accuracy 0.93", "epoch", "100 %", "passed 12", "你好, 🚀"):
                assert text in shown(page), text
            assert page.find_elements("css selector", ".jp-OutputArea-output img")


def run_all(page: Chrome, cells: int) -> None:
    cell = ".jp-CodeCell .cm-content"
    wait_for(lambda: page.find_elements("css selector", cell), "the notebook")
    wait_for(lambda: "Idle" in shown(page, "body"), "the kernel")
    page.find_element("css selector", cell).click()
    keys = ActionChains(page)
    for _ in range(cells):
        keys.key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).pause(0.05)
    keys.perform()


def shown(page: Chrome, selector: str = ".jp-OutputArea-output") -> str:
    script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join(' ')"
    return str(page.execute_script(script, selector))
