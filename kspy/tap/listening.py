"""Listen for clients on one channel of a connection."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import zmq

from kspy.errors import KspyError
from kspy.tap.connection import Connection, CurveKeys
from kspy.wire.frames import CHANNELS, Channel

_IPC_PATH_LIMIT: Final = zmq.IPC_PATH_MAX_LEN


def listen(socket: Any, channel: Channel, client: Connection) -> int:
    """Bind `socket` where clients will connect; the port, chosen where it was 0.

    Encrypts if the connection has keys for that. Raises `KspyError`.
    """
    if client.curve:
        _serve_curve(socket, client.curve)
    ipc = client.transport == "ipc"
    port = client.ports[channel] or (CHANNELS.index(channel) + 1 if ipc else 0)
    wanted = replace(client, ports={channel: port}).endpoint(channel)
    if ipc and len(wanted) - len("ipc://") > _IPC_PATH_LIMIT:
        raise KspyError(
            f"{wanted}: longer than an ipc address may be ({_IPC_PATH_LIMIT});"
            " choose a shorter --connection-file"
        )
    try:
        socket.bind(wanted.removesuffix(":0") + ":*" if wanted.endswith(":0") else wanted)
    except zmq.ZMQError as error:
        raise KspyError(f"{wanted}: cannot listen there: {error.strerror}") from error
    if ipc:
        return port
    return int(socket.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0").rpartition(":")[2])


def _serve_curve(socket: Any, keys: CurveKeys) -> None:
    socket.curve_publickey = keys.public.encode()
    socket.curve_secretkey = keys.secret.encode()
    socket.curve_server = True
