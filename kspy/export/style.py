"""What the output may look like here: its width, and whether it may have colours.

One colour a channel, used for nothing else; red is for errors alone, yellow for what waits or is
doubtful. The text says everything without them.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import Any, Final

import click

from kspy.analysis.sanitize import cut
from kspy.wire.frames import Channel

CHANNEL_COLOURS: Final[dict[Channel, str]] = {
    "shell": "cyan",
    "iopub": "green",
    "stdin": "magenta",
    "control": "blue",
    "hb": "bright_black",
}

PIPE_SUMMARY: Final = 500
"""Cells of a summary in a pipe: enough for what somebody searches for, and still a line."""


@dataclass(frozen=True, slots=True)
class Style:
    """`width` is that of the terminal in cells; None in a pipe."""

    colours: bool
    width: int | None

    def fit(self, text: str, used: int) -> str:
        """`text` cut to what is left of a line of which `used` cells are taken."""
        return cut(text, PIPE_SUMMARY if self.width is None else max(self.width - used, 1))

    def channel(self, text: str, channel: Channel) -> str:
        return self._painted(text, fg=CHANNEL_COLOURS[channel])

    def dim(self, text: str) -> str:
        return self._painted(text, dim=True)

    def error(self, text: str) -> str:
        return self._painted(text, fg="red")

    def doubtful(self, text: str) -> str:
        return self._painted(text, fg="yellow")

    def _painted(self, text: str, **look: Any) -> str:
        return click.style(text, **look) if self.colours and text.strip() else text


def style_of_stdout() -> Style:
    """Colours on a terminal, unless `NO_COLOR` is set (no-color.org); none in a pipe."""
    if not sys.stdout.isatty():
        return Style(colours=False, width=None)
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Style(colours=not plain, width=shutil.get_terminal_size().columns)
