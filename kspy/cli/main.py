"""The command `kspy`: which commands there are, and what a user sees when one cannot be done.

A command's module is imported when the command is called, and not before: `kspy --help` has to
answer at once. So this file names each command, where it is, and its one line of help.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from pathlib import Path
from typing import Final

import click

from kspy.errors import KspyError
from kspy.version import __version__

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "tap": ("kspy.cli.tap:tap", "Record a kernel started here or elsewhere, or those of a server."),
    "install": ("kspy.cli.install:install", "Add a kernel that records to Jupyter's list."),
    "uninstall": ("kspy.cli.uninstall:uninstall", "Remove a kernel that kspy install added."),
    "list": ("kspy.cli.list:list_", "List the kernels that record, and what they recorded."),
    "view": ("kspy.cli.view:view", "Look at a recording, or at a folder of them."),
    "show": ("kspy.cli.show:show", "Print a recording, a line a message."),
    "info": ("kspy.cli.info:info", "Say what is in a recording, and whether it is whole."),
    "diff": ("kspy.cli.diff:diff", "Say what changed between two recordings."),
    "send": ("kspy.cli.send:send", "Send a message to a kernel, and print what comes back."),
    "replay": ("kspy.cli.replay:replay", "Send what was recorded to a kernel, and compare."),
    "serve": ("kspy.cli.serve:serve", "Play the kernel of a recording, for any client."),
    "import": ("kspy.cli.import_:import_", "Make a recording of a browser's HAR file."),
    "repair": ("kspy.cli.repair:repair", "Write a whole file from a cut or damaged recording."),
}

DONE: Final = 0
NOT_DONE: Final = 2
INTERRUPTED: Final = 130  # what shells report for a command that Ctrl-C ended


class LazyGroup(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kspy", message="%(prog)s %(version)s")
def kspy() -> None:
    """See what Jupyter clients and kernels say to each other.

    kspy stands between a client and a kernel, records every message, and shows what was said.
    """


def run() -> None:
    """The entry point. Exit codes: 0 done; 1 done, and the answer is no; 2 could not be done."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: list[str]) -> int | str | None:
    """Run the command that `arguments` name; return the exit code."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # not every terminal speaks UTF-8
    code = _outcome(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _close_stdout()
    except OSError as error:
        _close_stdout()
        return _explain(error)
    return code


def _outcome(arguments: list[str]) -> int | str | None:
    try:
        return _invoke(arguments)
    except BrokenPipeError:
        return DONE  # who reads has seen enough
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        return _explain(error)


def _invoke(arguments: list[str]) -> int | str | None:
    """click's own `main` without its ways of ending a process."""
    try:
        with kspy.make_context("kspy", arguments or ["--help"]) as context:
            kspy.invoke(context)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except SystemExit as exit_:
        return exit_.code
    return DONE


def _explain(error: Exception) -> int:
    """Say in one line why it could not be done."""
    if isinstance(error, KspyError):
        return _complain(str(error))
    if isinstance(error, click.UsageError) and error.ctx is not None:
        message = f"{error.format_message().rstrip('.')} ({error.ctx.command_path} --help says how)"
        return _complain(message)
    if isinstance(error, click.ClickException):
        return _complain(error.format_message())
    if os.environ.get("KSPY_TRACEBACK"):
        traceback.print_exception(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror}")
    kind = type(error).__name__
    return _complain(f"internal error: {kind}: {error} (set KSPY_TRACEBACK=1 to see where)")


def _complain(message: str) -> int:
    with contextlib.suppress(OSError):  # nobody is left to complain to
        click.echo(f"kspy: {' '.join(message.split())}", err=True)
    return NOT_DONE


def _open_what_is_closed() -> None:
    """A shell's `>&-` leaves out a stream; the next file that is opened would take its place."""
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        descriptor = os.dup(descriptor)
    os.close(descriptor)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, stream)


def _close_stdout() -> None:
    """Let the interpreter's last flush go nowhere, or it would complain about the pipe again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
