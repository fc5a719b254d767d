"""`kspy tap`: record what a kernel and its clients say to each other."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
from datetime import datetime
from pathlib import Path

import click

from kspy.cli.keep_options import keep_options
from kspy.cli.tap_screen import make_screen
from kspy.errors import KspyError
from kspy.tap.limits import Limits
from kspy.tap.options import Options, Outcome
from kspy.tap.session import run

_HELP = """Record every message between a kernel and its clients.

\b
  kspy tap --kernel python3
  kspy tap --existing kernel-1234.json -o session.kspy
  kspy tap --kernel python3 -- jupyter console --existing {connection_file}
  kspy tap --kernel python3 --view
  kspy tap --gateway http://localhost:8888 --listen 127.0.0.1:9999

Ends on Ctrl-C, or when the kernel or the client command ends, or the viewer is quit. A kernel
that the tap started is shut down then; one that ran already goes on running.

--gateway stands in front of a Jupyter Server, Kernel Gateway or Enterprise Gateway: use the URL
that is printed in place of the server's. Each kernel gets a recording of its own.
"""

_OF_GATEWAYS = {
    "gateway",
    "listen",
    "recordings",
    "ca",
    "insecure",
    "keep_last",
    "keep_bytes",
    "keep_days",
}
_OF_ALL = {"view"}


@click.command(help=_HELP, context_settings={"ignore_unknown_options": False})
@click.option("--kernel", metavar="NAME", help="Start this kernel (see: jupyter kernelspec list).")
@click.option(
    "--existing",
    metavar="FILE",
    help="Tap a kernel that runs: its connection file, or a part of the file's name.",
)
@click.option(
    "--gateway", metavar="URL", help="Tap the WebSockets of all kernels of a Jupyter server."
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="With --gateway: where clients connect. [default: 127.0.0.1, any port]",
)
@click.option(
    "--recordings",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="With --gateway: folder for recordings. [default: kspy's own in your data folder]",
)
@click.option("--ca", metavar="FILE", help="With --gateway: certificates to trust (PEM).")
@click.option("--insecure", is_flag=True, help="With --gateway: trust any certificate.")
@keep_options("With --gateway: ")
@click.option("-o", "--output", metavar="FILE", help="The recording. [default: kernel and time]")
@click.option("--force", is_flag=True, help="Write over files that exist.")
@click.option(
    "--connection-file",
    metavar="PATH",
    help="Where the clients' connection file goes. [default: Jupyter's runtime folder]",
)
@click.option(
    "--transport",
    type=click.Choice(["tcp", "ipc"]),
    help="How clients connect, and a kernel that is started. [default: tcp, or as the kernel]",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65531),
    default=None,
    help="First of the five tcp ports for clients. [default: any]",
)
@click.option(
    "--curve", "kernel_curve", is_flag=True, help="Start the kernel with CurveZMQ encryption."
)
@click.option(
    "--client-curve/--no-client-curve",
    default=None,
    help="Encrypt the clients' side. [default: as the kernel's]",
)
@click.option("--view", is_flag=True, help="Look at what is recorded, live, as with kspy view.")
@click.argument("client", nargs=-1, type=click.UNPROCESSED, metavar="[-- CLIENT ARGS…]")
def tap(
    kernel: str | None,
    existing: str | None,
    gateway: str | None,
    listen: str | None,
    recordings: Path | None,
    ca: str | None,
    insecure: bool,
    keep_last: int | None,
    keep_bytes: int | None,
    keep_days: int | None,
    output: str | None,
    force: bool,
    connection_file: str | None,
    transport: str | None,
    port: int | None,
    kernel_curve: bool,
    client_curve: bool | None,
    view: bool,
    client: tuple[str, ...],
) -> None:
    if [kernel, existing, gateway].count(None) != 2:
        raise click.UsageError("give one of --kernel NAME, --existing FILE and --gateway URL")
    _check_combination(click.get_current_context(), gateway=gateway is not None)
    if gateway is not None:
        from kspy.cli.tap_gateway import tap_gateway
        from kspy.tap.gateway.upstream import Upstream

        limits = Limits(keep_last, keep_bytes, keep_days)
        upstream = Upstream.parse(gateway, ca, insecure=insecure, called="--gateway")
        return tap_gateway(upstream, listen, recordings, limits, view=view)
    if client and view:
        raise click.UsageError("--view and a client command both need the terminal; choose one")
    if client and not any("{connection_file}" in word for word in client):
        raise click.UsageError("the client command needs {connection_file} somewhere")
    output = output or _default_output(kernel or existing or "")
    options = Options(
        output=output,
        kernel=kernel,
        existing=existing,
        connection_file=connection_file,
        client_command=client,
        viewer_command=_viewer(output) if view else (),
        overwrite=force,
        transport="ipc" if transport == "ipc" else "tcp" if transport == "tcp" else None,
        kernel_curve=kernel_curve,
        client_curve=client_curve,
        port=port or 0,
    )
    screen = make_screen(quiet=bool(client))
    # The recorder shares the interpreter with nobody who could keep it waiting for long.
    sys.setswitchinterval(0.0001)
    with screen:
        outcome = asyncio.run(run(options, screen))
    _say_end(options, outcome)
    sys.exit(outcome.exit_code)


def _check_combination(context: click.Context, *, gateway: bool) -> None:
    """Refuse what was given and would not do anything."""
    source = click.core.ParameterSource.COMMANDLINE
    given = {name for name in context.params if context.get_parameter_source(name) is source}
    for parameter in context.command.params:
        name = parameter.name or ""
        useless = name not in _OF_ALL and (name in _OF_GATEWAYS) != gateway
        if name in given and useless and context.params[name] not in (None, ()):
            word = "a client command" if name == "client" else parameter.opts[-1]
            raise click.UsageError(
                f"{word} does not go with --gateway" if gateway else f"{word} is only for --gateway"
            )


def _viewer(output: str) -> list[str]:
    """The command that views what is recorded. Raises `KspyError` where there is no terminal."""
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise KspyError("--view needs a terminal; without it, look with: kspy view FILE")
    from kspy.cli.view import view_command

    return view_command(Path(output), connection_file="{connection_file}")


def _default_output(kernel: str) -> str:
    """A name from kernel and time, in the current folder."""
    name = re.sub(r"[^\w.-]+", "-", Path(kernel).stem) or "kernel"
    return f"{name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}.kspy"


def _say_end(options: Options, outcome: Outcome) -> None:
    path = Path(options.output)
    if not path.exists():
        raise KspyError(f"{path}: was removed while it was being recorded")
    click.echo(
        f"{outcome.reason}: {outcome.messages:,} messages, {path.stat().st_size:,} bytes in {path}",
        err=True,
    )
    if outcome.lost:
        click.echo(f"kspy: {outcome.lost:,} messages could not be written", err=True)
    click.echo(f"read it: kspy show {shlex.quote(str(path))}", err=True)
