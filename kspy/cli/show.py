"""`kspy show`: print a recording, a line a message, as text or as JSON.

Everything streams: the first line comes at once, and a recording of any length needs the memory
of a few messages (with `--threads`: of a few numbers a message).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

import kspy
from kspy.analysis.event_summary import merge_connections
from kspy.export.json_lines import event_line, message_line
from kspy.export.lines import Lines
from kspy.export.style import style_of_stdout
from kspy.export.thread_lines import thread_lines
from kspy.recording.event import Event
from kspy.recording.reader import Recording
from kspy.wire.message import Message


@click.command(short_help="Print a recording, a line a message.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--threads", is_flag=True, help="Requests, and beneath each what answers it.")
@click.option("--follow", "-f", is_flag=True, help="Go on while the recording grows.")
@click.option("--filter", "text", metavar="TEXT", help="Only what matches; see docs/filter.md.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for scripts.")
def show(file: Path, threads: bool, follow: bool, text: str | None, as_json: bool) -> None:
    """Print what was said in the recording FILE, a line a message.

    Time since the start, → to the kernel or ← to the client, channel, client where there are
    several, type, and what the message says. Events of the recording are marked with a dot.

    With --filter, only what matches: 'type:execute_* error', 'latency>500ms', '"some text"'. With
    --threads, the whole threads of it; with --follow, what matches at the moment it comes.
    """
    if threads and (follow or as_json):
        other = "--follow" if follow else "--json"
        raise click.UsageError(f"--threads and {other} do not go together; choose one")
    with kspy.open(file) as recording:
        if text is not None:
            lines = _filtered(recording, text, threads, follow, as_json)
        elif threads:
            lines = thread_lines(recording, style_of_stdout())
        else:
            lines = _all(recording, follow, as_json)
        try:
            _print(lines, at_once=follow)
        except KeyboardInterrupt:
            if not follow:  # Ctrl-C is how following ends
                raise


def _filtered(
    recording: Recording, text: str, threads: bool, follow: bool, as_json: bool
) -> Iterator[str]:
    from kspy.cli.filtered import filtered_lines, filtered_thread_lines, wanted_by

    wanted = wanted_by(text)
    style = style_of_stdout()
    if threads:
        return filtered_thread_lines(recording, wanted, style)
    return filtered_lines(recording, wanted, None if as_json else style, growing=follow)


def _all(recording: Recording, follow: bool, as_json: bool) -> Iterator[str]:
    stories = recording.follow() if follow else recording.stories()
    if not as_json and not follow:  # following, an event must not wait for the next
        stories = merge_connections(stories)
    return _json_lines(stories) if as_json else _text_lines(stories)


def _json_lines(stories: Iterable[Message | Event]) -> Iterator[str]:
    for story in stories:
        yield message_line(story) if isinstance(story, Message) else event_line(story)


def _text_lines(stories: Iterable[Message | Event]) -> Iterator[str]:
    lines = Lines(style_of_stdout())
    for story in stories:
        yield lines.message(story) if isinstance(story, Message) else lines.event(story)


def _print(lines: Iterable[str], *, at_once: bool) -> None:
    """Write `lines`: the first at once, so that it is seen; the rest as the stream buffers."""
    write, flush = sys.stdout.write, sys.stdout.flush
    for number, line in enumerate(lines):
        write(line + "\n")
        if at_once or number == 0:
            flush()
