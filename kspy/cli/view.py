"""`kspy view`: look at a recording, finished or growing, or choose one of a folder."""

from __future__ import annotations

import asyncio
import gc
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import kspy
from kspy.cli.own_command import WORDS
from kspy.errors import KspyError

if TYPE_CHECKING:
    from kspy.analysis.sameness.rules import Rules

THEMES: Final = ("dark", "light", "contrast")
_WAIT_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.05
_NICE: Final = 5
_SWITCH_SECONDS: Final = 0.0005
_GARBAGE: Final = (1_000, 10, 50)
_DRIVER_VARIABLE: Final = "TEXTUAL_DRIVER"
"""Set where not a terminal but a browser shows the app."""


@click.command(short_help="Look at a recording, or at a folder of them.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE|FOLDER")
@click.option("--filter", "filter_text", default="", metavar="TEXT", help="Begin with this filter.")
@click.option("--threads", is_flag=True, help="Begin with requests, and what answers them.")
@click.option(
    "--diff",
    type=click.Path(path_type=Path),
    metavar="OTHER",
    help="Compare with another recording; see kspy diff.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="PATH|/REGEX/|RULE",
    help="With --diff: what does not count either.",
)
@click.option("--theme", type=click.Choice(THEMES), help="[default: as the last time]")
@click.option("--web", is_flag=True, help="Show it in a browser on this machine instead.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port for --web. [default: any]")
@click.option("--connection-file", type=click.Path(path_type=Path), hidden=True)
def view(
    file: Path,
    filter_text: str,
    threads: bool,
    diff: Path | None,
    ignore: tuple[str, ...],
    theme: str | None,
    web: bool,
    port: int | None,
    connection_file: Path | None,
) -> None:
    """Look at what was said, message by message. A recording that still grows is shown live.

    Of a FOLDER, its recordings and those one folder below are listed, to choose one. The key ?
    tells all other keys.
    """
    if port is not None and not web:
        raise click.UsageError("--port is for --web")
    if ignore and diff is None:
        raise click.UsageError("--ignore is for --diff")
    if connection_file is not None:  # started by a tap, whose work must not wait for this
        os.nice(_NICE)
        _wait_for(file)
    _check(file)
    rules = None if diff is None else _rules(file, diff, ignore)
    if web:
        from kspy.cli.web import serve

        command = view_command(file, filter_text, threads, theme, diff=diff, ignore=ignore)
        serve(command, title=file.resolve().name, port=port or 0)
        return
    streams = (sys.stdin, sys.stdout, sys.stderr)  # what is drawn goes to stderr
    if _DRIVER_VARIABLE not in os.environ and not all(stream.isatty() for stream in streams):
        raise KspyError(
            f"the viewer needs a terminal; where there is none: kspy show {shlex.quote(str(file))}"
        )
    from kspy.tui.app import KspyApp

    _tune()
    app = KspyApp(
        file,
        connection_file=connection_file,
        filter_text=filter_text,
        threads=threads,
        theme=f"kspy-{theme}" if theme else None,
        diff=diff,
        rules=rules,
    )
    _end_on_signals(app.exit)
    result = app.run()
    sys.exit(app.return_code or 0 if result is None else result)


def view_command(
    file: Path,
    filter_text: str = "",
    threads: bool = False,
    theme: str | None = None,
    connection_file: str | None = None,
    diff: Path | None = None,
    ignore: Sequence[str] = (),
) -> list[str]:
    """The words of a command that views `file`, for another process of this very kspy."""
    command = [*WORDS, "view"]
    if filter_text:
        command.append(f"--filter={filter_text}")
    if threads:
        command.append("--threads")
    if theme:
        command.append(f"--theme={theme}")
    if connection_file:
        command.append(f"--connection-file={connection_file}")
    if diff is not None:
        command.append(f"--diff={diff}")
    command += (f"--ignore={word}" for word in ignore)
    return [*command, "--", str(file)]


def _tune() -> None:
    """Make keys and drawing wait less for the rest of the process."""
    # The thread that reads and searches gives the interpreter away within this.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Modules stay, and most else does: to look for garbage among all of it takes longer than a
    # key may, so it is done less often.
    gc.freeze()
    gc.set_threshold(*_GARBAGE)


def _check(file: Path) -> None:
    """Complain in one line, before the whole screen is taken, where there is nothing to view."""
    if file.is_dir():
        try:
            next(os.scandir(file), None)
        except OSError as error:
            raise KspyError(f"{file}: cannot be read: {error.strerror}") from error
        return
    kspy.open(file).close()


def _rules(file: Path, diff: Path, ignore: Sequence[str]) -> Rules:
    """What varies by nature; complains where there is nothing to compare with."""
    from kspy.analysis.sameness.rules import Rules

    for path in (file, diff):
        if path.is_dir():
            raise KspyError(f"{path}: is a folder; --diff compares one recording with another")
    _check(diff)
    return Rules.usual(ignore)


def _wait_for(file: Path) -> None:
    """Wait until a tap has begun its recording."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            kspy.open(file).close()
        except KspyError:
            time.sleep(_POLL_SECONDS)
        else:
            return


def _end_on_signals(leave: Callable[[int], None]) -> None:
    """End the app as a whole, so that the terminal is put in order, where a signal ends it."""

    def end(number: int, _: object) -> None:
        code = 128 + number
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise SystemExit(code) from None  # it has not begun yet, or is over
        loop.call_soon_threadsafe(leave, code)

    signal.signal(signal.SIGTERM, end)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, end)
