"""How far is the recorded time from the moment when the kernel sent the message?"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Final

import kspy
from benchmarks.kernel import number_of
from benchmarks.rig import Client, folder, rigs
from benchmarks.table import Row

_RATE: Final = 10_000


def measure(*, quick: bool = False, profile: bool = False) -> list[Row]:
    rounds, messages = (2, 5_000) if quick else (9, 10_000)
    received: list[list[int]] = []
    with folder() as where:
        with rigs(where, "direct", "tap", profile=profile) as (direct, tap):
            for _ in range(rounds):
                received.append(_paced(direct.client, messages))
                _paced(tap.client, messages)
        found = _recorded(where / "tap.kspy")[-rounds * messages :]
    if len(found) < rounds * messages:
        raise RuntimeError(f"{rounds * messages - len(found)} messages are not in the recording")
    recorded = [found[at : at + messages] for at in range(0, len(found), messages)]
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


def _percentile(rounds: list[list[int]], percent: int) -> float:
    """The median of the rounds' percentiles, in ms."""
    return median(sorted(values)[len(values) * percent // 100] for values in rounds) / 1e6
