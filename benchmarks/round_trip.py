"""How long does a request take to the kernel and its reply back?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from statistics import median

from benchmarks.rig import Client, Middle, Rig, folder, rigs
from benchmarks.table import Row


def measure(*, quick: bool = False, profile: bool = False) -> list[Row]:
    rounds, requests = (6, 100) if quick else (60, 200)
    with folder() as where, rigs(where, "direct", "proxy", "tap", profile=profile) as all_rigs:
        medians = _interleaved(all_rigs, rounds, requests)
    direct, proxy, tap = (medians[middle] for middle in ("direct", "proxy", "tap"))
    ratio = tap / proxy
    return [
        Row(
            "round trip through the tap, recording on, p50",
            f"{tap:.0f} µs",
            f"bare C proxy {proxy:.0f} µs (direct {direct:.0f} µs)",
            ratio,
            "≤ 1.10",
            ratio <= 1.10,
        )
    ]


def _interleaved(all_rigs: list[Rig], rounds: int, requests: int) -> Mapping[Middle, float]:
    """The median of all round trips in µs, a few at a time through each."""
    samples: dict[Middle, list[float]] = {rig.middle: [] for rig in all_rigs}
    for number in range(rounds):
        for rig in all_rigs[number % 3 :] + all_rigs[: number % 3]:
            samples[rig.middle] += _round_trips(rig.client, requests)
    return {middle: median(found) * 1e6 for middle, found in samples.items()}


def _round_trips(client: Client, requests: int) -> list[float]:
    messages = [client.execute_request(f"x = {n}") for n in range(requests)]
    client.execute("warm = True")
    send, receive = client.shell.send_multipart, client.shell.recv_multipart
    times = []
    for message in messages:
        start = time.perf_counter()
        send(message)
        receive()
        times.append(time.perf_counter() - start)
    return times
