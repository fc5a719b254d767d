"""Where the time goes, in every thread: `python -m benchmarks.profiling tap …` profiles kspy."""

from __future__ import annotations

import cProfile
import pstats
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from kspy.cli.main import main

_LINES: Final = 25


@contextmanager
def profiled() -> Iterator[None]:
    """Print, to stderr, what took the most time in each thread that begins in this block."""
    profiles: dict[str, cProfile.Profile] = {}

    def begin(*_: Any) -> None:
        profile = profiles[threading.current_thread().name] = cProfile.Profile()
        profile.enable()

    threading.setprofile(begin)
    begin()
    try:
        yield
    finally:
        threading.setprofile(None)
        for name, profile in profiles.items():
            profile.disable()
            print(f"\n=== thread {name}", file=sys.stderr)
            pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(_LINES)


if __name__ == "__main__":
    with profiled():
        code = main(sys.argv[1:])
    sys.exit(code)
