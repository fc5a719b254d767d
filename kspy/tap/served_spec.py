"""What a kernelspec tells `kspy serve`, so that a recording stands in for a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

COMMAND: Final = ("kspy", "serve")
"""The module, as after `-m`, and its command."""

_END: Final = ("--connection-file", "{connection_file}")


@dataclass(frozen=True)
class Served:
    """`recording` is a path; `fast`: without its pauses; `fallback` is a kernelspec's name."""

    recording: str
    fast: bool = False
    fallback: str | None = None

    def command(self) -> list[str]:
        """The arguments as `of_kernelspec` reads them."""
        fast = ["--fast"] if self.fast else []
        fallback = [] if self.fallback is None else ["--fallback", self.fallback]
        return [*COMMAND, self.recording, *fast, *fallback, *_END]


def of_kernelspec(argv: Sequence[str]) -> Served | None:
    """What a kernelspec's `argv` tells `kspy serve`; None where it is not as kspy makes it."""
    words = tuple(argv)
    try:
        at = words.index(COMMAND[0])
    except ValueError:
        return None
    if words[at : at + 2] != COMMAND or words[-2:] != _END or len(words) < at + 5:
        return None
    recording, *options = words[at + 2 : -2]
    fallback = options[-1] if "--fallback" in options[:-1] else None
    return Served(recording, "--fast" in options, fallback)
