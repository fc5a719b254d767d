"""The options that say how much of a folder's recordings is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from kspy.analysis.units import UNITS

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", re.IGNORECASE)
_LONGEST: Final = 30

Command = TypeVar("Command", bound=Callable[..., Any])


class Size(click.ParamType[int]):
    """Bytes, as `1500`, `500MB` or `2.5 GB`."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value).strip()
        found = _SIZE.fullmatch(text) if len(text) <= _LONGEST else None
        if not found:
            self.fail(f"{text[:_LONGEST]!r} is no size; write it as 500MB or 2GB", param, ctx)
        names = ["", *(unit[0] for unit in UNITS)]
        return int(float(found[1]) * 1000 ** names.index(found[2].upper()))


def keep_options(when: str = "") -> Callable[[Command], Command]:
    """`keep_last`, `keep_bytes` and `keep_days`, what `Limits` takes; `when` they are of use."""
    options = (
        click.option(
            "--keep-last",
            type=click.IntRange(1),
            metavar="N",
            help=_help(when, "keep the newest N recordings. [default: all]"),
        ),
        click.option(
            "--keep-bytes",
            type=Size(),
            help=_help(when, "keep the newest that together have so many bytes."),
        ),
        click.option(
            "--keep-days",
            type=click.IntRange(1),
            metavar="N",
            help=_help(when, "keep recordings for N days."),
        ),
    )

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _help(when: str, does: str) -> str:
    return f"{when}{does}" if when else does[0].upper() + does[1:]
