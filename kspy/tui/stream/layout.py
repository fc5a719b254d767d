"""Which columns the list has at which width. They keep their places while it scrolls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

MARK: Final = 2
TYPE: Final = 19  # kernel_info_request, update_display_data
SHORT_TYPE: Final = 15
CHANNEL: Final = 7
SIZE: Final = 7
TIMES: Final = {"absolute": 12, "start": 10, "before": 10}
"""Cells of a time, by its form: of the day, since the start, since the line before."""
STATE: Final = 7
MILESTONE: Final = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """Widths in cells, 0 for a column that is left out. Every column is followed by a space."""

    time: int
    channel: int
    type: int
    client: int
    size: int
    state: int
    milestones: int
    summary: int

    @property
    def fixed(self) -> int:
        """Cells before the summary."""
        return (
            MARK
            + sum(n + 1 for n in (self.time, 1 + self.channel, self.type))
            + sum(n + 1 for n in (self.client, self.size) if n)
        )


def lay_out(width: int, *, time: str, clients: int, threads: bool) -> Layout:
    """The columns that fit into `width` cells. `clients` is the highest client's number."""
    channel = CHANNEL if width >= 56 else 0
    msg_type = TYPE if width >= 62 else SHORT_TYPE
    client = len(str(clients)) + 1 if clients > 1 and width >= 50 else 0
    size = SIZE if width >= (100 if threads else 80) else 0
    state = STATE if threads and width >= 48 else 0
    milestones = 0
    if state:
        milestones = 3 if width >= 100 else 1
    layout = Layout(TIMES[time], channel, msg_type, client, size, state, milestones, 0)
    right = (state + 1 + milestones * (MILESTONE + 1)) if state else 0
    return replace(layout, summary=max(width - layout.fixed - right, 0))
