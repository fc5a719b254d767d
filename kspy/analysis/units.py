"""Numbers as people read them: one way to write a size and a span of time, used everywhere."""

from __future__ import annotations

from typing import Final

NANOSECONDS: Final = 1_000_000_000
"""Of a second."""
UNITS: Final = ("KB", "MB", "GB", "TB")


def size(count: int) -> str:
    """Bytes: `312 bytes`, `1.4 KB`, `23 MB`. Steps of 1000, as disks and networks count."""
    if count < 1000:
        return plural(count, "byte")
    value, place = count / 1000, 0
    while value >= 999.5 and place < len(UNITS) - 1:
        value, place = value / 1000, place + 1
    return f"{value:.{1 if value < 9.95 else 0}f} {UNITS[place]}"


def short_size(count: int) -> str:
    """`312 B`, `1.4 KB`, `23 MB`: as `size`, in at most 6 cells for less than 1000 TB."""
    return f"{count} B" if count < 1000 else size(count)


def duration(nanoseconds: int) -> str:
    """`0.4 ms`, `12 s`, `3 min 05 s`, `2 h 07 min`."""
    if nanoseconds < 0:
        return "-" + duration(-nanoseconds)
    milliseconds = nanoseconds / 1e6
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def plural(count: int, noun: str) -> str:
    """`1 byte`, `1,204 bytes`. The plural of `noun` must be regular."""
    if count == 1:
        return f"1 {noun}"
    if noun.endswith("y"):
        return f"{count:,} {noun[:-1]}ies"
    return f"{count:,} {noun}{'es' if noun.endswith('ch') else 's'}"
