"""Lines in stream order and as threads, checked against doing it one item at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kspy
from kspy.analysis.arrange import Threads, keys, roots, stream_items, whole_threads
from kspy.analysis.event_groups import EventGroups
from kspy.analysis.table import Table
from kspy.recording.event import Event

FOLDER = Path(__file__).parent.parent / "recordings"
RECORDINGS = sorted(FOLDER.glob("*.kspy"))


def grown(path: Path) -> Table:
    table = Table(kspy.open(path))
    while not table.grow():
        pass
    return table


TABLES = {path.stem: grown(path) for path in RECORDINGS}


def everything(table: Table) -> list[int]:
    items: list[int] = stream_items(table, 0, len(table), range(table.event_count)).tolist()
    return items


@pytest.mark.parametrize("name", TABLES)
def test_items_are_in_the_order_of_the_recording(name: str) -> None:
    table = TABLES[name]
    with kspy.open(FOLDER / f"{name}.kspy") as recording:
        stories = list(recording.stories())
    items = everything(table)
    assert len(items) == len(stories)
    for item, story in zip(items, stories, strict=True):
        if isinstance(story, Event):
            assert table.event(-1 - item) == story
        else:
            assert table.seq(item) == story.seq
    assert (np.diff(keys(table, np.array(items))) >= 0).all()


@pytest.mark.parametrize("name", TABLES)
def test_items_that_come_later_go_to_the_end(name: str) -> None:
    table = TABLES[name]
    half = len(table) // 2
    early = [n for n in range(table.event_count) if table.event_place(n) <= half]
    late = range(len(early), table.event_count)
    first = stream_items(table, 0, half, early).tolist()
    second = stream_items(table, half, len(table), late).tolist()
    assert first + second == everything(table)


def slowly(
    table: Table, items: list[int], folded: bool, turned: set[int], limit: tuple[int, int] | None
) -> list[int]:
    """What `Threads.lines` should give, by the words of its documentation."""
    places = {item: place for place, item in enumerate(everything(table))}
    above = {item: int(roots(table, np.array([item], np.int32))[0]) for item in items}
    lines = []
    for root in sorted(set(above.values()), key=places.__getitem__):
        lines.append(root)
        if (root in turned) == folded:
            lines += [item for item in items if above[item] == root and item != root]
    if limit is None:
        return lines
    messages, events = limit
    return [item for item in lines if (item < messages if item >= 0 else -1 - item < events)]


@given(data=st.data(), name=st.sampled_from(sorted(TABLES)), folded=st.booleans())
def test_threads_are_what_a_slow_hand_would_make_of_them(
    data: st.DataObject, name: str, folded: bool
) -> None:
    table = TABLES[name]
    chosen = data.draw(st.sets(st.sampled_from(everything(table))))
    turned = data.draw(st.sets(st.integers(0, len(table) - 1)))
    count = data.draw(st.none() | st.integers(0, len(everything(table))))
    there = everything(table)[:count]
    messages = [item for item in there if item >= 0]
    limit = None if count is None else (len(messages), len(there) - len(messages))
    items = [item for item in everything(table) if item in chosen]
    threads = Threads(table, np.array(items, np.int32))
    found = threads.lines(folded=folded, turned=turned, limit=limit).tolist()
    assert found == slowly(table, items, folded, turned, limit)


@given(data=st.data(), name=st.sampled_from(sorted(TABLES)))
def test_whole_threads_have_every_message_of_each(data: st.DataObject, name: str) -> None:
    table = TABLES[name]
    chosen = data.draw(st.sets(st.sampled_from(everything(table))))
    items = np.array([item for item in everything(table) if item in chosen], np.int32)
    wanted = {table.thread(item) for item in chosen if item >= 0} - {-1}
    expected = [
        item
        for item in everything(table)
        if item in chosen or (item >= 0 and table.thread(item) in wanted)
    ]
    assert whole_threads(table, items).tolist() == expected


@pytest.mark.parametrize("name", TABLES)
def test_connections_of_one_client_share_a_line(name: str) -> None:
    table = TABLES[name]
    groups = EventGroups(table)
    heads, changed = groups.take_new()
    assert set(changed) <= set(heads)
    assert groups.take_new() == ([], [])
    for number in range(table.event_count):
        head = groups.head(number)
        assert head in heads
        assert table.event(number).name == table.event(head).name
        assert table.event_place(number) == table.event_place(head)
    together = [number for number in heads if ", " in groups.summary(number)]
    assert any(table.event(n).name == "client_connected" for n in together)
