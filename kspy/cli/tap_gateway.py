"""`kspy tap --gateway`: record what a Jupyter server's kernels and their clients say."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
from pathlib import Path

import click

from kspy.analysis.units import plural
from kspy.cli.tap_screen import make_screen
from kspy.errors import KspyError
from kspy.tap.gateway.options import GatewayOptions, GatewayOutcome
from kspy.tap.gateway.session import run
from kspy.tap.gateway.upstream import Upstream
from kspy.tap.limits import Limits
from kspy.tap.recordings_folder import default_folder

_LISTEN = re.compile(r"(?:(?P<host>[^:\[\]\s]+|\[[0-9a-fA-F:.%]+\]):)?(?P<port>[0-9]{1,5})")


def tap_gateway(
    upstream: Upstream,
    listen: str | None,
    recordings: Path | None,
    limits: Limits,
    *,
    view: bool,
) -> None:
    """Tap until the user ends it; raises `KspyError` and `SystemExit` as a command does."""
    host, port = _address(listen or "127.0.0.1:0")
    folder = recordings or default_folder()
    options = GatewayOptions(
        upstream=upstream,
        host=host,
        port=port,
        folder=folder,
        limits=limits,
        viewer_command=_viewer(folder) if view else (),
    )
    # The relay and the recorder share the interpreter: neither shall keep the other for long.
    sys.setswitchinterval(0.0001)
    with make_screen(quiet=False) as screen:
        outcome = asyncio.run(run(options, screen))
    _say_end(options, outcome)
    sys.exit(outcome.exit_code)


def _address(listen: str) -> tuple[str, int]:
    match = _LISTEN.fullmatch(listen)
    if not match or int(match["port"]) > 65535:
        raise click.UsageError("--listen: give it as HOST:PORT, or [ADDRESS]:PORT for IPv6")
    return (match["host"] or "127.0.0.1").strip("[]"), int(match["port"])


def _viewer(folder: Path) -> list[str]:
    """The command that views the folder. Raises `KspyError` where there is no terminal."""
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise KspyError("--view needs a terminal; without it, look with: kspy view FOLDER")
    from kspy.cli.view import view_command

    return view_command(folder)


def _say_end(options: GatewayOptions, outcome: GatewayOutcome) -> None:
    click.echo(
        f"{outcome.reason}: {plural(outcome.messages, 'message')} in"
        f" {plural(outcome.files, 'recording')} in {options.folder}",
        err=True,
    )
    if outcome.lost:
        click.echo(f"kspy: {plural(outcome.lost, 'message')} could not be written", err=True)
    if outcome.files:
        click.echo(f"read them: kspy view {shlex.quote(str(options.folder))}", err=True)
