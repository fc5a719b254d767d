"""The help of the filter language, made from the declarations of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from kspy.analysis.filter.fields import FIELDS, KEYWORDS, KINDS, OPERATORS, Field, Kind
from kspy.analysis.filter.regex import OVERLAP, PIECE
from kspy.analysis.filter.syntax import DEEPEST, LONGEST, MOST
from kspy.wire.message import DECODE_LIMIT

JOINING: Final[Mapping[str, str]] = {
    "type:stream error": "both: several conditions must all be met; `and` may stand between them",
    "error or waiting": "one of them; binds less than `and`",
    "-type:status": "not; also `not type:status` and `!type:status`",
    "(error or waiting) client:2": "brackets",
    "type:status,stream": "one of several values, after `:`, `=` and `!=`",
}

TEXTS: Final[Mapping[str, str]] = {
    "ZeroDivisionError": "a word that is no keyword means text, in any case",
    '"division by zero"': 'so does what stands in quotation marks; `\\"` is one in it',
    r"/epoch \d+/": "a regular expression of Python, in this case; `/regex/i` in any",
}


class HelpLine(NamedTuple):
    """`what` is an example or a name; both are "" between sections, `what` alone is a heading."""

    what: str
    help: str


def help_lines() -> list[HelpLine]:
    """The help page: a heading, its lines, an empty line, and so on."""
    lines: list[HelpLine] = []
    for heading, rows in _sections():
        lines += [HelpLine(heading, ""), *rows, HelpLine("", "")]
    return lines[:-1]


def _sections() -> Iterator[tuple[str, list[HelpLine]]]:
    yield "Fields", [HelpLine(field.example, field.help) for field in FIELDS.values()]
    yield "Keywords", [HelpLine(word.name, word.help) for word in KEYWORDS.values()]
    yield "Text", [HelpLine(example, help_.replace("`", "")) for example, help_ in TEXTS.items()]
    yield "Together", [HelpLine(what, help_.replace("`", "")) for what, help_ in JOINING.items()]


def markdown() -> str:
    """docs/filter.md."""
    return "\n".join(_markdown_lines()) + "\n"


def _markdown_lines() -> Iterator[str]:
    yield from (*_INTRODUCTION.splitlines(), "")
    yield from ("## Fields", "")
    yield from _table(
        ("field", "operators", "is", "example"),
        [_field_row(field) for field in FIELDS.values()],
    )
    yield from ("## Values", "")
    yield from _table(
        ("field", "takes"),
        [(", ".join(_named(kind)), KINDS[kind]) for kind in OPERATORS],
    )
    for field in FIELDS.values():
        if field.kind == "name" and isinstance(field.values, Mapping) and field.values:
            yield from (f"### {field.name}", "")
            yield from _table(
                ("value", "is"), [(f"`{value}`", help_) for value, help_ in field.values.items()]
            )
    yield from (
        "## Keywords",
        "",
        "Bare words that mean something; in quotation marks they are text.",
        "",
    )
    yield from _table(
        ("keyword", "the same as", "what it finds"),
        [(f"`{word.name}`", f"`{word.meaning}`", word.help) for word in KEYWORDS.values()],
    )
    yield from ("## Text", "")
    yield from _table(("filter", "finds"), [(f"`{what}`", help_) for what, help_ in TEXTS.items()])
    yield from ("## Together", "")
    yield from _table(
        ("filter", "means"), [(f"`{what}`", help_) for what, help_ in JOINING.items()]
    )
    yield from _RULES.splitlines()


def _field_row(field: Field) -> tuple[str, ...]:
    operators = " ".join(f"`{operator}`" for operator in field.operators)
    return f"`{field.name}`", operators, field.help, f"`{field.example}`"


def _named(kind: Kind) -> list[str]:
    return [f"`{field.name}`" for field in FIELDS.values() if field.kind == kind]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


_INTRODUCTION: Final = """\
# The filter language

One language for the viewer (`/`), for `kspy show --filter TEXT` and for `kspy.select`:

    type:execute_* error -client:2 latency>500ms "division by zero"

This page is made from the declarations in kspy/analysis/filter/fields.py by
`python -m kspy.analysis.filter`; change it there.
"""

_RULES: Final = f"""\
## Rules

- Around `:` there are no blanks; around the other operators there may be.
- Names, ids and text are compared without regard to case; regular expressions with regard to it,
  unless they end with `/i`. A name in quotation marks has no globs.
- `:` and `=` are the same, but for ids: `parent:5d21` is how the id begins, `parent="5d21c6f0"` is
  the whole id. Digits only are a message's number: `parent:12`; in quotation marks they are an id.
- A comparison needs something to compare: `latency<1s` leaves out what has no latency, `client!=2`
  what has no client, `type!=status` events, which have no type. `-type:status` keeps them: it is
  not so that they are of that type. Of events, only `event`, `is`, `time` and text can be true.
- `time` without a colon counts from the first message or event. With colons it is the time of day
  on the clock of who reads, on any day.
- Text is looked for in the message's type and in the keys and values of its content, each by
  itself, numbers as they were written. Of what does not decode, and of heartbeats, the bytes are
  searched as UTF-8. Buffers, headers and metadata are not searched. Of a message larger than
  {DECODE_LIMIT >> 20} MiB (`flag:oversized`) only the beginning is, up to two mebibytes.
- The Kelvin sign and the dotted capital I are not taken for k and i; a final sigma is a sigma.
- Regular expressions are Python's, but run by RE2, whose time grows with the text only. It never
  goes back: it has no `(?=...)`, `(?<!...)`, `\\1`, `a++`, `(?>...)`; for what must not be there
  write `-/.../`. A repeat counts to 1,000 at most, also within another. `^` and `$` match at lines;
  `\\b` knows the letters of ASCII only. Texts longer than {PIECE:,} characters are searched in
  pieces: in them a match longer than {OVERLAP:,} may be missed.
- A filter has at most {LONGEST:,} characters, {MOST} words and values, and {DEEPEST} brackets
  within each other.

## How long it takes

What the columns of a recording tell (`type`, `channel`, `client`, `size`, `time`, `is`, `state`,
`latency`, `number`, `thread`, `parent` by number) takes milliseconds for a million messages. Text
is looked for in the bytes first, and decoded where it may be. Slow are regular expressions without
any certain text in them, as `/\\w+/`, and `flag:undecodable`: they decode every message. Conditions
that are cheap spare those that are not: `type:stream /\\w+/` decodes only streams.
"""
