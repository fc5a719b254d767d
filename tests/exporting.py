"""Long work run to its end, and tables of whole recordings."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from kspy.analysis.progress import Progress
from kspy.analysis.table import Table
from kspy.recording.reader import Recording

Result = TypeVar("Result")


def run(work: Generator[Progress, None, Result]) -> Result:
    while True:
        try:
            progress = next(work)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        assert 0 <= progress.done <= progress.total


def grown(recording: Recording) -> Table:
    table = Table(recording)
    while not table.grow():
        pass
    return table


def everything(table: Table) -> list[int]:
    return [*range(len(table)), *(-1 - n for n in range(table.event_count))]
