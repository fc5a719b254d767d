"""A smaller recording, made of chosen messages of another: for a bug report.

What is copied is copied byte for byte: frames, times, clients, flags, events. What is left out
leaves no hole: the messages are numbered anew, and the header's `extract` says of how many these
are, because a "gap" says that messages are missing that should be there. Real gaps of the source
between what was chosen are kept for the same reason, chosen or not.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from typing import Any

import numpy as np

from kspy.analysis.fields import mapping, number
from kspy.analysis.progress import Progress
from kspy.analysis.table import Table
from kspy.errors import KspyError
from kspy.export.chosen import Chosen, Exported, Items, Story
from kspy.export.target import whole_file
from kspy.recording.event import Event
from kspy.recording.reader import Recording
from kspy.recording.writer import Writer
from kspy.wire.message import TRUNCATED


def extract(
    table: Table, items: Items, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Generator[Progress, None, Exported]:
    """Write the recording of `items` to `path`, mode 0600. Long work: see `Progress`.

    Raises `KspyError` if there is such a file (unless `overwrite`), if it is the recording
    itself, or cannot be written. Dropping the generator leaves no file.
    """
    recording = table.recording
    chosen = Chosen(table, np.union1d(np.asarray(items, np.int32), _gaps(table, items)))
    with whole_file(path, recording, overwrite=overwrite) as temporary:
        failures: list[str] = []
        metadata = _metadata(recording, int(np.count_nonzero(chosen.items >= 0)), len(table))

        def failed(why: str | None) -> None:
            if why:
                failures.append(why.removeprefix(f"{temporary}: not recording: "))

        def check() -> None:
            if failures:
                raise KspyError(f"{os.fspath(path)}: cannot be written: {failures[0]}")

        with Writer(temporary, metadata, overwrite=True, on_error=failed) as writer:
            for progress in chosen.write(lambda story: _copy(story, writer)):
                check()
                yield progress
        check()
        return chosen.exported(path, writer.size)


def _copy(story: Story, writer: Writer) -> None:
    if isinstance(story, Event):
        writer.event(story.time_ns, story.name, story.data)
        return
    writer.write(
        story.time_ns,
        story.channel,
        story.direction,
        story.frames,
        client=story.client or 0,
        flags=story.recorded_flags | (TRUNCATED if story.truncated else 0),
    )


def _metadata(recording: Recording, messages: int, known: int) -> Mapping[str, Any]:
    """The source's header, and that this is an extract: of the first source, where it is one."""
    metadata = {key: value for key, value in recording.metadata.items() if key != "kspy"}
    before = mapping(metadata, "extract")
    of = max(number(before, "of") or 0, known)
    state = before.get("state") or recording.state
    return {**metadata, "extract": {"messages": messages, "of": of, "state": state}}


def _gaps(table: Table, items: Items) -> Items:
    """The table's "gap" events between the first and the last message of `items`."""
    places = np.asarray(items, np.int32)
    places = places[places >= 0]
    if not len(places):
        return []
    first, last = int(places.min()), int(places.max())
    return [
        -1 - n
        for n, event in enumerate(table.events)
        if event.name == "gap" and first < table.event_place(n) <= last
    ]
