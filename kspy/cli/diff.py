"""`kspy diff`: what changed between two recorded sessions."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

import kspy
from kspy.analysis.progress import Progress
from kspy.analysis.sameness.align import Chosen, chosen_by
from kspy.analysis.sanitize import one_line
from kspy.analysis.table import Table
from kspy.cli.compare_options import CompareOptions, compare_options
from kspy.cli.filtered import wanted_by
from kspy.cli.progress_line import ProgressLine
from kspy.errors import KspyError
from kspy.export.compared.entry import ComparedThread
from kspy.export.compared.fields import report_json
from kspy.export.compared.report import Report, report
from kspy.export.compared.text import ComparedLines
from kspy.export.style import style_of_stdout
from kspy.recording.reader import Recording

DIFFERENT: Final = 1
_QUIET_SECONDS: Final = 1.0


@click.command(short_help="Say what changed between two recordings.")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--only", metavar="FILTER", help="Only threads that match; see docs/filter.md.")
@compare_options
@click.pass_context
def diff(
    context: click.Context, a: Path, b: Path, only: str | None, options: CompareOptions
) -> None:
    """Compare the session in recording B with the one in A, request by request.

    A thread is the same, differs (which message, which place in it, old and new), is only in one,
    or in another order. What varies by nature, as ids, dates and addresses, does not count: --rules
    says what that is. Exit code 0: the same, 1: different, 2: could not be done.
    """
    wanted = wanted_by(only, "--only") if only else None
    with kspy.open(a) as old, kspy.open(b) as new, ProgressLine(_QUIET_SECONDS) as line:
        tables = _table(old, line), _table(new, line)
        chosen = None if wanted is None else chosen_by(wanted, *tables)
        if chosen is not None and not any(chosen):
            raise KspyError(f"--only: nothing in either recording is {one_line(only or '')}")
        told = _compare(tables, chosen, options, line)
    if options.as_json:
        click.echo(report_json(told, (str(a), str(b)), options.rules))
    if not told.same:
        context.exit(DIFFERENT)


def _table(recording: Recording, line: ProgressLine) -> Table:
    table = Table(recording)
    while not table.grow():
        line.share("reading", Progress(table.read_bytes, table.file_bytes))
    return table


def _compare(
    tables: tuple[Table, Table], only: Chosen | None, options: CompareOptions, line: ProgressLine
) -> Report:
    """Compare; print as text what is found, as soon as it is."""
    lines = ComparedLines(style_of_stdout(), everything=options.everything)

    def write(texts: Iterable[str]) -> None:
        for text in texts:
            line.clear()
            sys.stdout.write(text + "\n")

    def on_thread(thread: ComparedThread) -> None:
        if not options.as_json:
            write(lines.thread(thread))

    found = report(
        *tables,
        options.rules,
        only=only,
        factor=options.factor,
        everything=options.everything,
        on_thread=on_thread,
        keep=options.as_json,
        on_progress=lambda progress: line.count("comparing", progress),
    )
    if not options.as_json:
        write(lines.end(found.total))
    return found
