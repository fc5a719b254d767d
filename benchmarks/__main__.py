"""`python -m benchmarks`: measure, and print the table."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Mapping
from typing import Final, Protocol

from benchmarks import (
    burst,
    files,
    replaying,
    round_trip,
    serving,
    starting,
    timestamps,
    viewer_live,
    viewer_million,
    websocket,
)
from benchmarks.table import Row, machine, markdown


class Benchmark(Protocol):
    def __call__(self, *, quick: bool, profile: bool) -> list[Row]: ...


BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "round-trip": round_trip.measure,
    "burst": burst.measure,
    "timestamps": timestamps.measure,
    "websocket": websocket.measure,
    "serving": serving.measure,
    "writing": files.writing,
    "reading": files.reading,
    "replaying": replaying.measure,
    "starting": starting.measure,
    "viewer-million": viewer_million.measure,
    "viewer-live": viewer_live.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work at all?")
    parser.add_argument(
        "--only",
        choices=BENCHMARKS,
        action="append",
        metavar="NAME",
        help=f"one of {', '.join(BENCHMARKS)}; may be repeated",
    )
    parser.add_argument("--profile", action="store_true", help="print where the time goes, too")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # who has kspy installed has its bytecode
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    rows: list[Row] = []
    for name in options.only or BENCHMARKS:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows += BENCHMARKS[name](quick=options.quick, profile=options.profile)
    print(machine())
    print()
    print(markdown(rows))


if __name__ == "__main__":
    main()
