"""A synthetic kernel: `python -m benchmarks.kernel CONNECTION_FILE`. It lives while stdin is open.

It answers every request at once. What else it does, the request's code says:

    prepare N      make N outputs, answers to this request
    burst          publish them as fast as it can
    pace N RATE    publish N outputs, RATE a second, each with the time when it is sent
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Final

import orjson
import zmq

from benchmarks.messages import Sender
from benchmarks.process import end_with_stdin
from kspy.tap.connection import load
from kspy.wire.frames import CHANNELS, DELIMITER, Channel

_TOPIC: Final = b"kernel.5fb1a7a2-6a2b-4ba6-9d33-5d4e9cf36e0d.stream"
_REPLY: Final = {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}


class Kernel:
    def __init__(self, path: str) -> None:
        connection = load(path)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._sockets: dict[Channel, zmq.Socket[bytes]] = {}
        for channel in CHANNELS:
            socket = self._context.socket(zmq.PUB if channel == "iopub" else zmq.ROUTER)
            socket.setsockopt(zmq.SNDHWM, 0)
            socket.setsockopt(zmq.RCVHWM, 0)
            socket.bind(connection.endpoint(channel))
            self._sockets[channel] = socket
        self._sender = Sender("kernel")
        self._prepared: list[list[bytes]] = []

    def run(self) -> None:
        shell = self._sockets["shell"]
        while True:
            frames = shell.recv_multipart()
            identities, parts = frames[: frames.index(DELIMITER)], frames[-4:]
            header, content = parts[0], parts[3]
            self._obey(str(orjson.loads(content)["code"]).split(), header)
            reply = self._sender.message("execute_reply", _REPLY, header)
            shell.send_multipart([*identities, *reply])

    def _obey(self, words: Sequence[str], header: bytes) -> None:
        match words:
            case ["prepare", messages]:
                self._prepared = [self._output(header, n) for n in range(int(messages))]
            case ["burst"]:
                iopub = self._sockets["iopub"]
                for frames in self._prepared:
                    iopub.send_multipart(frames)
            case ["pace", messages, rate]:
                self._pace(int(messages), 1 / int(rate), header)

    def _pace(self, messages: int, seconds: float, header: bytes) -> None:
        iopub = self._sockets["iopub"]
        start = time.perf_counter()
        for number in range(messages):
            wait = start + number * seconds - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            iopub.send_multipart(self._output(header, time.time_ns()))

    def _output(self, header: bytes, number: int) -> list[bytes]:
        content = {"name": "stdout", "text": f"{number}\n"}
        return [_TOPIC, *self._sender.message("stream", content, header)]


def number_of(content: bytes) -> int:
    """What the kernel numbered this output with."""
    return int(orjson.loads(content)["text"])


if __name__ == "__main__":
    end_with_stdin()
    Kernel(sys.argv[1]).run()
