"""The options of how two sessions are compared, the same for every command that does it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Final

import click

from kspy.analysis.sameness.rules import RULES, Rules

_WIDTH: Final = 96
_INDENT: Final = "    "


@dataclass(frozen=True)
class CompareOptions:
    """What was asked for.

    strict       of the rules only those that were named are in force
    everything   tell of what is the same, too
    """

    rules: Rules
    strict: bool
    factor: float | None
    as_json: bool
    everything: bool


def compare_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator: the command is given `options`, a `CompareOptions`."""

    @functools.wraps(command)
    def given(
        *arguments: Any,
        ignore: tuple[str, ...],
        strict: bool,
        factor: float | None,
        as_json: bool,
        everything: bool,
        **others: Any,
    ) -> Any:
        if factor is not None and not factor < math.inf:
            raise click.UsageError("--factor: is a number above 1, as 2 or 1.5")
        rules = (Rules.strict if strict else Rules.usual)(ignore)
        options = CompareOptions(rules, strict, factor, as_json, everything)
        return command(*arguments, options=options, **others)

    for option in reversed(_OPTIONS):
        given = option(given)
    return given


def _print_rules(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    for rule in RULES:
        click.echo(f"{rule.name}{' (only with --ignore)' if rule.optional else ''}")
        places = [*rule.paths, *rule.ids, *rule.id_keys, *rule.references]
        for text in (rule.help, ", ".join(places)):
            for line in wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False):
                click.echo(_INDENT + line)
    context.exit()


_OPTIONS: Final = (
    click.option(
        "--ignore",
        multiple=True,
        metavar="PATH|/REGEX/|RULE",
        help='What does not count either: a place as content.data["text/html"], what an'
        " expression matches in texts, or a rule, as counts. May be given again.",
    ),
    click.option("--strict", is_flag=True, help="Everything counts, but what --ignore names."),
    click.option(
        "--factor",
        type=click.FloatRange(min=1, min_open=True),
        metavar="N",
        help="A thread that takes N times as long, either way, is a difference.",
    ),
    click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts."),
    click.option("--all", "everything", is_flag=True, help="Tell of what is the same, too."),
    click.option(
        "--rules",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_print_rules,
        help="Say what varies by nature, rule by rule, and end.",
    ),
)
