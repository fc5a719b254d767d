"""The clients that people use work through a tap: console, nbclient, Jupyter's async client."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import nbformat
import pexpect
from command import KSPY
from jupyter_client.asynchronous.client import AsyncKernelClient
from tapping import PATIENCE, SLEEP, short_folder, surroundings, tapping

import kspy

NBCLIENT = """
import asyncio
import sys
import nbformat
from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient import NotebookClient


class Manager:  # of a kernel that somebody else runs
    has_kernel = True
    kernel_name = "python3"

    async def is_alive(self):
        return True


path, connection_file = sys.argv[1:]
notebook = nbformat.read(path, 4)
executor = NotebookClient(notebook, km=Manager(), timeout=60)
executor.kc = AsyncKernelClient(connection_file=connection_file)
executor.kc.load_connection_file()
executor.kc.start_channels()


async def main():
    await executor.kc.wait_for_ready(timeout=60)
    for number, cell in enumerate(notebook.cells):
        await executor.async_execute_cell(cell, number)


asyncio.run(main())
executor.kc.stop_channels()
nbformat.write(notebook, path)
"""


def test_jupyter_console_on_a_terminal() -> None:
    with short_folder() as folder:
        recording = folder / "console.kspy"
        command = ["tap", "--kernel", "python3", "-o", str(recording), "--"]
        command += ["jupyter", "console", "--simple-prompt", "--existing", "{connection_file}"]
        environment = dict(surroundings(folder))
        environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        console = pexpect.spawn(
            KSPY, command, encoding="utf-8", timeout=PATIENCE, env=environment, cwd=str(folder)
        )
        try:
            console.expect(r"In \[1\]: ")
            console.sendline("6 * 7")
            console.expect(r"Out\[1\]: 42")
            console.sendline("print('<' + input('name? ') + '>')")
            console.expect(r"name\? ")
            console.sendline("Ada")
            console.expect("<Ada>")
            console.sendline(f"print('sleep' + 'ing'); {SLEEP}")
            console.expect("sleeping")
            console.sendintr()
            console.expect("KeyboardInterrupt")
            console.sendeof()
            console.sendline("y")
            console.expect(pexpect.EOF)
            console.wait()
            assert console.exitstatus == 0
        finally:
            console.close(force=True)
        with kspy.open(recording) as recorded:
            assert recorded.state == "whole"
            values = [message.content.get("value") for message in recorded]
            assert "Ada" in values
            assert any(m.content.get("ename") == "KeyboardInterrupt" for m in recorded)


def test_nbclient_runs_a_notebook() -> None:
    notebook = nbformat.v4.new_notebook()
    sources = ["x = 41", "print(x + 1)", "x + 2", "from IPython.display import HTML; HTML('<b>')"]
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    with short_folder() as folder:
        path = folder / "notebook.ipynb"
        nbformat.write(notebook, path)
        with tapping(
            "--kernel", "python3", "--", sys.executable, "-c", NBCLIENT, str(path),
            "{connection_file}",
        ) as tap:  # fmt: skip
            assert tap.wait() == 0, tap.stderr
            outputs = [cell["outputs"] for cell in json.loads(path.read_text())["cells"]]
            assert outputs[0] == []
            assert "".join(outputs[1][0]["text"]) == "42\n"
            assert "".join(outputs[2][0]["data"]["text/plain"]) == "43"
            assert "".join(outputs[3][0]["data"]["text/html"]) == "<b>"
            codes = [m.content["code"] for m in tap.messages() if m.msg_type == "execute_request"]
            assert codes == sources


async def _many_at_once(connection_file: Path) -> list[str]:
    client = AsyncKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=PATIENCE)
        sent = [client.execute(f"{n}", silent=False) for n in range(100)]
        answered: list[str] = []
        while len(answered) < len(sent):
            reply = await client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"]["msg_id"] in sent:
                answered.append(reply["parent_header"]["msg_id"])
        assert answered == sent
        return sent
    finally:
        client.stop_channels()


def test_jupyters_async_client_with_many_requests_at_once() -> None:
    with tapping() as tap:
        sent = asyncio.run(_many_at_once(tap.connection_file))
        assert tap.end() == 0
        messages = tap.messages()
        assert [m.msg_id for m in messages if m.msg_type == "execute_request"] == sent
        replies = [m.parent_id for m in messages if m.msg_type == "execute_reply"]
        assert replies == sent
        with kspy.open(tap.recording) as recording:
            threads = [t for t in recording.threads() if t.request.msg_id in sent]
            assert len(threads) == len(sent)
            for thread in threads:
                kinds = [m.msg_type for m in thread.messages]
                assert kinds[0] == "execute_request"
                assert {"execute_reply", "execute_input", "execute_result"} < set(kinds)
                assert re.fullmatch(r"\d+", thread.request.content["code"])
