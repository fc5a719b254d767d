"""Which columns the list has at which width. They keep their places while it scrolls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

MARKS: Final = 2
"""What is wrong with a message, and whether it has a bookmark."""
FOLD: Final = 1
TYPE: Final = 19  # kernel_info_request, update_display_data
SHORT_TYPE: Final = 15  # execute_request
CHANNEL: Final = 7
SIZE: Final = 6  # 999 KB
TIMES: Final = {"absolute": 12, "start": 9, "before": 9}
"""Cells of a time, by its form: of the day, since the start, since the line before."""
STATE: Final = 7
MILESTONE: Final = 8
VERDICT: Final = 12
"""`error 253 ms`: how a request fared, where there is no room for its milestones.

The few that are longer (`waiting 1:02:03`) take cells from what the request says.
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Widths in cells, 0 for a column that is left out. Every column is followed by a space.

    marks     before the time; with threads, the sign for folding is the first
    state and milestones (so many, each `MILESTONE` wide), or instead of them verdict
    """

    marks: int
    time: int
    channel: int
    type: int
    client: int
    size: int
    state: int = 0
    milestones: int = 0
    verdict: int = 0
    summary: int = 0

    @property
    def fixed(self) -> int:
        """Cells before the summary."""
        columns = (self.time, 2 + self.channel, self.type, self.client, self.size)
        return self.marks + sum(width + 1 for width in columns if width)

    @property
    def width(self) -> int:
        """All columns together."""
        return self.fixed + self.summary + self.right

    @property
    def right(self) -> int:
        """Cells after the summary."""
        milestones = self.milestones * (MILESTONE + 1)
        return sum(width + 1 for width in (self.state, self.verdict) if width) + milestones


def lay_out(width: int, *, time: str, clients: int, threads: bool) -> Layout:
    """The columns that fit into `width` cells. `clients` is the highest client's number.

    No limit lies where terminals of 80, 100 and 120 columns end, or the list beside an inspector:
    nothing comes or goes with a scroll bar.
    """
    steps = threads and width >= 96
    layout = Layout(
        marks=MARKS + (FOLD if threads else 0),
        time=TIMES[time],
        channel=CHANNEL if width >= (66 if threads else 56) else 0,
        type=TYPE if width >= (84 if threads else 66) else SHORT_TYPE,
        client=len(str(clients)) + 1 if clients > 1 and width >= 50 else 0,
        size=SIZE if width >= (76 if threads else 58) else 0,
        state=STATE if steps else 0,
        milestones=3 if steps else 0,
        verdict=VERDICT if threads and 44 <= width < 96 else 0,
    )
    return replace(layout, summary=max(width - layout.fixed - layout.right, 0))
