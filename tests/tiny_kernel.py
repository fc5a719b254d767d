"""A kernel of a few lines, for tests that start many or need one that shakes hands.

Takes a connection file or, as protocol 5.6 has it, a registration file. Answers
kernel_info_request and shutdown_request, echoes heartbeats, publishes that it is idle.
With --first-frame it returns no more of a routing prefix than its first frame.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zmq

CHANNELS = {
    "shell": zmq.ROUTER,
    "iopub": zmq.XPUB,
    "stdin": zmq.ROUTER,
    "control": zmq.ROUTER,
    "hb": zmq.ROUTER,
}
DELIMITER = b"<IDS|MSG>"
INFO = {
    "status": "ok",
    "protocol_version": "5.6",
    "implementation": "tiny",
    "implementation_version": "1",
    "language_info": {"name": "none", "version": "1", "mimetype": "", "file_extension": ""},
    "banner": "",
}


class Kernel:
    def __init__(self, values: Mapping[str, Any]) -> None:
        self.key = values["key"].encode()
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.sockets = {channel: self.context.socket(kind) for channel, kind in CHANNELS.items()}
        if "registration_port" in values:
            self.shake_hands(values)
        else:
            for channel, socket in self.sockets.items():
                socket.bind(f"tcp://{values['ip']}:{values[f'{channel}_port']}")

    def sign(self, *frames: bytes) -> bytes:
        return hmac.new(self.key, b"".join(frames), hashlib.sha256).hexdigest().encode()

    def shake_hands(self, values: Mapping[str, Any]) -> None:
        ip = values["registration_ip"]
        ports = {
            f"{channel}_port": str(socket.bind_to_random_port(f"tcp://{ip}"))
            for channel, socket in self.sockets.items()
        }
        content = json.dumps({"kernel_id": values["kernel_id"], **ports}).encode()
        dealer = self.context.socket(zmq.DEALER)
        dealer.connect(f"tcp://{ip}:{values['registration_port']}")
        dealer.send_multipart([DELIMITER, self.sign(content), content])
        delimiter, signature, content = dealer.recv_multipart()
        assert delimiter == DELIMITER
        assert signature == self.sign(content)
        dealer.close()

    def run(self) -> None:
        poller = zmq.Poller()
        for socket in self.sockets.values():
            poller.register(socket, zmq.POLLIN)
        while True:
            for socket, _ in poller.poll():
                frames = socket.recv_multipart()
                if socket is self.sockets["hb"]:
                    socket.send_multipart(frames)
                elif DELIMITER in frames:
                    self.answer(socket, frames)

    def answer(self, socket: zmq.Socket[bytes], frames: list[bytes]) -> None:
        at = frames.index(DELIMITER)
        asked = frames[at + 2]
        kind = json.loads(asked)["msg_type"].removesuffix("_request")
        content = INFO if kind == "kernel_info" else {"status": "ok", "restart": False}
        prefix = frames[:1] if "--first-frame" in sys.argv else frames[:at]
        self.send(socket, prefix, asked, f"{kind}_reply", content)
        self.send(self.sockets["iopub"], [b"status"], asked, "status", {"execution_state": "idle"})
        if kind == "shutdown":
            self.context.destroy(linger=1000)
            sys.exit(0)

    def send(
        self,
        socket: zmq.Socket[bytes],
        identities: list[bytes],
        parent: bytes,
        msg_type: str,
        content: Mapping[str, Any],
    ) -> None:
        header = {**json.loads(parent), "msg_type": msg_type, "msg_id": uuid.uuid4().hex}
        parts = [json.dumps(header).encode(), parent, b"{}", json.dumps(content).encode()]
        socket.send_multipart([*identities, DELIMITER, self.sign(*parts), *parts])


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Kernel(json.loads(Path(sys.argv[sys.argv.index("-f") + 1]).read_bytes())).run()
