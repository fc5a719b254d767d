"""How many messages a second pass when a kernel publishes as fast as it can? Is any lost?"""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import kspy
from benchmarks.kernel import number_of
from benchmarks.rig import Client, Middle, folder, rigs
from benchmarks.table import Row


def measure(*, quick: bool = False, profile: bool = False) -> list[Row]:
    bursts, messages = (3, 5_000) if quick else (11, 40_000)
    seconds: dict[Middle, list[float]] = {"direct": [], "proxy": [], "tap": []}
    lost = disordered = 0
    with folder() as where:
        with rigs(where, "direct", "proxy", "tap", profile=profile) as all_rigs:
            for rig in all_rigs:
                rig.client.execute(f"prepare {messages}")
            for number in range(bursts):
                for rig in all_rigs[number % 3 :] + all_rigs[: number % 3]:
                    taken, numbers = _burst(rig.client, messages)
                    seconds[rig.middle].append(taken)
                    lost += messages - len(set(numbers))
                    disordered += _disorder(numbers)
                    time.sleep(0 if quick else 1.0)  # what is left to record is no part of the next
        recorded = _recorded(where / "tap.kspy")[-bursts * messages :]
    lost += bursts * messages - len(recorded)
    disordered += sum(
        _disorder(recorded[at : at + messages]) for at in range(0, len(recorded), messages)
    )
    direct, proxy, tap = (messages / median(found) for found in seconds.values())
    ratio = tap / proxy
    return [
        Row(
            f"burst of {messages:,} on iopub through the tap, received and recorded:"
            f" {lost} lost, {disordered} out of order",
            f"{tap:,.0f} /s",
            f"bare C proxy {proxy:,.0f} /s (direct {direct:,.0f} /s)",
            ratio,
            "≥ 0.85, 0, 0",
            ratio >= 0.85 and not lost and not disordered,
        )
    ]


def _burst(client: Client, messages: int) -> tuple[float, list[int]]:
    """Seconds from the request to the last message, and the messages' numbers."""
    receive = client.iopub.recv_multipart
    request = client.execute_request("burst")
    start = time.perf_counter()
    client.shell.send_multipart(request)
    received = [receive()[-1] for _ in range(messages)]
    taken = time.perf_counter() - start
    client.shell.recv_multipart()
    return taken, list(map(number_of, received))


def _disorder(numbers: list[int]) -> int:
    return sum(after <= before for before, after in pairwise(numbers))


def _recorded(path: Path) -> list[int]:
    with kspy.open(path) as recording:
        return [
            number_of(message.frames[-1]) for message in recording if message.channel == "iopub"
        ]
