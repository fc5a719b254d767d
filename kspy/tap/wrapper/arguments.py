"""What a tapped kernelspec tells the wrapper: one way to write it, one to read it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from kspy.errors import KspyError
from kspy.tap.limits import EVERYTHING, Limits

MODULE: Final = "kspy.tap.wrapper"
TEMPLATE: Final = "{connection_file}"


@dataclass(frozen=True)
class Arguments:
    """`kernel` is the name of the kernelspec below, `folder` where it is."""

    kernel: str
    folder: str
    recordings: str
    limits: Limits = EVERYTHING
    connection_file: str = TEMPLATE

    def command(self) -> list[str]:
        """The arguments as `parse` reads them."""
        limits = self.limits
        words = ["--kernel", self.kernel, "--kernelspec", self.folder]
        words += ["--recordings", self.recordings]
        for option, limit in (
            ("--keep-last", limits.last),
            ("--keep-bytes", limits.bytes),
            ("--keep-days", limits.days),
        ):
            words += [] if limit is None else [option, str(limit)]
        return [*words, "-f", self.connection_file]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise KspyError(f"the kernelspec is not as kspy install makes it: {message}")


def parse(words: Sequence[str]) -> Arguments:
    """Raises `KspyError` for arguments that `command` does not make."""
    parser = _Parser(add_help=False, allow_abbrev=False)
    for option in ("--kernel", "--kernelspec", "--recordings", "-f"):
        parser.add_argument(option, required=True)
    for option in ("--keep-last", "--keep-bytes", "--keep-days"):
        parser.add_argument(option, type=int)
    found = parser.parse_args(words)
    limits = Limits(found.keep_last, found.keep_bytes, found.keep_days)
    return Arguments(found.kernel, found.kernelspec, found.recordings, limits, found.f)


def of_kernelspec(argv: Sequence[str]) -> Arguments | None:
    """What a kernelspec's `argv` tells the wrapper; None where it is not kspy's."""
    if MODULE not in argv:
        return None
    try:
        return parse(argv[argv.index(MODULE) + 1 :])
    except KspyError:
        return None
