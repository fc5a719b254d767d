r"""Regular expressions of a filter: safe to run on what strangers wrote, and fast.

`re` cannot be stopped, and holds the interpreter while it searches: an expression that backtracks
without end would freeze everything. So expressions whose time can grow exponentially are refused
when they are read, and one call searches a bounded piece of text only. The time left is at worst
a power of that piece's length.

Fast means: what an expression must literally contain is looked for in bytes before anything is
decoded (see `needle`).
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Final

from kspy.analysis.filter.error import FilterError
from kspy.analysis.filter.syntax import Word

PIECE: Final = 10_000
"""Characters that one call searches."""
OVERLAP: Final = 5_000
"""Characters that pieces share: no match up to this length is missed."""
_MANY: Final = 4
"""A part that is repeated more often counts as repeated without end."""
_MOST_REPEATS: Final = 8
_SHORTEST: Final = 2
_ONE_PIECE: Final = (0,)

# Python's own parser, which has no public name: an expression is judged as Python understands it.
_parser: Any = importlib.import_module("re._parser")
_REPEATS: Final = frozenset(("MAX_REPEAT", "MIN_REPEAT"))

Tree = Sequence[Any]


class Regex:
    """`/pattern/` or `/pattern/i`. Raises `FilterError` for what is none, or is not safe."""

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
                self.pattern = re.compile(source, options)
                tree = _parser.parse(source, options)
                what = _danger(tree)
                self.literals: Sequence[str] = _literals(tree)
        except re.error as error:
            at = word.start + 1 + (error.pos or 0)
            raise FilterError(f"no regular expression: {error.msg}", at, word.stop) from error
        except (RecursionError, OverflowError, MemoryError) as error:
            what = "it is too large"
            raise FilterError(f"no regular expression: {what}", word.start, word.stop) from error
        if what:
            raise FilterError(what, word.start, word.stop)
        self.ignores_case = bool(self.pattern.flags & re.IGNORECASE)

    def matches(self, name: str) -> bool:
        return found_in(self.pattern, name)


def found_in(pattern: re.Pattern[str], text: str) -> bool:
    """Is there a match in `text`? Piece by piece; see `PIECE`."""
    return any(found_in_piece(pattern, text, start) for start in pieces(text))


def pieces(text: str) -> Sequence[int]:
    """Where the pieces of `text` begin."""
    if len(text) <= PIECE:
        return _ONE_PIECE
    return range(0, max(len(text) - OVERLAP, 1), PIECE - OVERLAP)


def found_in_piece(pattern: re.Pattern[str], text: str, start: int) -> bool:
    stop = start + PIECE
    if len(text) <= stop:
        return pattern.search(text, start) is not None
    # What touches the end of a piece may be no match of the text: the next piece has it whole.
    return any(match.end() < stop for match in pattern.finditer(text, start, stop))


# What an expression is made of


def _inside(name: str, argument: Any) -> Iterator[Tree]:
    """The expressions within an item, all of which must match."""
    if name == "SUBPATTERN":
        yield argument[-1]
    elif name == "ATOMIC_GROUP":
        yield argument
    elif name in _REPEATS or name == "POSSESSIVE_REPEAT":
        yield argument[2]
    elif name in ("ASSERT", "ASSERT_NOT"):
        yield argument[1]


def _branches(name: str, argument: Any) -> Sequence[Tree]:
    if name == "BRANCH":
        return list(argument[1])
    if name == "GROUPREF_EXISTS":
        return [branch for branch in argument[1:] if branch is not None]
    return ()


def _danger(tree: Tree) -> str:
    """Why an expression may take for ever; "" if it cannot."""
    if _endless(tree, within=False):
        return (
            "this expression can take for ever: it repeats what can match in several ways."
            " Write the inner repeat so that it never goes back, as in (\\d++,)*"
        )
    if _repeats(tree) > _MOST_REPEATS:
        return f"a regular expression has at most {_MOST_REPEATS} repeats such as .* or \\w+"
    return ""


def _repeats(tree: Tree) -> int:
    """How many repeats there are: the power to which the time can grow."""
    count = 0
    for code, argument in tree:
        name = str(code)
        inner = sum(map(_repeats, (*_inside(name, argument), *_branches(name, argument))))
        times = int(argument[1]) if name in _REPEATS else 1
        count += inner * min(times, _MANY) + (times > _MANY)
    return count


def _endless(tree: Tree, *, within: bool) -> bool:
    """Is there what can match in several ways `within` what is repeated?"""
    for code, argument in tree:
        name = str(code)
        branches = _branches(name, argument)
        varies = name in _REPEATS and int(argument[1]) > int(argument[0])
        if within and (varies or (branches and not _apart(branches))):
            return True
        inner = within or (name in _REPEATS and int(argument[1]) > _MANY)
        if name in ("ATOMIC_GROUP", "POSSESSIVE_REPEAT"):
            inner = False
        if any(_endless(part, within=inner) for part in (*_inside(name, argument), *branches)):
            return True
    return False


def _apart(branches: Sequence[Tree]) -> bool:
    """Does each branch begin with another character?"""
    firsts = [_first(branch) for branch in branches]
    return None not in firsts and len(set(firsts)) == len(firsts)


def _first(tree: Tree) -> int | None:
    for code, argument in tree:
        if str(code) == "LITERAL":
            return int(argument)
        if str(code) == "SUBPATTERN":
            return _first(argument[-1])
        return None
    return None


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
        elif name in _REPEATS or name == "POSSESSIVE_REPEAT":
            if int(argument[0]):
                found.append(_literals(argument[2]))
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            found.append(_literals(next(_inside(name, argument))))
    found.append(["".join(run)])
    return max(found, key=lambda texts: min(map(len, texts), default=0))


def _of_branches(branches: Sequence[Tree]) -> Sequence[str]:
    each = [_literals(branch) for branch in branches]
    texts = [text for literals in each for text in literals]
    return texts if all(each) and all(len(text) >= _SHORTEST for text in texts) else []
