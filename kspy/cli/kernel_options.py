"""The options that say which kernel to speak to, of every command that speaks to one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from kspy.speak.local import LATEST

Command = Callable[..., Any]

_OPTIONS: Final = (
    click.option(
        "--existing",
        metavar="[FILE]",
        is_flag=False,
        flag_value=LATEST,
        help="A kernel that runs: connection file or part of its name. [default: the latest]",
    ),
    click.option(
        "--kernel", metavar="NAME", help="Start this kernel, and shut it down afterwards."
    ),
    click.option(
        "--gateway", metavar="URL", help="Through this Jupyter server; it starts the kernel."
    ),
    click.option("--kernel-id", metavar="ID", help="A kernel that the server runs already."),
    click.option("--token", help="The server's. [default: from the URL, or from JUPYTER_TOKEN]"),
    click.option("--ca", metavar="FILE", help="Certificates to trust, for https (PEM)."),
    click.option("--insecure", is_flag=True, help="Trust any certificate."),
)


def kernel_options(command: Command) -> Command:
    """Add `existing`, `kernel`, `gateway`, `kernel_id`, `token`, `ca` and `insecure`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_kernel(
    existing: str | None,
    kernel: str | None,
    gateway: str | None,
    kernel_id: str | None,
    token: str | None,
    ca: str | None,
    *,
    insecure: bool,
    hint: str = "",
) -> None:
    """Raises `click.UsageError` for options that do not go together; `hint`: which to name."""
    if existing is not None and (kernel is not None or gateway is not None):
        other = "--kernel" if kernel is not None else "--gateway"
        raise click.UsageError(f"--existing and {other} do not go together; choose one")
    if existing is None and kernel is None and gateway is None:
        raise click.UsageError(
            f"say which kernel: --existing [FILE], --kernel NAME or --gateway URL{hint}"
        )
    if kernel is not None and kernel_id is not None:
        raise click.UsageError("--kernel and --kernel-id do not go together; choose one")
    if gateway is None and (
        kernel_id is not None or token is not None or ca is not None or insecure
    ):
        raise click.UsageError("--kernel-id, --token, --ca and --insecure go with --gateway URL")
