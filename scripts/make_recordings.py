"""Make the recordings in `recordings/`: real kernels and clients, through the real `kspy tap`.

python scripts/make_recordings.py [NAME…]
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient

import kspy
from kspy.errors import KspyError

FOLDER = Path(__file__).resolve().parent.parent / "recordings"
KSPY = str(Path(sys.executable).with_name("kspy"))
PATIENCE = 60
CHANNELS = 5

Connect = Callable[[], contextlib.AbstractContextManager[BlockingKernelClient]]


def hello(connect: Connect) -> None:
    """Two cells: `print("hello")`, and an expression with a result."""
    with connect() as client:
        run(client, 'print("hello")')
        run(client, "6 * 7")


def error(connect: Connect) -> None:
    """A cell that raises: `error` on iopub, and an `execute_reply` with status "error"."""
    with connect() as client:
        run(client, "def half(n):\n    return n / 0\n\nhalf(1)")


def input_(connect: Connect) -> None:
    """A cell that asks with `input()`: `input_request` and `input_reply` on stdin."""
    with connect() as client:
        client.execute_interactive(
            "print('hello', input('your name? '))",
            timeout=PATIENCE,
            output_hook=ignore,
            stdin_hook=lambda _: client.input("Ada"),
        )


WIDGET = """\
from comm import create_comm, get_comm_manager

def opened(comm, message):
    @comm.on_msg
    def back(message):
        comm.send({"doubled": True}, buffers=[bytes(b) * 2 for b in message["buffers"]])

get_comm_manager().register_target("doubler", opened)
plot = create_comm(target_name="plot", data={"kind": "line"}, buffers=[bytes(range(64))])
"""


def widget(connect: Connect) -> None:
    """Comms opened by either side, as widgets do, with binary buffers both ways."""
    with connect() as client:
        run(client, WIDGET)
        comm = {"comm_id": "c0ffee", "data": {}}
        for kind, buffers in (("comm_open", []), ("comm_msg", [b"\x00\x01\x02", b"", b"\xff" * 9])):
            message = client.session.msg(kind, {**comm, "target_name": "doubler"})
            client.session.send(client.shell_channel.socket, message, buffers=buffers)
            until_idle(client, message["header"]["msg_id"])
        closing = client.session.msg("comm_close", comm)
        client.shell_channel.send(closing)
        until_idle(client, closing["header"]["msg_id"])


def interrupt(connect: Connect) -> None:
    """A cell that sleeps is interrupted with an `interrupt_request` on control."""
    with connect() as client:
        msg_id = client.execute("import time\ntime.sleep(600)")
        until(client, msg_id, "execute_input")
        client.control_channel.send(client.session.msg("interrupt_request", {}))
        until_idle(client, msg_id)
        client.get_shell_msg(timeout=PATIENCE)


def kernel_dies(connect: Connect) -> None:
    """The kernel is killed in the middle of a cell: no reply, no "idle", and the tap ends."""
    with connect() as client:
        run(client, "import os, signal, time")
        # Time for what it printed to leave the kernel: that is not to be a matter of luck.
        client.execute(
            "print('going', flush=True)\ntime.sleep(0.3)\nos.kill(os.getpid(), signal.SIGKILL)"
        )
        until_gone(client)


def two_clients(connect: Connect) -> None:
    """Two clients at once on one kernel; each sees the other's work on iopub."""
    with connect() as first, connect() as second:
        run(first, "shared = [1]")
        run(second, "shared.append(2)")
        asked = [client.execute("shared") for client in (first, second)]
        for client, msg_id in zip((first, second), asked, strict=True):
            until_idle(client, msg_id)
        for client in (first, second):
            client.get_shell_msg(timeout=PATIENCE)


PICTURE = """\
import math, struct, zlib

def png(width, height, colour):
    rows = b"".join(
        b"\\0" + b"".join(bytes(colour(x / width, y / height)) for x in range(width))
        for y in range(height)
    )
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) \
        + chunk(b"IEND", b"")

def colour(x, y):
    wave = 0.5 + 0.35 * math.sin(6.28 * 1.5 * x)
    if abs(y - wave) < 0.04:
        return 255, 196, 84
    return int(30 + 40 * y), int(34 + 70 * (1 - y)), int(60 + 120 * x)

from IPython.display import HTML, Image, Markdown, display
display(Image(png(96, 48, colour)))
"""
OUTPUTS = (
    "from IPython.display import Markdown\n"
    "Markdown('# Results\\n\\n- accuracy **0.93**\\n- loss *0.21*, see `log.txt`')",
    "HTML('<table><tr><th>epoch</th><th>loss</th></tr><tr><td>1</td><td>0.92</td></tr></table>')",
    "import time\nfor done in range(0, 101, 25):\n"
    "    print(f'\\rtraining {done:3d} %', end='', flush=True)\n    time.sleep(0.3)",
    "print('\\x1b[32mpassed\\x1b[0m 12, \\x1b[31mfailed\\x1b[0m 1, \\x1b[1mtotal 13\\x1b[0m')",
    "print('grüße, 你好, 🚀 — wide and narrow')",
)


def rich(connect: Connect) -> None:
    """Figure, markdown, html, colours, progress, a slow cell, completion, help, and an error."""
    with connect() as client:
        for code in (PICTURE, *OUTPUTS):
            run(client, code)
        for msg_id in (client.complete("displ", 5), client.inspect("print", 3)):
            until_idle(client, msg_id)
        run(client, "def mean(values):\n    return sum(values) / len(values)\n\nmean([])")


def changed(connect: Connect) -> None:
    """As `rich`, some time later: other numbers, two cells gone, one new, two requests swapped."""
    markdown, _, _, colours, wide = OUTPUTS
    with connect() as client:
        for code in (PICTURE, markdown.replace("0.93", "0.94"), colours, "sum(range(10))", wide):
            run(client, code)
        for msg_id in (client.inspect("print", 3), client.complete("displ", 5)):
            until_idle(client, msg_id)
        run(client, "def mean(values):\n    return sum(values) / len(values)\n\nmean([1])")


MAKERS: dict[str, Callable[[Connect], None]] = {
    "hello": hello,
    "error": error,
    "rich": rich,
    "changed": changed,
    "input": input_,
    "widget": widget,
    "interrupt": interrupt,
    "kernel-dies": kernel_dies,
    "two-clients": two_clients,
}


def ignore(_: object) -> None:
    """Output is of no interest here; the tap records it."""


def run(client: Any, code: str) -> None:
    """Run a cell to its end."""
    client.execute_interactive(code, timeout=PATIENCE, output_hook=ignore)


def until(client: Any, msg_id: str, msg_type: str, state: str | None = None) -> None:
    """Wait for a message on iopub that answers the request."""
    while True:
        message = client.get_iopub_msg(timeout=PATIENCE)
        if (
            message["parent_header"].get("msg_id") == msg_id
            and message["msg_type"] == msg_type
            and state in (None, message["content"].get("execution_state"))
        ):
            return


def until_idle(client: Any, msg_id: str) -> None:
    until(client, msg_id, "status", "idle")


def until_gone(client: Any) -> None:
    """Wait until the kernel's heart has stopped."""
    deadline = time.monotonic() + PATIENCE
    while client.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)


@contextlib.contextmanager
def client_of(connection_file: Path) -> Iterator[BlockingKernelClient]:
    client = BlockingKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE)
        yield client
    finally:
        client.stop_channels()


def wait_for_kernel(tap: subprocess.Popen[str], output: Path, connection_file: Path) -> None:
    """Wait until the kernel listens; a client that comes too early gives it up."""
    for _ in range(PATIENCE * 20):
        with contextlib.suppress(OSError, KspyError), kspy.open(output) as recording:
            names = [event.name for event in recording.events]
            if names.count("kernel_connected") == CHANNELS and connection_file.stat().st_size:
                return
        if tap.poll() is not None:
            raise SystemExit(f"the tap did not begin: {tap.stderr and tap.stderr.read()}")
        time.sleep(0.05)
    raise SystemExit("the kernel does not answer")


def make(name: str) -> Path:
    """Make one recording."""
    output = FOLDER / f"{name}.kspy"
    output.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        connection_file = Path(folder) / "kernel.json"
        command = [KSPY, "tap", "--kernel", "python3", "-o", str(output)]
        with subprocess.Popen(
            [*command, "--connection-file", str(connection_file)],
            env={
                **os.environ,
                "IPYTHONDIR": str(Path(folder) / "ipython"),
                "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            },
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as tap:
            try:
                wait_for_kernel(tap, output, connection_file)
                MAKERS[name](lambda: client_of(connection_file))
            finally:
                if tap.poll() is None:
                    tap.send_signal(signal.SIGINT)
                _, said = tap.communicate()
        if tap.returncode:
            raise SystemExit(f"{name}: the tap failed: {said}")
    return output


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or MAKERS:
        if name not in MAKERS:
            raise SystemExit(f"{name}: no such recording (there are: {', '.join(MAKERS)})")
        path = make(name)
        print(f"{path.relative_to(FOLDER.parent)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
