"""Tap a real kernel, run a few cells in it through a real client, and print what was said.

Run by `make demo`. Called with a connection file it is the client: it runs the cells and
prints what a notebook would show.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient

RECORDING = "demo.kspy"
KSPY = Path(sys.executable).with_name("kspy")
TIMEOUT = 60
CELLS = (
    "print('hello')",
    "name = input('your name? ')",
    "import time; time.sleep(0.5); 6 * 7",
    "1 / 0",
)
NEXT = """
That was {file}: every message between the client and the kernel. Try next:

  {kspy} view {file}                      look at it; ? names the keys
  {kspy} show --json {file} | head -3     a line a message, for scripts
  {kspy} info {file}                      a page: kernel, counts, slowest requests
  {kspy} replay {file} --kernel python3   send it again, and say what is not the same
  {kspy} tap --kernel python3                your own client: connect it as the tap says
"""


def main() -> int:
    if len(sys.argv) > 1:
        run_cells(sys.argv[1])
        return 0
    client = [sys.executable, __file__, "{connection_file}"]
    if call("tap", "--kernel", "python3", "-o", RECORDING, "--force", "--", *client):
        return 1
    if call("show", "--threads", RECORDING):
        return 1
    print(NEXT.format(file=RECORDING, kspy=short(KSPY)), end="")
    return 0


def call(*arguments: str) -> int:
    """Run kspy, say so, and return its exit code."""
    words = [short(Path(word)) if word.startswith("/") else word for word in arguments]
    print(f"\n$ {' '.join(['kspy', *words])}", flush=True)
    return subprocess.run([KSPY, *arguments], check=False).returncode


def short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def run_cells(connection_file: str) -> None:
    client = BlockingKernelClient(connection_file=connection_file)
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=TIMEOUT)
        for number, code in enumerate(CELLS, 1):
            print(f"In [{number}]: {code}", flush=True)
            client.execute_interactive(
                code,
                timeout=TIMEOUT,
                output_hook=print_output,
                stdin_hook=lambda request: answer(client, request),
            )
    finally:
        client.stop_channels()


def answer(client: BlockingKernelClient, request: dict[str, Any]) -> None:
    """Answer the kernel's `input()`, as a person at the keyboard would."""
    print(f"{request['content']['prompt']}Ada", flush=True)
    client.input("Ada")


def print_output(message: dict[str, Any]) -> None:
    content = message["content"]
    match message["header"]["msg_type"]:
        case "stream":
            print(content["text"], end="", flush=True)
        case "execute_result":
            print(content["data"]["text/plain"], flush=True)
        case "error":
            print(f"{content['ename']}: {content['evalue']}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
