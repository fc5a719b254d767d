"""How far long work is. Work that takes long is a generator that yields these."""

from __future__ import annotations

from typing import NamedTuple


class Progress(NamedTuple):
    """`done` of `total`, in whatever the work counts."""

    done: int
    total: int
