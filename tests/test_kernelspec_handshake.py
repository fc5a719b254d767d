"""The startup handshake of protocol 5.6, to the frontend above and to the kernel below.

Neither jupyter_client nor ipykernel has it yet (8.10, 7.4). The frontend of these tests, and the
kernel in tiny_kernel.py, are made from the words of the messaging specification, "Kernel startup
handshake", and of "Registration file format".
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import zmq
from installed import IPYTHON, TINY, Installed, installed, run_cell
from tapping import PATIENCE, connected, wait_for

from kspy.wire.frames import CHANNELS

KEY = b"the-key-of-the-registration"
DELIMITER = b"<IDS|MSG>"


def sign(content: bytes, key: bytes = KEY) -> bytes:
    return hmac.new(key, content, hashlib.sha256).hexdigest().encode()


class Frontend:
    """A registration socket, and the kernels started with its registration file."""

    def __init__(self, place: Installed) -> None:
        self.place = place
        self.kernel_id = str(uuid.uuid4())
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 1000)
        self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.file = place.folder / "registration.json"
        values = {
            "kernel_id": self.kernel_id,
            "transport": "tcp",
            "registration_ip": "127.0.0.1",
            "registration_port": self.port,
            "signature_scheme": "hmac-sha256",
            "key": KEY.decode(),
        }
        self.file.write_text(json.dumps(values))

    def start(self, name: str) -> subprocess.Popen[bytes]:
        folder = self.place.folder / "data" / "kernels" / name
        argv = json.loads((folder / "kernel.json").read_bytes())["argv"]
        command = [word.replace("{connection_file}", str(self.file)) for word in argv]
        return subprocess.Popen(command, start_new_session=True, **self.place.started_with())

    def registered(self, *, acknowledge: bytes = KEY) -> Mapping[str, Any]:
        """What the kernel tells; acknowledged with this key."""
        assert self.socket.poll(int(PATIENCE * 1000))
        identity, delimiter, signature, content = self.socket.recv_multipart()
        assert delimiter == DELIMITER
        assert signature == sign(content)
        self.socket.send_multipart([identity, DELIMITER, sign(b"{}", acknowledge), b"{}"])
        told: dict[str, Any] = json.loads(content)
        return told


@contextlib.contextmanager
def frontend(place: Installed) -> Iterator[Frontend]:
    found = Frontend(place)
    try:
        yield found
    finally:
        found.socket.close()
        found.context.term()


@pytest.mark.parametrize(
    ("argv", "protocol"), [(TINY, "5.6"), (TINY, "5.5"), (IPYTHON, "5.5"), (TINY, "")]
)
def test_the_frontend_is_told_where_the_tap_is(argv: list[str], protocol: str) -> None:
    with installed(kernel="") as place, frontend(place) as above:
        place.add_below("thing", argv, kernel_protocol_version=protocol)
        place.install("thing")
        process = above.start("kspy-thing")
        told = above.registered()
        assert told["kernel_id"] == above.kernel_id
        assert set(told) == {"kernel_id", *(f"{channel}_port" for channel in CHANNELS)}
        assert all(isinstance(port, str) for port in told.values())
        ports = {f"{channel}_port": int(told[f"{channel}_port"]) for channel in CHANNELS}
        file = place.folder / "connection.json"
        values = {**ports, "key": KEY.decode(), "ip": "127.0.0.1", "transport": "tcp"}
        file.write_text(json.dumps({**values, "signature_scheme": "hmac-sha256"}))
        [given] = [json.loads(path.read_bytes()) for path in place.folder.glob("kspy-*/*.json")]
        assert ("registration_port" in given) == (protocol == "5.6")
        with connected(file) as client:
            if argv is IPYTHON:
                assert run_cell(client, "print(1)")["text"] == "1\n"
            client.shutdown()
            assert process.wait(PATIENCE) == 0
        [path] = place.files()
        assert path.stem.endswith(above.kernel_id[:8])
        assert any(message.msg_type == "shutdown_request" for message in place.messages())


def test_an_acknowledgement_with_another_key_is_none() -> None:
    with installed(kernel="") as place, frontend(place) as above:
        place.add_below("thing", TINY)
        place.install("thing")
        process = above.start("kspy-thing")
        above.registered(acknowledge=b"another key")
        wait_for(lambda: len(place.events("kernel_connected")) == len(CHANNELS), "the kernel")
        assert process.poll() is None  # it waits for the right one
        process.terminate()
        process.wait(PATIENCE)


def test_a_kernel_that_ends_before_it_registers_ends_the_wrapper() -> None:
    with installed(kernel="") as place, frontend(place) as above:
        argv = [IPYTHON[0], "-c", "import sys; sys.exit(5)", "{connection_file}"]
        place.add_below("thing", argv, kernel_protocol_version="5.6")
        place.install("thing")
        assert above.start("kspy-thing").wait(PATIENCE) == 5
        assert not above.socket.poll(0)
