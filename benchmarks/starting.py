"""How long does `kspy --help` take?"""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from benchmarks.process import installed
from benchmarks.table import Row


def measure(*, quick: bool = False, profile: bool = False) -> list[Row]:
    kspy_ms, python_ms = [], []
    for _ in range(3 if quick else 10):
        kspy_ms.append(_run(installed("kspy"), "--help"))
        python_ms.append(_run(sys.executable, "-c", "pass"))
    if profile:
        subprocess.run(
            [sys.executable, "-X", "importtime", "-c", "import kspy.cli.main"], check=True
        )
    ours, theirs = median(kspy_ms), median(python_ms)
    return [
        Row(
            "`kspy --help`",
            f"{ours:.0f} ms",
            f"`python -c pass` {theirs:.0f} ms",
            ours / theirs,
            "≤ 150 ms",
            ours <= 150,
        )
    ]


def _run(*command: str) -> float:
    """Milliseconds that it takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000
