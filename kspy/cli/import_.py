"""`kspy import`: make recordings of what others captured without kspy."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from kspy.analysis.sanitize import one_line
from kspy.analysis.units import plural
from kspy.errors import KspyError
from kspy.export.target import check_target
from kspy.imports.captured import Origin
from kspy.imports.source import read_source
from kspy.imports.spool import Conversation, Spool
from kspy.imports.write import missing_of, write

_SHORT: Final = 8
_NO_MESSAGES: Final = (
    "has connections to kernels, but none of their messages: Firefox leaves them out, and Chrome"
    " has those alone that came while its developer tools were open"
)


@click.command("import", short_help="Make a recording of a browser's HAR file.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="The file to write."
)
@click.option("--force", is_flag=True, help="Write over OUTPUT if it exists.")
@click.pass_context
def import_(context: click.Context, file: Path, output: Path, force: bool) -> None:
    """Make recordings of FILE: a HAR file from a browser's developer tools, with the messages of
    JupyterLab's WebSockets, or what jupyter-spy wrote.

    One recording a kernel: of several, OUTPUT's name gets the first 8 characters of each one's
    id. Exit code 1 if FILE has no messages of kernels.
    """
    with Spool() as spool:
        origin, silent = read_source(file, spool)
        conversations = spool.conversations
        if not conversations:
            click.echo(f"{file}: {_NO_MESSAGES if silent else 'has no messages of kernels'}")
            context.exit(1)
        targets = _targets(output, [found.kernel_id for found in conversations])
        for target in targets:
            check_target(target, overwrite=force)
            if target.exists() and target.samefile(file):
                raise KspyError(f"{target}: is the file to import; name another one")
        for target, conversation in zip(targets, conversations, strict=True):
            write(target, conversation, spool, origin, overwrite=force)
            click.echo(_line(target, conversation))
            for what in missing_of(conversation):
                click.echo(f"  without {what}")
    _say_missing(origin)


def _targets(output: Path, ids: list[str]) -> list[Path]:
    """The file of each kernel; with the whole ids where their beginnings are the same."""
    if len(ids) == 1:
        return [output]
    short = [kernel_id[:_SHORT] for kernel_id in ids]
    names = short if len(set(short)) == len(ids) else ids
    return [output.with_name(f"{output.stem}-{name}{output.suffix}") for name in names]


def _line(target: Path, conversation: Conversation) -> str:
    parts = [plural(conversation.messages, "message")]
    if conversation.kernel_id:
        parts.append(f"kernel {conversation.kernel_id}")
        parts.append(plural(conversation.clients, "client"))
    return one_line(f"{target}: {', '.join(parts)}")


def _say_missing(origin: Origin) -> None:
    click.echo("not in the file, and so not in what was written:")
    for what in origin.missing:
        click.echo(f"  {what}")
