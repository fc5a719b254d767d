"""`kspy list`: the kernels that record, what they have recorded, and how much it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from kspy.analysis.sanitize import one_line
from kspy.analysis.units import plural, size
from kspy.export.json_lines import dumps, utc
from kspy.export.style import Style, style_of_stdout
from kspy.tap.kernelspecs import Installed, installed
from kspy.tap.limits import Limits
from kspy.tap.recordings_folder import Kept, default_folder, kept
from kspy.tap.served_spec import Served

LATEST: Final = 10
"""Recordings shown of a folder."""


@click.command("list", short_help="List the kernels that record, and their latest recordings.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
def list_(as_json: bool) -> None:
    """List the kernels that kspy install added, and what they have recorded."""
    kernels = list(installed())
    folders = {
        Path(found.arguments.recordings): None
        for found in kernels
        if not isinstance(found.arguments, Served)
    }
    folders[default_folder()] = None
    recordings = {folder: kept(folder) for folder in folders}
    if as_json:
        click.echo(dumps(_json(kernels, recordings)))
        return
    style = style_of_stdout()
    for line in _lines(kernels, recordings, style):
        click.echo(line)


def _lines(
    kernels: Sequence[Installed], recordings: dict[Path, list[Kept]], style: Style
) -> Iterator[str]:
    if not kernels:
        yield "no kernel is tapped; add one with: kspy install --kernel NAME"
    width = max((len(kernel.name) for kernel in kernels), default=0)
    for kernel in kernels:
        text = f"{kernel.name:{width}}  {kernel.display_name}, {_does(kernel)}"
        if kernel.hidden_by:
            text += f"; hidden by {kernel.hidden_by}"
        yield style.fit(one_line(text), 0)
    for folder, found in recordings.items():
        if not found:
            continue
        total = size(sum(recording.size for recording in found))
        yield ""
        yield one_line(f"{folder}: {plural(len(found), 'recording')}, {total}")
        for recording in found[:LATEST]:
            when = datetime.fromtimestamp(recording.changed).astimezone()
            line = f"  {when:%Y-%m-%d %H:%M}  {size(recording.size):>10}  {recording.path.name}"
            yield style.fit(one_line(line), 0)
        if len(found) > LATEST:
            yield f"  … and {len(found) - LATEST:,} older"


def _does(kernel: Installed) -> str:
    """What it is for."""
    arguments = kernel.arguments
    if isinstance(arguments, Served):
        gone = "" if Path(arguments.recording).exists() else ", which is gone"
        return f"serves {arguments.recording}{gone}"
    keeps_ = keeps(arguments.limits)
    return f"in front of {arguments.kernel}; keeps {keeps_} in {arguments.recordings}"


def keeps(limits: Limits) -> str:
    """`all recordings`, or `the last 10, 2.0 GB, 30 days`."""
    parts = []
    if limits.last is not None:
        parts.append(f"the last {limits.last:,}")
    if limits.bytes is not None:
        parts.append(size(limits.bytes))
    if limits.days is not None:
        parts.append(plural(limits.days, "day"))
    return f"at most {', '.join(parts)}" if parts else "all recordings"


def _json_of(kernel: Installed) -> dict[str, object]:
    arguments = kernel.arguments
    told: dict[str, object] = {
        "name": kernel.name,
        "display_name": kernel.display_name,
        "folder": kernel.folder,
    }
    if isinstance(arguments, Served):
        return {**told, "recording": arguments.recording}
    return {
        **told,
        "kernel": arguments.kernel,
        "recordings": arguments.recordings,
        "keep": asdict(arguments.limits),
    }


def _json(kernels: Sequence[Installed], recordings: dict[Path, list[Kept]]) -> dict[str, object]:
    return {
        "kernels": [_json_of(kernel) for kernel in kernels],
        "folders": [
            {
                "folder": str(folder),
                "recordings": len(found),
                "bytes": sum(recording.size for recording in found),
                "latest": [
                    {
                        "path": str(recording.path),
                        "bytes": recording.size,
                        "changed": utc(int(recording.changed * 1e9)),
                    }
                    for recording in found[:LATEST]
                ],
            }
            for folder, found in recordings.items()
        ],
    }
