"""How long does a message over a WebSocket take there and back, and how many a second can pass?"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

import kspy
from benchmarks.process import tap
from benchmarks.rig import folder
from benchmarks.table import Row
from benchmarks.websocket_server import output, request
from kspy.wire.websocket import V1

_PATH: Final = "/api/kernels/5fb1a7a2-6a2b-4ba6-9d33-5d4e9cf36e0d/channels"


def measure(*, quick: bool = False, profile: bool = False) -> list[Row]:
    rounds, requests = (4, 100) if quick else (40, 200)
    bursts, messages = (2, 2_000) if quick else (7, 20_000)
    with folder() as where:
        with _clients(where, profile=profile) as clients:
            trips = _round_trips(clients, rounds, requests)
            seconds, wrong = _bursts(clients, bursts, messages)
        (path,) = where.glob("*.kspy")
        wrong += _wrong_in(path, bursts, messages)
    through, direct = (median(trips[name]) * 1e6 for name in ("tap", "direct"))
    rate, alone = (messages / median(seconds[name]) for name in ("tap", "direct"))
    return [
        Row(
            "round trip over a WebSocket through the tap, recording on, p50",
            f"{through:.0f} µs",
            f"the same server direct {direct:.0f} µs",
            through / direct,
        ),
        Row(
            f"burst of {messages:,} over a WebSocket through the tap, received and recorded:"
            f" {wrong} lost or out of order",
            f"{rate:,.0f} /s",
            f"the same server direct {alone:,.0f} /s",
            rate / alone,
        ),
    ]


@contextmanager
def _clients(where: Path, *, profile: bool) -> Iterator[Mapping[str, ClientConnection]]:
    """One connected straight to the server, one through a tap."""
    with ExitStack() as stack:
        server = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.websocket_server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        assert server.stdout is not None
        port = int(server.stdout.readline())
        listen = port + 1 if port < 65535 else port - 1
        arguments = ["--gateway", f"http://127.0.0.1:{port}", "--recordings", str(where)]
        arguments += ["--listen", f"127.0.0.1:{listen}"]
        stack.enter_context(tap(*arguments, profile=profile))
        yield {
            "direct": stack.enter_context(_connect(port)),
            "tap": stack.enter_context(_connect(listen)),
        }


def _connect(port: int) -> ClientConnection:
    deadline = time.monotonic() + 30
    while True:
        try:
            return connect(
                f"ws://127.0.0.1:{port}{_PATH}?session_id=bench",
                subprotocols=[Subprotocol(V1)],
                compression=None,
                max_queue=None,
                proxy=None,
            )
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _round_trips(
    clients: Mapping[str, ClientConnection], rounds: int, requests: int
) -> Mapping[str, list[float]]:
    """Seconds of each, a few at a time through each."""
    payload = request("pass")
    found: dict[str, list[float]] = {name: [] for name in clients}
    for number in range(rounds):
        for name in sorted(clients, reverse=bool(number % 2)):
            client = clients[name]
            for _ in range(requests):
                start = time.perf_counter()
                client.send(payload)
                client.recv()
                found[name].append(time.perf_counter() - start)
    return found


def _bursts(
    clients: Mapping[str, ClientConnection], bursts: int, messages: int
) -> tuple[Mapping[str, list[float]], int]:
    """Seconds of each; and how many messages were not what was sent."""
    wanted = [output(number) for number in range(messages)]
    found: dict[str, list[float]] = {name: [] for name in clients}
    wrong = 0
    for number in range(bursts):
        for name in sorted(clients, reverse=bool(number % 2)):
            client = clients[name]
            start = time.perf_counter()
            client.send(request(f"burst {messages}"))
            received = [client.recv() for _ in range(messages)]
            found[name].append(time.perf_counter() - start)
            client.recv()
            wrong += sum(one != other for one, other in zip(received, wanted, strict=True))
            time.sleep(1.0)  # what is left to record is no part of the next
    return found, wrong


def _wrong_in(path: Path, bursts: int, messages: int) -> int:
    with kspy.open(path) as recording:
        numbers = [
            int(found[1])
            for message in recording
            if message.channel == "iopub"
            and (found := re.search(r'"text":"(\d{8}) ', message.frames[0].decode("latin-1")))
        ]
    wanted = list(range(messages)) * bursts
    return abs(len(wanted) - len(numbers)) + sum(
        one != other for one, other in zip(numbers, wanted, strict=False)
    )
