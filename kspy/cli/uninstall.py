"""`kspy uninstall`: remove what `kspy install` added."""

from __future__ import annotations

import click

from kspy.tap.kernelspecs import uninstall as uninstall_tapped


@click.command(short_help="Remove a kernel that kspy install added.")
@click.argument("name")
@click.option("--prefix", metavar="DIR", help="Where it is, if it was installed with --prefix.")
def uninstall(name: str, prefix: str | None) -> None:
    """Remove the kernel NAME (see: kspy list) from Jupyter's list. Its recordings stay."""
    click.echo(f"removed {uninstall_tapped(name, prefix)}; its recordings stay")
