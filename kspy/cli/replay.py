"""`kspy replay`: send a kernel what a recording's clients sent, and say what came out otherwise."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click

import kspy
from kspy.analysis.sanitize import one_line
from kspy.cli.compare_options import CompareOptions, compare_options
from kspy.cli.filtered import wanted_by
from kspy.cli.kernel_options import check_kernel, kernel_options
from kspy.cli.replaying import Replaying
from kspy.cli.sending import warn
from kspy.replay.client.pacing import Pace
from kspy.replay.client.replaying import Plan
from kspy.speak.connect import Target
from kspy.speak.kernel import TIME_LIMIT

_HELP = """Send a kernel what the clients of the recording FILE sent, and compare what comes back.

\b
  kspy replay session.kspy --kernel python3
  kspy replay session.kspy --kernel python3 --fast -o again.kspy
  kspy replay session.kspy --kernel python3 --only 'type:execute_request client:1'
  kspy replay session.kspy --kernel python3 --fast --repeat 10

Each recorded client is a client of its own again. A message is sent when what its client had
waited for has come, and not before its time. Ctrl-C ends it; what came so far is recorded and
compared. Exit code 0: the same; 1: different, or the kernel hung or died; 2: could not be done.
"""


@click.command(help=_HELP, short_help="Send what was recorded to a kernel, and compare.")
@click.argument("file", type=click.Path(path_type=Path))
@kernel_options
@click.option("--speed", type=float, metavar="N", help="So many times as fast as it was.")
@click.option("--fast", is_flag=True, help="As fast as what was waited for comes.")
@click.option("--only", metavar="FILTER", help="Only threads of such client messages.")
@click.option(
    "--repeat",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Run it N times, and say what is not stable.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=TIME_LIMIT,
    show_default=True,
    metavar="SECONDS",
    help="Give up a kernel that does not answer for so long; 0: never.",
)
@compare_options
@click.option("-o", "--output", metavar="FILE", help="Record the new session to FILE.")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
def replay(
    file: Path,
    existing: str | None,
    kernel: str | None,
    gateway: str | None,
    kernel_id: str | None,
    token: str | None,
    ca: str | None,
    insecure: bool,
    speed: float | None,
    fast: bool,
    only: str | None,
    repeat: int,
    timeout: float,
    output: str | None,
    force: bool,
    options: CompareOptions,
) -> None:
    hint = "" if existing or kernel or gateway else _recorded(file)
    check_kernel(existing, kernel, gateway, kernel_id, token, ca, insecure=insecure, hint=hint)
    if fast and speed is not None:
        raise click.UsageError("--fast and --speed do not go together; choose one")
    if speed is not None and not 0 < speed < math.inf:
        raise click.UsageError("--speed: is a number above 0, as 2 or 0.5")
    if math.isnan(timeout):
        raise click.UsageError("--timeout: nan is no number of seconds")
    target = Target(existing, gateway, kernel, kernel_id, token, ca, insecure, output, force, warn)
    pace = Pace(None if fast else speed or 1.0, timeout or None)
    wanted = wanted_by(only, "--only") if only else None
    plan = Plan(target, options.rules, pace, wanted, repeat, options.factor, options.strict)
    sys.exit(Replaying(file, plan, options).run())


def _recorded(file: Path) -> str:
    """Which kernel the recording is of."""
    with kspy.open(file) as recording:
        name = recording.metadata.get("kernel_name")
    return f" (the recording is of {one_line(name)})" if isinstance(name, str) and name else ""
