"""What `kspy show --filter` prints: imported only where there is a filter, for it needs numpy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from kspy.analysis.event_summary import merge_connections
from kspy.analysis.filter import Filter, FilterError, parse, whole_threads
from kspy.analysis.filter.select import follow, matching, stories, whole_table
from kspy.analysis.table import Table
from kspy.errors import KspyError
from kspy.export.json_lines import event_line, message_line
from kspy.export.lines import Lines
from kspy.export.style import Style
from kspy.export.thread_lines import NOTE_WIDTH, end_of, one_thread
from kspy.recording.event import Event
from kspy.recording.reader import Recording
from kspy.wire.message import Message


def wanted_by(text: str, option: str = "--filter") -> Filter:
    """Raises `KspyError`, with the column of a mistake, counted from 1."""
    try:
        return parse(text)
    except FilterError as error:
        raise KspyError(f"{option}: {error} (column {error.start + 1})") from error


def filtered_lines(
    recording: Recording, wanted: Filter, style: Style | None, *, growing: bool
) -> Iterator[str]:
    """The lines of what matches; as JSON where there is no `style`."""
    if growing:
        table = Table(recording)
        found = follow(wanted, table)
    else:
        table = whole_table(recording)
        found = stories(table, matching(wanted, table))
    if style is None:
        return _json_lines(found)
    return _text_lines(table, found if growing else merge_connections(found), style)


def _json_lines(found: Iterable[Message | Event]) -> Iterator[str]:
    for story in found:
        yield message_line(story) if isinstance(story, Message) else event_line(story)


def _text_lines(table: Table, found: Iterable[Message | Event], style: Style) -> Iterator[str]:
    lines: Lines | None = None
    for story in found:
        if lines is None:  # a growing recording has no beginning before its first message
            lines = _lines(table, style)
        yield lines.message(story) if isinstance(story, Message) else lines.event(story)


def _lines(table: Table, style: Style) -> Lines:
    several = len(set(table.columns.clients) - {0}) > 1
    return Lines(style, several_clients=several, start_ns=table.start_ns)


def filtered_thread_lines(recording: Recording, wanted: Filter, style: Style) -> Iterator[str]:
    """The lines of all threads of which any message matches, and of other items that do."""
    threads = recording.threads()  # before the table: should the index be wrong, it is done anew
    table = whole_table(recording)
    lines, end_ns = _lines(table, style), end_of(recording)
    found = whole_threads(table, np.fromiter(matching(wanted, table), np.int32))
    roots = (item for item in found.tolist() if item < 0 or _is_root(table, item))
    for story in merge_connections(stories(table, roots)):
        if isinstance(story, Event):
            yield lines.event(story)
            continue
        place = table.place_of(story.seq)
        thread = -1 if place is None else table.thread(place)
        if thread < 0:
            yield lines.message(story, note=" " * NOTE_WIDTH)
        else:
            yield from one_thread(threads[thread], lines, end_ns)


def _is_root(table: Table, place: int) -> bool:
    thread = table.thread(place)
    return thread < 0 or table.head(thread) == place
