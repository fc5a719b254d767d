"""`kspy install`: a kernelspec that records each of its sessions, or one that plays a recording."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from kspy.cli.keep_options import keep_options
from kspy.cli.to_install import served, tapped
from kspy.tap.kernelspecs import Installed
from kspy.tap.kernelspecs import install as install_kernelspec
from kspy.tap.limits import Limits
from kspy.tap.served_spec import Served

_HELP: Final = """Add a kernel to the list that JupyterLab, Notebook, VS Code, nbconvert and
papermill read. It works as the one it is made from, and each session leaves a recording.

\b
  kspy install --kernel python3 --user
  kspy install --kernel python3 --sys-prefix --keep-last 100 --keep-bytes 2GB
  kspy install --recording session.kspy --user

With --recording it is one without a kernel: it answers as the recording did (see kspy serve).

Where it goes is as with jupyter kernelspec install: for everybody on this machine, unless --user,
--sys-prefix or --prefix says otherwise. kspy uninstall removes it.
"""


@click.command(help=_HELP, short_help="Add a kernel that records its sessions to Jupyter's list.")
@click.option("--kernel", metavar="NAME", help="The kernel to make it from.")
@click.option(
    "--recording",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The recording to make it from.",
)
@click.option("--name", help="Its name. [default: kspy-NAME, or kspy- and the recording's]")
@click.option("--display-name", help="What frontends show. [default: as the kernel's, and (kspy)]")
@click.option("--fast", is_flag=True, help="With --recording: without the recorded pauses.")
@click.option("--fallback", metavar="NAME", help="With --recording: as for kspy serve.")
@click.option(
    "--recordings",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the recordings go. [default: kspy's folder for data]",
)
@keep_options()
@click.option("--user", is_flag=True, help="Install for you alone.")
@click.option("--sys-prefix", is_flag=True, help="Install into this Python's environment.")
@click.option("--prefix", metavar="DIR", help="Install into this environment.")
@click.option("--replace", is_flag=True, help="Replace a kernelspec of this name.")
def install(
    kernel: str | None,
    recording: Path | None,
    name: str | None,
    display_name: str | None,
    fast: bool,
    fallback: str | None,
    recordings: Path | None,
    keep_last: int | None,
    keep_bytes: int | None,
    keep_days: int | None,
    user: bool,
    sys_prefix: bool,
    prefix: str | None,
    replace: bool,
) -> None:
    if user + sys_prefix + (prefix is not None) > 1:
        raise click.UsageError("--user, --sys-prefix and --prefix exclude each other")
    if name == "" or display_name == "":
        raise click.UsageError("--name and --display-name cannot be empty")
    limits = Limits(keep_last, keep_bytes, keep_days)
    if kernel is not None and recording is None:
        if fast or fallback is not None:
            raise click.UsageError("--fast and --fallback are only for --recording")
        what = tapped(kernel, recordings, limits)
    elif recording is not None and kernel is None:
        if recordings is not None or limits:
            raise click.UsageError("--recordings and --keep options are only for --kernel")
        what = served(recording, fast=fast, fallback=fallback)
    else:
        raise click.UsageError("give either --kernel NAME or --recording FILE")
    made = install_kernelspec(
        what.arguments,
        what.values,
        name=name or what.name,
        display_name=display_name or what.display_name,
        user=user,
        prefix=sys.prefix if sys_prefix else prefix,
        replace=replace,
    )
    _tell(made)


def _tell(made: Installed) -> None:
    click.echo(f"{made.display_name}: installed in {made.folder}")
    if isinstance(made.arguments, Served):
        click.echo(f"it plays {made.arguments.recording}, which has to stay there")
    else:
        click.echo(f"recordings go to {made.arguments.recordings}; kspy list shows them")
    if made.hidden_by is not None:
        where = f"find {made.hidden_by} in its place" if made.hidden_by else "do not look there"
        click.echo(f"kspy: frontends started as you are {where}", err=True)
