"""`kspy serve`: a kernel without a kernel, that answers as a recording did."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from kspy.analysis.units import plural
from kspy.replay.serving.performance import FAST
from kspy.replay.serving.server import Options, started_by_frontend
from kspy.replay.serving.server import serve as serve_recording

_HELP: Final = """Play the kernel of RECORDING: answer each request as it was answered then.

\b
  kspy serve session.kspy
  kspy serve session.kspy --fast --connection-file kernel.json
  kspy serve session.kspy --fallback python3

Any client connects with the connection file that is printed. Requests are matched by type and
content, in recorded order among equals. One that was never recorded gets an error that names the
nearest, or goes to the --fallback. Ends on Ctrl-C, or when a client shuts it down.
"""


@click.command(
    help=_HELP,
    short_help="Play the kernel of a recording.",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("recording", type=click.Path(path_type=Path))
@click.option(
    "--connection-file",
    metavar="PATH",
    help="Where the connection file goes; if it is there, where to listen."
    " [default: Jupyter's runtime folder]",
)
@click.option("--speed", type=float, metavar="N", help="So many times as fast. [default: 1]")
@click.option("--fast", is_flag=True, help="Without the recorded pauses.")
@click.option("--fallback", metavar="NAME", help="A kernel for what was not recorded.")
@click.pass_context
def serve(
    context: click.Context,
    recording: Path,
    connection_file: str | None,
    speed: float | None,
    fast: bool,
    fallback: str | None,
) -> None:
    _check_more(context.args, connection_file)
    if fast and speed is not None:
        raise click.UsageError("--speed and --fast exclude each other")
    if speed is not None and not 0 < speed < FAST:
        raise click.UsageError(f"--speed {speed:g} is no speed; give a number above 0")

    def ready(requests: int, path: str) -> None:
        _say(f"serving {recording}, {plural(requests, 'request')}; end with Ctrl-C")
        _say(f"connect with: jupyter console --existing {path}")

    ended = serve_recording(
        Options(
            str(recording),
            lambda line: _say(f"kspy: {line}"),
            ready,
            connection_file,
            FAST if fast else speed or 1.0,
            fallback,
        )
    )
    _say(ended)


def _check_more(arguments: list[str], connection_file: str | None) -> None:
    """Frontends hand a kernel more arguments, as `jupyter run` its files; kernels let them pass."""
    if not arguments or started_by_frontend(connection_file):
        return
    first = arguments[0]
    if first.startswith("-"):
        raise click.NoSuchOption(first)
    raise click.UsageError(f"Got unexpected extra argument ({first})")


def _say(line: str) -> None:
    click.echo(line, err=True)
    sys.stderr.flush()
