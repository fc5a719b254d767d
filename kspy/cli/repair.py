"""`kspy repair`: write a whole recording from one that was cut short or damaged."""

from __future__ import annotations

from pathlib import Path

import click

from kspy.analysis.event_summary import summarize_event
from kspy.analysis.units import plural
from kspy.recording.repair import RepairReport
from kspy.recording.repair import repair as repair_file


@click.command(short_help="Write a whole file from a cut or damaged recording.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="The file to write."
)
@click.option("--force", is_flag=True, help="Write over OUTPUT if it exists.")
def repair(file: Path, output: Path, force: bool) -> None:
    """Write all that can be read of the recording FILE to OUTPUT, and say what was lost."""
    report = repair_file(file, output, overwrite=force)
    click.echo(f"{output}: {plural(report.messages, 'message')}, {plural(report.events, 'event')}")
    click.echo(_lost(report))
    for gap in report.gaps:
        click.echo(f"  before message {gap.seq}: {summarize_event(gap)}")


def _lost(report: RepairReport) -> str:
    """What is missing; a gap of unknown size is no claim that nothing is."""
    if report.lost:
        return f"lost: {plural(report.lost, 'message')}"
    if report.gaps:
        return "lost: some bytes; how many messages were in them is not known"
    if report.state == "cut":
        return "lost: nothing that was in the file; how it went on was never written"
    return "lost: nothing"
