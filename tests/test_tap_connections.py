"""Every way to connect: CurveZMQ on either side, tcp and ipc, kernels that run already."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq
from command import kspy
from fake_kernel import fake_kernel, raw_client, subscribed, tapped
from free_ports import free_ports
from tapping import (
    PATIENCE,
    Tap,
    answer,
    connected,
    running_kernel,
    short_folder,
    tapping,
    until_idle,
)

import kspy as library
from kspy.wire.frames import CHANNELS

NAMES = ("key", "curve_publickey", "curve_secretkey")


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


def works(tap: Tap) -> None:
    """A client gets an answer, and it is recorded."""
    with tap.client() as client:
        msg_id = client.execute("print(6 * 7)")
        assert answer(client, msg_id)["content"]["status"] == "ok"
        assert "42\n" in "".join(m["content"].get("text", "") for m in until_idle(client, msg_id))
        tap.wait_recorded(lambda m: str(m.content.get("text")).startswith("42"))


@pytest.mark.parametrize(
    ("transport", "arguments", "encrypted"),
    [
        ("tcp", ("--curve",), True),
        ("tcp", ("--curve", "--no-client-curve"), False),
        ("tcp", ("--client-curve",), True),
        ("ipc", (), False),
        ("ipc", ("--curve",), True),
    ],
)
def test_curve_and_transport(transport: str, arguments: tuple[str, ...], encrypted: bool) -> None:
    with tapping("--kernel", "python3", "--transport", transport, *arguments) as tap:
        assert tap.connection["transport"] == transport
        assert ("curve_secretkey" in tap.connection) == encrypted
        works(tap)
        assert tap.end() == 0
        secrets = [tap.connection[name].encode() for name in NAMES if name in tap.connection]
        assert_not_in_recording(tap, secrets)


def assert_not_in_recording(tap: Tap, secrets: list[bytes]) -> None:
    raw = tap.recording.read_bytes()
    shown = kspy("show", "--json", tap.recording).stdout.encode()
    frames = b"".join(b"".join(message.frames) for message in tap.messages())
    told = repr([tap.events(), header(tap)]).encode()
    for secret in secrets:
        assert secret
        for place in (raw, shown, frames, told, tap.stderr.encode()):
            assert secret not in place


def header(tap: Tap) -> object:
    with library.open(tap.recording) as recording:
        return recording.metadata


def test_recording_and_connection_file_are_private_and_know_no_secrets() -> None:
    with tapping("--kernel", "python3", KSPY_TEST_SECRET="do-not-tell-anyone") as tap:
        assert tap.recording.stat().st_mode & 0o777 == 0o600
        assert tap.connection_file.stat().st_mode & 0o777 == 0o600
        works(tap)
        assert tap.end() == 0
        home = str(Path.home()).encode()
        assert home not in repr([header(tap), tap.events()]).encode()
        assert_not_in_recording(tap, [tap.connection["key"].encode(), b"do-not-tell-anyone"])


def test_the_connection_file_is_as_the_kernels_but_for_the_address() -> None:
    ports = free_ports(len(CHANNELS))
    with tapping("--kernel", "python3", "--port", str(ports[0])) as tap:
        assert [tap.connection[f"{channel}_port"] for channel in CHANNELS] == ports
        assert tap.connection["kernel_name"] == "python3"
        assert tap.connection["signature_scheme"] == "hmac-sha256"


@pytest.mark.parametrize("name", ["path", "part"])
def test_a_running_kernel_is_tapped_and_left_running(folder: Path, name: str) -> None:
    with running_kernel(folder) as path, connected(path) as direct:
        given = str(path) if name == "path" else "untapped"
        with tapping("--existing", given, JUPYTER_RUNTIME_DIR=str(folder)) as tap:
            works(tap)
            assert tap.end() == 0
            assert tap.events("kernel_died") == []
        assert answer(direct, direct.execute("1"))["content"]["status"] == "ok"


@pytest.mark.parametrize(("curve", "transport"), [(True, "tcp"), (False, "ipc"), (True, "ipc")])
def test_a_running_kernel_is_tapped_as_it_is(folder: Path, curve: bool, transport: str) -> None:
    options = {"transport_encryption": "required"} if curve else {}
    with running_kernel(folder, transport=transport, **options) as path:
        with tapping("--existing", str(path)) as tap:
            kernel = json.loads(path.read_bytes())
            assert tap.connection["transport"] == kernel["transport"] == transport
            assert ("curve_secretkey" in tap.connection) == curve
            works(tap)
        with tapping("--existing", str(path), "--transport", "tcp", "--no-client-curve") as tap:
            works(tap)


def test_the_wrong_curve_keys_are_told_of(folder: Path) -> None:
    with running_kernel(folder, transport_encryption="required") as path:
        public, secret = (key.decode() for key in zmq.curve_keypair())
        changed = json.loads(path.read_bytes())
        changed |= {"curve_publickey": public, "curve_secretkey": secret}
        wrong = folder / "kernel-wrong.json"
        wrong.write_text(json.dumps(changed))
        with tapping("--existing", str(wrong)) as tap:
            assert tap.wait() == 2
            assert len(tap.stderr.splitlines()) == 1
            assert str(wrong) in tap.stderr


def test_a_tap_that_is_given_up_as_it_begins_ends(folder: Path) -> None:
    code = """
import sys
from kspy.tap.connection import load
from kspy.tap.proxy import Proxy

sys.setswitchinterval(1e-6)  # so that the relays' threads are caught wherever they are
kernel = load(sys.argv[1])
for _ in range(10):
    proxy = Proxy(kernel)
    proxy.start()
    proxy.abandon()
"""
    file = folder / "kernel-nobody.json"
    ports = {f"{channel}_port": 1 for channel in CHANNELS}
    file.write_text(json.dumps({"transport": "tcp", "ip": "127.0.0.1", "key": "", **ports}))
    subprocess.run([sys.executable, "-c", code, str(file)], check=True, timeout=PATIENCE)


def test_a_kernel_that_goes_away_ends_the_tap(folder: Path) -> None:
    with fake_kernel() as kernel, tapped(kernel, folder) as tap, raw_client(tap) as client:
        subscribed(client, kernel)
        kernel.close()
        assert tap.wait() == 0
        assert "gone" in tap.stderr
        assert [event.name for event in tap.events("kernel_died")] == ["kernel_died"]
