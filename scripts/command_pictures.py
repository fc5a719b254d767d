"""Pictures of what commands print on a terminal, run on a real recording.

The commands run in a pseudo-terminal, as they do for a person; rich draws what they wrote.
The same recordings give the same pictures.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text
from svg import cleaned

COLUMNS: Final = 110
DOTS: Final = f"{'⋮':>10}"


class Picture(NamedTuple):
    """`rows` lines of what a command prints, from the first that has `start` in it."""

    name: str
    recording: str
    arguments: tuple[str, ...]
    start: str = ""
    rows: int = 100


PICTURES: Final = (
    Picture("show", "two-clients.kspy", ("show",), start="execute_request", rows=22),
    Picture("threads", "kernel-dies.kspy", ("show", "--threads"), start="execute_request"),
    Picture("info", "kernel-dies.kspy", ("info",)),
)

THEME: Final = TerminalTheme(
    (30, 32, 40),
    (214, 217, 224),
    [
        (30, 32, 40),
        (240, 98, 98),
        (120, 200, 120),
        (235, 195, 95),
        (105, 155, 245),
        (205, 135, 230),
        (85, 195, 205),
        (214, 217, 224),
    ],
    [
        (125, 130, 145),
        (255, 125, 125),
        (150, 225, 150),
        (250, 215, 125),
        (140, 180, 255),
        (225, 165, 245),
        (120, 220, 230),
        (255, 255, 255),
    ],
)


def pictures(recordings: Path) -> Iterator[tuple[str, str]]:
    """The name of each picture, and its SVG."""
    for picture in PICTURES:
        arguments = [*picture.arguments, picture.recording]
        lines = part(on_terminal(arguments, recordings), picture)
        yield picture.name, drawn(f"kspy {' '.join(arguments)}", "\n".join(lines))


def part(output: str, picture: Picture) -> list[str]:
    """The lines to show; dots stand for what comes before and after them."""
    lines = output.splitlines()
    first = next((i for i, line in enumerate(lines) if picture.start in line), 0)
    shown = lines[first : first + picture.rows]
    before, after = [DOTS] * (first > 0), [DOTS] * (first + len(shown) < len(lines))
    return [*before, *shown, *after]


def command() -> str:
    return str(Path(sys.executable).with_name("kspy"))


def on_terminal(arguments: list[str], folder: Path) -> str:
    """What kspy writes to a terminal `COLUMNS` wide."""
    environment = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "NO_COLOR"}}
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    with subprocess.Popen(
        [command(), *arguments],
        cwd=folder,
        env=environment | {"TERM": "xterm-256color"},
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
    ) as process:
        os.close(slave)
        output = b"".join(iter(lambda: read(master), b""))
    os.close(master)
    if process.returncode:
        sys.exit(f"kspy {' '.join(arguments)}: exit code {process.returncode}\n{output.decode()}")
    return output.decode().replace("\r\n", "\n")


def read(terminal: int) -> bytes:
    """The next bytes; none once the other side has gone, which Linux calls an error."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""


def drawn(title: str, output: str) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), highlight=False)
    console.print(Text(f"$ {title}", style="bold"))
    console.print(Text.from_ansi(output))
    console.print()  # the last line of a picture loses its underscores
    return cleaned(console.export_svg(title=title, theme=THEME))
