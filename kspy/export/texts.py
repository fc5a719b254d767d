"""Chosen messages as lines of text or of JSON, the very lines of `kspy show`, in a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path

from kspy.analysis.event_summary import merge_connections
from kspy.analysis.progress import Progress
from kspy.analysis.table import Table
from kspy.export.chosen import Chosen, Exported, Items, Story
from kspy.export.json_lines import event_line, message_line
from kspy.export.lines import Lines
from kspy.export.style import Style
from kspy.export.target import whole_file
from kspy.recording.event import Event

Work = Generator[Progress, None, Exported]


def write_json_lines(
    table: Table, items: Items, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Work:
    """Write `items` as JSON, a line each, mode 0600. Raises as `extract` does."""
    return _write(table, items, path, json_of, overwrite=overwrite)


def write_text(
    table: Table, items: Items, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Work:
    """Write `items` as text, a line each, mode 0600. Raises as `extract` does.

    Times are since the start of the recording, whichever messages were chosen.
    """
    lines = Lines(Style(colours=False, width=None), start_ns=table.start_ns)

    def made(stories: Iterable[Story]) -> Iterator[str]:
        for story in merge_connections(stories):
            yield lines.event(story) if isinstance(story, Event) else lines.message(story)

    return _write(table, items, path, made, overwrite=overwrite)


def json_of(stories: Iterable[Story]) -> Iterator[str]:
    """Each of `stories` as a line of JSON."""
    for story in stories:
        yield event_line(story) if isinstance(story, Event) else message_line(story)


def _write(
    table: Table,
    items: Items,
    path: str | os.PathLike[str],
    made: Callable[[Iterable[Story]], Iterator[str]],
    *,
    overwrite: bool,
) -> Work:
    chosen = Chosen(table, items)
    with whole_file(path, table.recording, overwrite=overwrite) as temporary:
        with temporary.open("w", encoding="utf-8", errors="backslashreplace") as file:
            yield from chosen.write(lambda line: _put(file.write, line), made(chosen))
        return chosen.exported(path, temporary.stat().st_size)


def _put(write: Callable[[str], object], line: str) -> None:
    write(line)
    write("\n")


def write_whole(text: str, path: str | os.PathLike[str], *, overwrite: bool = False) -> int:
    """Write a text that is there already, as a picture in SVG; bytes written."""
    with whole_file(path, overwrite=overwrite) as temporary:
        return Path(temporary).write_bytes(text.encode("utf-8", "backslashreplace"))
