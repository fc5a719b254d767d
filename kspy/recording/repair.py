"""Make a whole recording of one that was cut short or damaged: everything readable is kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kspy.errors import KspyError
from kspy.recording.event import Event
from kspy.recording.reader import Recording, State
from kspy.recording.writer import Writer
from kspy.wire.message import TRUNCATED, Message


@dataclass
class RepairReport:
    """state: what the source was; lost: messages known to be missing; gaps: where, and why."""

    state: State
    messages: int = 0
    events: int = 0
    lost: int = 0
    gaps: list[Event] = field(default_factory=list)


def repair(
    source: str | os.PathLike[str], target: str | os.PathLike[str], *, overwrite: bool = False
) -> RepairReport:
    """Write what `source` still has to `target`, as a whole file, each gap an event.

    Raises `KspyError` if the source is no recording, still grows, or the target cannot be written.
    """
    with Recording(source) as recording:
        state = recording.state
        if state == "growing":
            raise KspyError(f"{os.fspath(source)}: is still being recorded; end that first")
        if Path(target).exists() and Path(target).samefile(source):
            raise KspyError(f"{os.fspath(target)}: is the recording itself; name another file")
        report = RepairReport(state)
        errors: list[str] = []
        metadata = {**recording.metadata, "repaired": True}
        metadata.pop("kspy", None)
        with Writer(target, metadata, overwrite=overwrite, on_error=_collect(errors)) as writer:
            for story in recording.stories():
                _copy(story, writer, report)
        if errors:
            raise KspyError(errors[0])
        report.state = recording.state
        return report


def _copy(story: Message | Event, writer: Writer, report: RepairReport) -> None:
    if isinstance(story, Message):
        writer.write(
            story.time_ns,
            story.channel,
            story.direction,
            story.frames,
            client=story.client or 0,
            flags=story.recorded_flags | (TRUNCATED if story.truncated else 0),
        )
        report.messages += 1
        return
    if story.name == "gap":
        lost = max(0, story.seq - writer.seq)
        writer.skip(lost)
        report.lost += lost
        report.gaps.append(story)
    else:
        report.events += 1
    writer.event(story.time_ns, story.name, story.data)


def _collect(errors: list[str]) -> Callable[[str | None], None]:
    def note(error: str | None) -> None:
        if error:
            errors.append(error)

    return note
