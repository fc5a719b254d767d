"""In place of a recording where none can be written: the session goes on without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Unrecorded:
    """Takes what a `Writer` takes, and keeps nothing."""

    seq = 0
    pending = False
    lost = 0

    def write_route(
        self, time_ns: int, route: int, frames: Sequence[bytes], client: int, flags: int
    ) -> None:
        pass

    def event(self, time_ns: int, name: str, data: Mapping[str, Any] | None = None) -> None:
        pass

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass
