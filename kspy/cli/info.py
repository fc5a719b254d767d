"""`kspy info`: what is in a recording, on one page.

Exit code 0 whenever the file can be read: whether it is whole is a part of the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

import kspy
from kspy.analysis.fields import shown
from kspy.analysis.overview import Overview, ThreadLine, overview
from kspy.analysis.sanitize import one_line
from kspy.analysis.units import duration, plural, size
from kspy.export.json_lines import dumps, utc
from kspy.export.style import Style, style_of_stdout
from kspy.wire.websocket import ENCODING_NAMES, ENCODINGS

LABEL_WIDTH: Final = 12
NAMED: Final = 40
"""Names in a table; a recording may have hundreds of types, and a page has not."""
STATES: Final = {
    "whole": "whole",
    "growing": "still being recorded",
    "cut": "cut short: the recording was not closed (kspy repair makes it whole)",
    "damaged": "damaged (kspy repair keeps what can be read)",
}

Row = tuple[str, str]


@click.command(short_help="Say what is in a recording, and whether it is whole.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
def info(file: Path, as_json: bool) -> None:
    """Say what is in the recording FILE: kernel, messages, slowest requests, and is it whole."""
    with kspy.open(file) as recording:
        found = overview(recording)
    if as_json:
        click.echo(_json(found))
        return
    style = style_of_stdout()
    for label, text in _rows(found):
        click.echo(_line(label, text, style))


def _line(label: str, text: str, style: Style) -> str:
    return f"{style.dim(f'{label:{LABEL_WIDTH}}')}{style.fit(text, LABEL_WIDTH)}".rstrip()


def _rows(found: Overview) -> Iterator[Row]:
    """What there is to say, a label and a line each; nothing is said of what is not there."""
    yield "file", f"{size(found.file_bytes)}, {STATES[found.state]}"
    if found.gaps:
        yield "gaps", f"{plural(found.gaps, 'gap')}, {plural(found.lost, 'message')} known lost"
    if kernel := _kernel(found):
        yield "kernel", kernel
    if found.versions:
        versions = (f"{name} {shown(version)}" for name, version in found.versions.items())
        yield "versions", one_line(", ".join(versions))
    if found.gateway:
        yield "gateway", found.gateway
    if found.imported_from:
        yield "imported", f"from {found.imported_from}"
    for place, what in enumerate(found.missing):
        yield "" if place else "missing", what
    if found.platform:
        yield "platform", found.platform
    if found.start_ns is not None:
        yield "start", utc(found.start_ns)
        yield "duration", duration(found.duration_ns)
    chosen = f", chosen of {found.extract_of:,}" if found.extract_of else ""
    yield "messages", f"{found.messages:,}{chosen}, {size(found.bytes)} on the wire"
    yield from _table("channels", found.channels)
    yield from _table("types", found.types)
    for label, counts in (
        ("clients", {f"client {client}": count for client, count in found.clients.items()}),
        ("requests", found.requests),
        ("flags", found.flags),
        ("encoding", _encodings(found)),
    ):
        if counts:
            yield label, ", ".join(f"{name}: {count:,}" for name, count in _ordered(counts))
    events = {name.replace("_", " "): count for name, count in found.events.items()}
    yield from _table("events", events)
    if found.errors:
        yield "errors", plural(found.errors, "error message")
    yield from _threads("slowest", found.slowest)
    yield from _threads("unanswered", found.unanswered)


def _encodings(found: Overview) -> Mapping[str, int]:
    """How many messages came over WebSocket, and how they were encoded; nothing where none did."""
    if not found.encodings.keys() - {"zmq"}:
        return {}
    return {
        ENCODING_NAMES[name]: found.encodings[name] for name in ENCODINGS if name in found.encodings
    }


def _kernel(found: Overview) -> str:
    kernel = found.kernel
    parts = (
        kernel.name,
        f"{kernel.implementation} {kernel.implementation_version}",
        kernel.protocol_version and f"protocol {kernel.protocol_version}",
        f"{kernel.language} {kernel.language_version}",
    )
    return ", ".join(part.strip() for part in parts if part.strip())


def _ordered(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent first; `NAMED` of them."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rest = ordered[NAMED:]
    return ordered[:NAMED] + ([("(others)", sum(count for _, count in rest))] if rest else [])


def _table(label: str, counts: Mapping[str, int]) -> Iterator[Row]:
    """A line a name, the numbers below each other, the label at the first."""
    rows = _ordered(counts)
    width = max((len(f"{count:,}") for _, count in rows), default=0)
    for name, count in rows:
        yield label, f"{count:>{width},}  {name}"
        label = ""


def _threads(label: str, threads: Sequence[ThreadLine]) -> Iterator[Row]:
    for thread in threads:
        took = "" if thread.duration_ns is None else duration(thread.duration_ns)
        state = f"{thread.state:<8}{took:>11}"
        yield label, f"{state}  #{thread.seq} {thread.msg_type}  {thread.summary}".rstrip()
        label = ""


def _json(found: Overview) -> str:
    """All of the overview; times also as ISO 8601."""
    fields = asdict(found)
    fields["duration_ns"] = found.duration_ns
    for name, time_ns in (("start", found.start_ns), ("end", found.end_ns)):
        fields[name] = None if time_ns is None else utc(time_ns)
    return dumps(fields)
