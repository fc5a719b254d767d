"""A real JupyterLab with a real kernel, and a real browser's developer tools that watch it."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from browser import browser
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.action_chains import ActionChains
from tapping import surroundings, wait_for

_CELL = ".jp-CodeCell .cm-content"
PROTOCOLS = ("v1", "default")
_ASKS_NONE = """
window.WebSocket = class extends WebSocket {
    constructor(url) { super(url); }
};
"""
_EXPORT = """
const done = arguments[0];
(async () => {
    const [har, logs, common] = await Promise.all([
        import('./models/har/har.js'),
        import('./models/logs/logs.js'),
        import('./core/common/common.js'),
    ]);
    let text = '';
    const stream = {write: async piece => { text += piece; }};
    const requests = logs.NetworkLog.NetworkLog.instance().requests();
    const options = har.Writer.Writer.write.length === 4 ? [{sanitize: false}] : [];
    const progress = new common.Progress.Progress();
    await har.Writer.Writer.write(stream, requests, ...options, progress);
    done(text);
})().catch(error => done(String(error)));
"""


class Lab(NamedTuple):
    """`token` opens it; it is a secret of its own."""

    address: str
    token: str


@contextmanager
def lab(folder: Path, cell: str) -> Iterator[Lab]:
    """A JupyterLab with the notebooks `v1` and `default`, of the same one cell; no other files."""
    root = folder / "notebooks"
    root.mkdir()
    for name in PROTOCOLS:
        (root / f"{name}.ipynb").write_text(json.dumps(_notebook(cell)))
    token = secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", "--port=0"),
        *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}"),
    ]
    log = folder / "lab.txt"
    environment = surroundings(folder, HOME=str(folder), JUPYTER_CONFIG_DIR=str(folder / "config"))
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
        )
    try:
        found = wait_for(
            lambda: re.search(r"(http://127\.0\.0\.1:\d+)/lab\?", log.read_text()), "JupyterLab"
        )
        yield Lab(found[1], token)
    finally:
        server.terminate()  # which ends its kernels, too
        try:
            server.wait(30)
        finally:
            server.kill()
            server.wait()


def _notebook(cell: str) -> dict[str, Any]:
    code: dict[str, Any] = {"cell_type": "code", "id": "a", "source": cell, "metadata": {}}
    code |= {"execution_count": None, "outputs": []}
    spec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": spec}
    return {"cells": [code], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def exported_hars(folder: Path, opened: Lab, shows: str) -> Mapping[str, str]:
    """Run each notebook's cell until it `shows` something; the HAR file of what was said.

    One is run over the protocol that JupyterLab asks for, the other over the one that a server
    speaks which is asked for none. The files are written by the browser's own developer tools:
    their page, which comes with the browser, watches the tab with the notebook over the remote
    debugging port.
    """
    with browser(folder, "--remote-allow-origins=*") as page:
        notebook = page.current_window_handle
        debugger = page.capabilities["goog:chromeOptions"]["debuggerAddress"]
        page.switch_to.new_window("tab")
        tools = page.current_window_handle
        watched = f"{debugger}/devtools/page/{notebook}"
        page.get(f"http://{debugger}/devtools/devtools_app.html?ws={watched}&panel=network")
        wait_for(lambda: page.title.startswith("DevTools - "), "the developer tools")
        page.set_script_timeout(60)
        hars = {}
        for name in PROTOCOLS:
            page.switch_to.window(notebook)
            if name == "default":
                page.execute_cdp_cmd(
                    "Page.addScriptToEvaluateOnNewDocument", {"source": _ASKS_NONE}
                )
            workspace = f"{opened.address}/lab/workspaces/{name}"
            page.get(f"{workspace}/tree/{name}.ipynb?token={opened.token}")
            _run_cell(page, shows)
            page.switch_to.window(tools)
            hars[name] = str(page.execute_async_script(_EXPORT))
        return hars


def _run_cell(page: Chrome, shows: str) -> None:
    wait_for(lambda: page.find_elements("css selector", _CELL), "the notebook")
    wait_for(lambda: "Idle" in _texts(page, ".jp-Notebook-ExecutionIndicator, body"), "the kernel")
    page.find_element("css selector", _CELL).click()
    keys = ActionChains(page)
    keys.key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
    wait_for(lambda: shows in _texts(page, ".jp-OutputArea-output"), "the cell's output")


def _texts(page: Chrome, selector: str) -> str:
    script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join(' ')"
    return str(page.execute_script(script, selector))


def kernel_sockets(har: str) -> Sequence[dict[str, Any]]:
    """The entries of a HAR file that are kernels' WebSockets with messages."""
    entries = json.loads(har)["log"]["entries"]
    return [
        entry
        for entry in entries
        if "/api/kernels/" in entry["request"]["url"]
        and any(message["opcode"] > 0 for message in entry.get("_webSocketMessages", ()))
    ]
