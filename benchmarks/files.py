"""Writing and reading recordings, beside the same messages in `mcap` files."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from mcap.reader import make_reader
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter

import kspy
from benchmarks.messages import Sample, conversation
from benchmarks.profiling import profiled
from benchmarks.rig import folder
from benchmarks.table import Row
from kspy.recording.writer import Writer
from kspy.wire.message import ROUTES

_Blobs = Sequence[tuple[int, int, bytes]]


def writing(*, quick: bool = False, profile: bool = False) -> list[Row]:
    repeats, samples, blobs = _corpus(quick)
    with folder() as where, _frozen():
        ours, theirs = where / "a.kspy", where / "a.mcap"
        if profile:
            with profiled():
                write_kspy(ours, samples)
        kspy_rate, mcap_rate = _rates(
            len(samples),
            repeats,
            lambda: write_kspy(ours, samples),
            lambda: write_mcap(theirs, blobs),
        )
        smaller = ours.stat().st_size / theirs.stat().st_size
        sizes = f"{ours.stat().st_size / 1e6:.1f} MB", f"{theirs.stat().st_size / 1e6:.1f} MB"
    ratio = kspy_rate / mcap_rate
    size = sum(len(blob) for _, _, blob in blobs) / len(blobs)
    return [
        Row(
            f"writing a recording ({len(samples):,} messages, {size:,.0f} bytes each), closed",
            f"{kspy_rate:,.0f} /s",
            f"mcap with zstd {mcap_rate:,.0f} /s",
            ratio,
            "≥ 3",
            ratio >= 3,
        ),
        Row("size of that file", sizes[0], f"mcap {sizes[1]}", smaller, "≤ 1", smaller <= 1),
    ]


def reading(*, quick: bool = False, profile: bool = False) -> list[Row]:
    repeats, samples, blobs = _corpus(quick)
    with folder() as where, _frozen():
        ours, theirs = where / "a.kspy", where / "a.mcap"
        write_kspy(ours, samples)
        write_mcap(theirs, blobs)
        if profile:
            with profiled():
                read_frames(ours)
        full, columns, mcap_rate = _rates(
            len(samples),
            repeats,
            lambda: read_frames(ours),
            lambda: read_columns(ours),
            lambda: read_mcap(theirs),
        )
    beside = f"mcap {mcap_rate:,.0f} /s"
    return [
        Row(
            "reading it, each message's time, channel and frames",
            f"{full:,.0f} /s",
            beside,
            full / mcap_rate,
            "≥ 8",
            full >= 8 * mcap_rate,
        ),
        Row(
            "reading it, each message's time and channel",
            f"{columns:,.0f} /s",
            beside,
            columns / mcap_rate,
        ),
    ]


def write_kspy(path: Path, samples: Sequence[Sample]) -> None:
    with Writer(path, overwrite=True) as writer:
        write = writer.write_route
        for time_ns, channel, direction, frames in samples:
            write(time_ns, ROUTES[channel, direction], frames, 1, 0)


def write_mcap(path: Path, blobs: _Blobs) -> None:
    with path.open("wb") as file:
        writer = McapWriter(file, compression=CompressionType.ZSTD)
        writer.start()
        channels = {
            route: writer.register_channel(f"{channel}/{direction}", "jupyter", 0)
            for (channel, direction), route in ROUTES.items()
        }
        add = writer.add_message
        for time_ns, route, blob in blobs:
            add(channels[route], time_ns, blob, time_ns)
        writer.finish()


def read_frames(path: Path) -> int:
    total = 0
    with kspy.open(path) as recording:
        for message in recording:
            if message.time_ns and message.channel:
                total += len(message.frames)
    return total


def read_columns(path: Path) -> int:
    with kspy.open(path) as recording:
        return sum(1 for message in recording if message.time_ns and message.channel)


def read_mcap(path: Path) -> int:
    total = 0
    with path.open("rb") as file:
        # The fastest way that it has: without the order by time.
        for _, channel, message in make_reader(file).iter_messages(log_time_order=False):
            if message.log_time and channel.topic:
                total += len(message.data)
    return total


def _corpus(quick: bool) -> tuple[int, list[Sample], _Blobs]:
    """Repetitions, messages, and the messages as mcap gets them: each one blob."""
    repeats, messages = (3, 10_000) if quick else (9, 100_000)
    samples = conversation(messages)
    blobs = [
        (time_ns, ROUTES[channel, direction], b"".join(frames))
        for time_ns, channel, direction, frames in samples
    ]
    return repeats, samples, blobs


def _rates(messages: int, repeats: int, *works: Callable[[], object]) -> list[float]:
    """Messages a second of each, taken in turns."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for work, found in zip(works, seconds, strict=True):
            start = time.perf_counter()
            work()
            found.append(time.perf_counter() - start)
    return [messages / median(found) for found in seconds]


@contextmanager
def _frozen() -> Iterator[None]:
    """Keep the garbage collector from looking at the messages that wait to be written."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
