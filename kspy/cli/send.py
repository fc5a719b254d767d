"""`kspy send`: send a kernel one message, and print what comes back."""

from __future__ import annotations

import asyncio
import json
import math
import sys
from pathlib import Path
from typing import Any

import click

from kspy.analysis.sanitize import one_line
from kspy.cli.kernel_options import check_kernel, kernel_options
from kspy.cli.send_input import Answers
from kspy.cli.sending import Letter, Sending, print_json, text_printer, warn
from kspy.errors import KspyError
from kspy.speak.compose import usual_channel
from kspy.speak.connect import Target
from kspy.speak.kernel import TIME_LIMIT
from kspy.wire.frames import Channel

_HELP = """Send a message to a kernel, and print what comes back until the kernel is idle.

\b
  kspy send --code "print('Hello world!')" --existing
  kspy send --code "1 + 1" --kernel python3
  kspy send --type kernel_info_request --gateway http://localhost:8888
  kspy send --type junk --content '{"pooh": true}' --existing kernel-1234.json

Ctrl-C interrupts a kernel that was started for this; the second one ends it. A kernel that runs
already is left alone. Exit code 1: the reply is an error, or none came within the time limit.
"""


@click.command(help=_HELP, short_help="Send a message to a kernel, and print what comes back.")
@click.option("--code", metavar="TEXT", help="Run this code (-: from standard input).")
@click.option("--type", "msg_type", metavar="TYPE", help="Send a message of this type.")
@click.option("--content", metavar="JSON", help="Its content: JSON, @FILE, or - (standard input).")
@click.option("--metadata", metavar="JSON", help="Its metadata, likewise.")
@click.option(
    "--channel",
    type=click.Choice(["shell", "control", "stdin"]),
    help="Where to send it. [default: where the type belongs]",
)
@click.option(
    "--buffer", "buffers", metavar="FILE", multiple=True, help="Add a buffer; repeatable."
)
@click.option("--subshell", metavar="ID", help="To this subshell of the kernel.")
@kernel_options
@click.option("--stdin", "given", metavar="TEXT", multiple=True, help="Answer a kernel that asks.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=TIME_LIMIT,
    show_default=True,
    metavar="SECONDS",
    help="The time limit; 0: none.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for scripts.")
@click.option("-o", "--output", metavar="FILE", help="Record all that is said to FILE.")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
def send(
    code: str | None,
    msg_type: str | None,
    content: str | None,
    metadata: str | None,
    channel: Channel | None,
    buffers: tuple[str, ...],
    subshell: str | None,
    existing: str | None,
    kernel: str | None,
    gateway: str | None,
    kernel_id: str | None,
    token: str | None,
    ca: str | None,
    insecure: bool,
    given: tuple[str, ...],
    timeout: float,
    as_json: bool,
    output: str | None,
    force: bool,
) -> None:
    _check(code, msg_type, content)
    check_kernel(existing, kernel, gateway, kernel_id, token, ca, insecure=insecure)
    if math.isnan(timeout):
        raise click.UsageError("--timeout: nan is no number of seconds")
    taken = [code, content, metadata].count("-")
    if taken > 1:
        raise click.UsageError("only one of --code, --content, --metadata can be standard input")
    answers = Answers(given, taken=bool(taken))
    if channel is None:
        channel = usual_channel(msg_type or "execute_request")
    letter = Letter(
        "execute_request" if msg_type is None else msg_type,
        _json_object("--content", content) if code is None else _run(code, answers),
        channel,
        _json_object("--metadata", metadata),
        [_read("--buffer", name) for name in buffers],
        {} if subshell is None else {"subshell_id": subshell},
        timeout or None,
    )
    target = Target(
        existing, gateway, kernel, kernel_id, token, ca, insecure, output, force, warn,
        lambda line: click.echo(one_line(line), err=True),
    )  # fmt: skip
    show = print_json if as_json else text_printer()
    sys.exit(asyncio.run(Sending(target, letter, show, answers).run()))


def _check(code: str | None, msg_type: str | None, content: str | None) -> None:
    """Raises `click.UsageError` for options that do not go together."""
    if (code is None) == (msg_type is None):
        raise click.UsageError("give either --code TEXT or --type TYPE")
    if code is not None and content is not None:
        raise click.UsageError("--content goes with --type; --code makes its own")


def _run(code: str, answers: Answers) -> dict[str, Any]:
    """The content of an `execute_request`, as frontends send it."""
    return {
        "code": sys.stdin.read() if code == "-" else code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": answers.possible,
        "stop_on_error": True,
    }


def _json_object(option: str, given: str | None) -> dict[str, Any]:
    if given is None:
        return {}
    if given == "-":
        given = sys.stdin.read()
    elif given.startswith("@"):
        given = _read(option, given[1:]).decode(errors="replace")
    try:
        value = json.loads(given)
    except (ValueError, RecursionError) as error:
        raise KspyError(f"{option}: is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise KspyError(f'{option}: is no JSON object, as {{"name": "value"}}')
    return value


def _read(option: str, name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise KspyError(f"{option}: {name}: cannot be read: {error.strerror}") from error
