"""How far is the recorded time from the moment when the kernel sent the message?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import kspy
from benchmarks.kernel import number_of
from benchmarks.rig import Client, folder, rigs
from benchmarks.table import Row

_RATE: Final = 10_000


def measure(*, quick: bool = False, profile: bool = False) -> list[Row]:
    rounds, messages = (2, 5_000) if quick else (5, 20_000)
    received: list[int] = []
    with folder() as where:
        with rigs(where, "direct", "tap", profile=profile) as (direct, tap):
            for _ in range(rounds):
                received += _paced(direct.client, messages)
                _paced(tap.client, messages)
        recorded = _recorded(where / "tap.kspy")[-rounds * messages :]
    if len(recorded) < rounds * messages:
        raise RuntimeError(f"{rounds * messages - len(recorded)} messages are not in the recording")
    tap_p99, direct_p99 = _percentile(recorded, 99), _percentile(received, 99)
    return [
        Row(
            f"recorded time against the sender's clock at {_RATE:,} /s, p99"
            f" (p50 {_percentile(recorded, 50):.2f} ms)",
            f"{tap_p99:.2f} ms",
            f"a SUB socket in Python, direct {direct_p99:.2f} ms",
            tap_p99 / direct_p99,
            "≤ 1 ms",
            tap_p99 <= 1,
        )
    ]


def _paced(client: Client, messages: int) -> list[int]:
    """How long after they were sent the messages arrived, ns."""
    client.shell.send_multipart(client.execute_request(f"pace {messages} {_RATE}"))
    receive = client.iopub.recv_multipart
    arrived = [(time.time_ns(), frames[-1]) for frames in (receive() for _ in range(messages))]
    client.shell.recv_multipart()
    return [abs(time_ns - number_of(content)) for time_ns, content in arrived]


def _recorded(path: Path) -> list[int]:
    with kspy.open(path) as recording:
        return [
            abs(message.time_ns - number_of(message.frames[-1]))
            for message in recording
            if message.channel == "iopub"
        ]


def _percentile(values: list[int], percent: int) -> float:
    """In ms."""
    return sorted(values)[len(values) * percent // 100] / 1e6
