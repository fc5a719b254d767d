"""`kspy install`: a kernelspec that records each of its sessions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from kspy.cli.keep_options import keep_options
from kspy.tap.kernelspecs import below
from kspy.tap.kernelspecs import install as install_tapped
from kspy.tap.limits import Limits
from kspy.tap.recordings_folder import default_folder, make_folder
from kspy.tap.wrapper.arguments import Arguments

_HELP: Final = """Add a kernel to the list that JupyterLab, Notebook, VS Code, nbconvert and
papermill read. It works as the one it is made from, and each session leaves a recording.

\b
  kspy install --kernel python3 --user
  kspy install --kernel python3 --sys-prefix --keep-last 100 --keep-bytes 2GB

Where it goes is as with jupyter kernelspec install: for everybody on this machine, unless --user,
--sys-prefix or --prefix says otherwise. kspy uninstall removes it.
"""


@click.command(help=_HELP, short_help="Add a kernel that records its sessions to Jupyter's list.")
@click.option("--kernel", metavar="NAME", required=True, help="The kernel to make it from.")
@click.option("--name", help="Its name. [default: kspy-NAME]")
@click.option("--display-name", help="What frontends show. [default: as the kernel's, and (kspy)]")
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
    kernel: str,
    name: str | None,
    display_name: str | None,
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
    folder, values = below(kernel)
    place = (recordings or default_folder()).absolute()
    make_folder(place)
    arguments = Arguments(
        kernel=kernel,
        folder=folder,
        recordings=str(place),
        limits=Limits(keep_last, keep_bytes, keep_days),
    )
    tapped = install_tapped(
        arguments,
        values,
        name=name or f"kspy-{kernel}",
        display_name=display_name or f"{values.get('display_name') or kernel} (kspy)",
        user=user,
        prefix=sys.prefix if sys_prefix else prefix,
        replace=replace,
    )
    click.echo(f"{tapped.display_name}: installed in {tapped.folder}")
    click.echo(f"recordings go to {arguments.recordings}; kspy list shows them")
    if tapped.hidden_by is not None:
        where = f"find {tapped.hidden_by} in its place" if tapped.hidden_by else "do not look there"
        click.echo(f"kspy: frontends started as you are {where}", err=True)
