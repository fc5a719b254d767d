r"""Regular expressions of a filter: Python's, safe to run on what strangers wrote, and fast.

`re` cannot be stopped, holds the interpreter while it searches, and goes back and forth as long as
an expression lets it. So Python only reads an expression, which says what it means and where it is
wrong; it is run by RE2 (see `pattern`), which has no such expression to fear. What RE2 cannot do,
for it would have to go back, is refused.

Fast means: what an expression must literally contain is looked for in bytes before anything is
decoded (see `needle`).
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

import numpy as np

from kspy.analysis.filter.error import FilterError
from kspy.analysis.filter.pattern import Pattern, literal
from kspy.analysis.filter.syntax import Word

PIECE: Final = 10_000
"""Characters that one call searches: it is left only between calls."""
OVERLAP: Final = 5_000
"""Characters that pieces share: no match up to this length is missed."""
_SHORTEST: Final = 2
_LAST_CASED: Final = 0x1E943
"""The last character that has another case (Adlam's)."""
_ONE_PIECE: Final = (0,)

# Python's own parser, which has no public name: an expression means what Python understands.
_parser: Any = importlib.import_module("re._parser")
_REPEATS: Final = frozenset(("MAX_REPEAT", "MIN_REPEAT"))
_REFUSED: Final = {
    "ASSERT": "(?=...) and (?<=...), which look around",
    "ASSERT_NOT": "(?!...) and (?<!...), which look around",
    "GROUPREF": "\\1 and (?P=name), which mean what was found before",
    "GROUPREF_EXISTS": "(?(1)...), which asks what was found before",
    "ATOMIC_GROUP": "(?>...): no repeat goes back here, so write (?:...)",
    "POSSESSIVE_REPEAT": "a repeat such as a++: none goes back here, so write a+",
}
_AT: Final = {
    "AT_BEGINNING": "(?m:^)",
    "AT_BEGINNING_STRING": "\\A",
    "AT_BOUNDARY": "\\b",
    "AT_NON_BOUNDARY": "\\B",
    "AT_END": "(?m:$)",
    "AT_END_STRING": "\\z",
}
_CLASSES: Final = {
    f"CATEGORY_{sign}{name}": letter if sign == "" else letter.upper()
    for name, letter in (("DIGIT", "d"), ("SPACE", "s"), ("WORD", "w"))
    for sign in ("", "NOT_")
}

Tree = Sequence[Any]


class Regex:
    """`/pattern/` or `/pattern/i`. Raises `FilterError` for what is none, or cannot be run.

    literals   texts of which one is in all that matches, in this very case if `exact`
    """

    def __init__(self, word: Word) -> None:
        source, _, flags = word.text[1:].rpartition("/")
        if flags not in ("", "i"):
            raise FilterError(
                "after a regular expression stands i or nothing;"
                " a path is written in quotation marks",
                word.start + len(source) + 2,
                word.stop,
            )
        source = source.replace("\\/", "/")
        options = re.MULTILINE | (re.IGNORECASE if flags else 0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = _parser.parse(source, options)
                flags_now = tree.state.flags
                self.pattern = Pattern(_translated(tree, flags_now))
                self.literals = _literals(tree)
        except re.error as error:
            at = word.start + 1 + (error.pos or 0)
            raise FilterError(f"no regular expression: {error.msg}", at, word.stop) from error
        except _CannotError as error:
            raise FilterError(str(error), word.start, word.stop) from error
        except (RecursionError, OverflowError, MemoryError, ValueError) as error:
            what = "it is too large; a repeat counts to 1,000 at most"
            raise FilterError(f"no regular expression: {what}", word.start, word.stop) from error
        self.ignores_case = bool(flags_now & re.IGNORECASE)
        self.exact = "(?i:" not in self.pattern.source

    def matches(self, name: str) -> bool:
        return any(found_in_piece(self.pattern, name, start) for start in pieces(name))


def pieces(text: str) -> Sequence[int]:
    """Where the pieces of `text` begin."""
    if len(text) <= PIECE:
        return _ONE_PIECE
    return range(0, max(len(text) - OVERLAP, 1), PIECE - OVERLAP)


def found_in_piece(pattern: Pattern, text: str, start: int) -> bool:
    if len(text) <= PIECE:
        return pattern.is_in(text)
    before = min(start, 1)  # what stands there says whether a line or a word begins
    part = text[start - before : start + PIECE + 1]
    last = len(text) <= start + PIECE
    stop = len(part) if last else PIECE + before
    # What touches the end of a piece may be no match of the text: the next piece has it whole.
    return any(last or end < stop for _, end in pattern.spans(part, before, stop))


# From Python's language to that of RE2


class _CannotError(Exception):
    """What RE2 cannot do, said so that it is understood."""


def _translated(tree: Tree, flags: int) -> str:
    """In brackets. Groups have no numbers: what they found is not asked for."""
    return f"(?:{''.join(_item(str(code), argument, flags) for code, argument in tree)})"


def _item(name: str, argument: Any, flags: int) -> str:
    if name in _REFUSED:
        raise _CannotError(f"regular expressions have no {_REFUSED[name]}")
    if name == "LITERAL":
        return _cased(literal(chr(argument)), flags)
    if name == "NOT_LITERAL":
        return _cased(f"[^{literal(chr(argument))}]", flags)
    if name == "ANY":
        return "(?s:.)" if flags & re.DOTALL else "[^\\n]"
    if name == "IN":
        return _in_set(argument, flags)
    if name == "AT":
        if not flags & re.MULTILINE and str(argument) in ("AT_BEGINNING", "AT_END"):
            raise _CannotError("^ and $ match at lines; \\A and \\Z at the ends of a text")
        return _AT[str(argument)]
    if name == "BRANCH":
        return f"(?:{'|'.join(_translated(branch, flags) for branch in argument[1])})"
    if name == "SUBPATTERN":
        _, added, removed, inner = argument
        return _translated(inner, (flags | added) & ~removed)
    least, most, inner = argument
    upto = "" if most == _parser.MAXREPEAT else str(int(most))
    lazy = "?" if name == "MIN_REPEAT" else ""
    return f"(?:{_translated(inner, flags)}{{{int(least)},{upto}}}{lazy})"


def _cased(source: str, flags: int) -> str:
    return f"(?i:{source})" if flags & re.IGNORECASE else source


def _in_set(members: Sequence[Any], flags: int) -> str:
    characters, classes = [], []
    sign = ""
    for code, argument in members:
        match str(code):
            case "NEGATE":
                sign = "^"
            case "LITERAL":
                characters.append((argument, argument))
            case "RANGE":
                characters.append(argument)
            case _:
                classes.append(_class(_CLASSES[str(argument)], bool(flags & re.ASCII)))
    if not classes:
        return _cased(f"[{sign}{_ranges(characters)}]", flags)
    # To RE2, `\w` in any case would have what is no letter, but whose other case is one.
    if flags & re.IGNORECASE:
        characters += [
            _other_case(code) for first, last in characters for code in _few(first, last)
        ]
    return f"[{sign}{_ranges(characters)}{''.join(classes)}]"


def _ranges(ranges: Sequence[tuple[int, int]]) -> str:
    return "".join(f"{literal(chr(first))}-{literal(chr(last))}" for first, last in ranges)


def _few(first: int, last: int) -> Iterable[int]:
    """The characters of a range, as far as there are scripts with two cases."""
    return range(first, min(last, _LAST_CASED) + 1)


def _other_case(code: int) -> tuple[int, int]:
    other = chr(code).swapcase()
    return (ord(other), ord(other)) if len(other) == 1 else (code, code)


@cache
def _class(letter: str, ascii_only: bool) -> str:
    r"""The members of `\w` and the like as Python has them: to RE2, only ASCII is in these."""
    every = np.arange(0x110000, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    stretches = re.finditer(f"\\{letter}+", every, re.ASCII if ascii_only else 0)
    return "".join(
        f"{literal(every[found.start()])}-{literal(every[found.end() - 1])}" for found in stretches
    )


# What an expression must contain


def _literals(tree: Tree) -> Sequence[str]:
    """Texts of which at least one is in everything that matches; none if nothing is known."""
    found: list[Sequence[str]] = []
    run: list[str] = []
    for code, argument in tree:
        name = str(code)
        if name == "LITERAL":
            run.append(chr(argument))
            continue
        found.append(["".join(run)])
        run = []
        if name == "BRANCH":
            found.append(_of_branches(argument[1]))
        elif name == "SUBPATTERN" or (name in _REPEATS and int(argument[0])):
            found.append(_literals(argument[-1]))
    found.append(["".join(run)])
    return max(found, key=lambda texts: min(map(len, texts), default=0))


def _of_branches(branches: Sequence[Tree]) -> Sequence[str]:
    each = [_literals(branch) for branch in branches]
    texts = [text for literals in each for text in literals]
    return texts if all(each) and all(len(text) >= _SHORTEST for text in texts) else []
