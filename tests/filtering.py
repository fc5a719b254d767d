"""Run filters over recordings, for tests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import kspy
from kspy.analysis.filter import parse
from kspy.analysis.filter.select import finish, whole_table
from kspy.analysis.table import Table

RECORDINGS = sorted((Path(__file__).parent.parent / "recordings").glob("*.kspy"))


def items(text: str, table: Table) -> list[int]:
    """What a filter lets through, all at once."""
    found: list[int] = finish(parse(text).run(table)).tolist()
    return found


def places(text: str, path: Path) -> list[int]:
    """The places of the messages of a recording that a filter lets through."""
    with kspy.open(path) as recording:
        return [item for item in items(text, whole_table(recording)) if item >= 0]


def event_names(found: Iterable[int], table: Table) -> list[str]:
    return [table.event(-1 - item).name for item in found if item < 0]
