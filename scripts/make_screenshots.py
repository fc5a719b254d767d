"""Draw screenshots/*.svg: what `kspy` prints on a terminal, run on a real recording.

The commands run in a pseudo-terminal, as they do for a person; rich draws what they wrote.
The same recordings give the same pictures.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Final, NamedTuple

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT: Final = Path(__file__).resolve().parent.parent
RECORDINGS: Final = ROOT / "recordings"
SCREENSHOTS: Final = ROOT / "screenshots"
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
# No font is loaded from elsewhere: a picture should not depend on the network.
FORMAT: Final = re.sub(
    r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL
).replace(
    "Fira Code, monospace", "Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
)
SPACE: Final = "&#160;"
CELL: Final = 20 * 0.61  # rich's font size and aspect
INDENTED: Final = re.compile(
    rf'x="([\d.]+)"( y="[\d.]+" )textLength="([\d.]+)"([^>]*>)((?:{SPACE})+)'
)


def main() -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    for picture in PICTURES:
        arguments = [*picture.arguments, picture.recording]
        lines = part(on_terminal(arguments, RECORDINGS), picture)
        target = SCREENSHOTS / f"{picture.name}.svg"
        target.write_text(svg(f"kspy {' '.join(arguments)}", "\n".join(lines)))
        print(f"{target.relative_to(ROOT)}: {picture.recording}, {len(lines)} lines")


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


def svg(title: str, output: str) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), highlight=False)
    console.print(Text(f"$ {title}", style="bold"))
    console.print(Text.from_ansi(output))
    console.print()  # the last line of a picture loses its underscores
    picture = console.export_svg(title=title, theme=THEME, code_format=FORMAT)
    lines = INDENTED.sub(without_indent, picture).splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def without_indent(match: re.Match[str]) -> str:
    """Some programs drop spaces at the start of a text; so they become a part of its place."""
    x, between, length, rest, spaces = match.groups()
    width = len(spaces) // len(SPACE) * CELL
    return f'x="{float(x) + width:g}"{between}textLength="{float(length) - width:g}"{rest}'


if __name__ == "__main__":
    main()
