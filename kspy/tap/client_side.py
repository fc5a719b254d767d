"""Where clients connect: the tap's own connection, and the file that tells them of it."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import zmq
from jupyter_core.paths import jupyter_runtime_dir

from kspy.errors import KspyError
from kspy.tap.connection import Connection, CurveKeys
from kspy.tap.options import Options
from kspy.wire.frames import CHANNELS


def connection_path(options: Options) -> str:
    """Where the client's connection file goes. Raises `KspyError` if a file is there already."""
    if not options.connection_file:
        return default_path()
    path = Path(options.connection_file).absolute()
    if not path.parent.is_dir():
        raise KspyError(f"{path}: there is no folder {path.parent}")
    if path.exists() and not options.overwrite:
        raise KspyError(f"{path}: exists already; --force writes over it")
    return str(path)


def default_path() -> str:
    """A new connection file in Jupyter's runtime folder, which is made if it is not there."""
    runtime = Path(jupyter_runtime_dir())
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Clients that look for the newest kernel look for this pattern.
    return str(runtime / f"kernel-kspy-{uuid.uuid4().hex[:8]}.json")


def client_side(kernel: Connection, options: Options, path: str) -> Connection:
    """What clients shall connect to: as the kernel, key included, but at the tap's own address."""
    transport = options.transport or kernel.transport
    ip = "127.0.0.1" if transport == "tcp" else path.removesuffix(".json") + "-ipc"
    first = options.port
    ports = {channel: first + n if first else 0 for n, channel in enumerate(CHANNELS)}
    curve = None
    if kernel.curve is not None if options.client_curve is None else options.client_curve:
        curve = kernel.curve or CurveKeys(*(key.decode() for key in zmq.curve_keypair()))
    return replace(kernel, transport=transport, ip=ip, ports=ports, curve=curve)


@contextlib.contextmanager
def connection_file(client: Connection, path: str) -> Iterator[None]:
    """Have the connection file there for as long as clients can connect."""
    client.write(path)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            Path(path).unlink()
