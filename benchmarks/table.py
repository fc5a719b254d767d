"""The rows of the table that is printed, and what they are printed on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HEAD: Final = ("what", "measured", "beside", "ratio", "target", "met")


@dataclass(frozen=True)
class Row:
    """One measurement beside what it is a ratio to; `met` is None where nothing is aimed at."""

    what: str
    measured: str
    beside: str
    ratio: float
    target: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        met = "" if self.met is None else "yes" if self.met else "**no**"
        return self.what, self.measured, self.beside, f"{self.ratio:.2f}", self.target, met


def markdown(rows: Iterable[Row]) -> str:
    lines = [_HEAD, ("---",) * len(_HEAD), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine() -> str:
    """Cores, memory, Python, system."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB,"
        f" Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
