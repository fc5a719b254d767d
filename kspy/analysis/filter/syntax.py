"""From a filter's text to its tree: which conditions, how they are joined, and where they stand.

Nothing here knows what fields there are. The parser is fed token by token, so that nesting and
length are bounded before anything recurses over the tree, and so that the tokens before a
mistake are known and can be coloured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from kspy.analysis.filter.error import FilterError

LONGEST: Final = 10_000
"""Characters of a filter."""
DEEPEST: Final = 50
"""Brackets and negations within each other."""
MOST: Final = 200
"""Conditions of a filter; each costs a pass over the messages."""

OPEN: Final = "OPEN"
_QUOTES: Final = ("'", '"', "/")
_OPERATORS: Final = ":=<>!"
_VALUES: Final = frozenset(("VALUE", "STRING", "REGEX", "WORD"))
_ENDS: Final = _VALUES | {"RIGHT"}


class Word(NamedTuple):
    """A token of the filter: `kind` is its terminal's name in filter.lark."""

    kind: str
    text: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Condition:
    """`field` `operator` `values`; a bare word or text has neither field nor operator."""

    field: Word | None
    operator: Word | None
    values: Sequence[Word]


@dataclass(frozen=True, slots=True)
class Negation:
    inner: Node


@dataclass(frozen=True, slots=True)
class Joined:
    """`parts` of which all ("and") or any ("or") must match."""

    how: str
    parts: Sequence[Node]


Node = Condition | Negation | Joined


@cache
def _grammar() -> Lark:
    return Lark.open("filter.lark", rel_to=__file__, parser="lalr")


def read(text: str, check: Callable[[Word], None] = lambda word: None) -> Node | None:
    """The tree of a filter; None for an empty one. Raises `FilterError`.

    `check` is asked about each token, and may raise: a wrong one often is why what follows it
    cannot be read.
    """
    if len(text) > LONGEST:
        raise FilterError(
            f"a filter has at most {LONGEST:,} characters, this one {len(text):,}", 0, len(text)
        )
    tree, words, error = _scan(text)
    _check_size(words)
    for word in words:
        check(word)
    if error is not None:
        raise _explain(text, words, error)
    return _node(tree) if isinstance(tree, Tree) and tree.children else None


def words(text: str) -> list[Word]:
    """The tokens of a filter; what cannot be one is left out, and reading goes on after it.

    The last one's kind is `OPEN` if it is a text or regular expression that is not closed.
    """
    found: list[Word] = []
    offset = 0
    while offset < len(text) <= LONGEST:
        _, some, error = _scan(text[offset:])
        found.extend(
            word._replace(start=word.start + offset, stop=word.stop + offset) for word in some
        )
        if error is None:
            break
        at = max(offset + (error.pos_in_stream or 0), found[-1].stop if found else 0)
        if text[at : at + 1] in _QUOTES:
            found.append(Word(OPEN, text[at:], at, len(text)))
            break
        offset = at + max(len(error.token) if isinstance(error, UnexpectedToken) else 1, 1)
    return found


def _scan(text: str) -> tuple[Any, list[Word], UnexpectedInput | None]:
    """The tree, and the tokens up to the end or the first that is wrong."""
    parser: Any = _grammar().parse_interactive(text)
    found: list[Word] = []
    try:
        for token in parser.lexer_thread.lex(parser.parser_state):
            parser.feed_token(token)
            found.append(_word(token))
        return parser.feed_eof(), found, None
    except UnexpectedInput as error:
        return None, found, error


def _check_size(words: Sequence[Word]) -> None:
    """Raises `FilterError` where the tree would be too deep or too wide to walk."""
    around: list[str] = []
    conditions = 0
    for word in words:
        if word.kind in ("LEFT", "NOT"):
            around.append(word.kind)
        elif word.kind == "RIGHT":
            while around and around.pop() != "LEFT":
                pass
        conditions += word.kind in _VALUES
        while word.kind in _ENDS and around and around[-1] == "NOT":
            around.pop()
        if len(around) > DEEPEST:
            what = f"brackets and negations stand at most {DEEPEST} deep within each other"
            raise FilterError(what, word.start, word.stop)
        if conditions > MOST:
            what = f"a filter has at most {MOST} words and values; /a|b/ can hold more"
            raise FilterError(what, word.start, word.stop)


def _word(token: Token) -> Word:
    start = token.start_pos or 0
    return Word(token.type, str(token), start, start + len(token))


def _node(tree: Tree[Token]) -> Node:
    kind = tree.data
    children = tree.children
    if kind == "negation":
        return Negation(_node(_tree(children[1])))
    if kind == "group":
        return _node(_tree(children[1]))
    if kind in ("either", "both"):
        parts = [_node(_tree(child)) for child in children]
        return Joined("or" if kind == "either" else "and", parts)
    found = [_word(child) for child in children if isinstance(child, Token)]
    if kind == "bare":
        return Condition(None, None, found)
    field, operator, *values = found
    values = [value for value in values if value.kind != "COMMA"]
    if operator.text == ":" and (field.stop, operator.stop) != (operator.start, values[0].start):
        raise FilterError(
            f"no blanks around ':'; write {field.text}:{values[0].text}",
            field.start,
            values[0].stop,
        )
    return Condition(field, operator, values)


def _tree(child: Tree[Token] | Token) -> Tree[Token]:
    assert isinstance(child, Tree)  # what filter.lark makes of these rules
    return child


# What is wrong


def _explain(text: str, words: Sequence[Word], error: UnexpectedInput) -> FilterError:
    """What the parser did not expect, in the words of who writes filters."""
    last = words[-1] if words else None
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        word = _word(error.token)
        if word.kind in ("RIGHT", "_AND", "_OR"):
            return FilterError(_unexpected(word, last), word.start, word.stop)
        return _unreadable(text, word.start, last)
    if isinstance(error, UnexpectedCharacters):
        return _unreadable(text, error.pos_in_stream or 0, last)
    message, start, stop = _ended(text, words)
    return FilterError(message, start, stop)


def _unexpected(word: Word, last: Word | None) -> str:
    if word.kind == "RIGHT":
        if last is not None and last.kind == "LEFT":
            return "there is nothing in these brackets"
        if last is not None and last.kind in ("NOT", "OPERATOR", "_AND", "_OR", "COMMA"):
            return f"after {last.text!r} something is missing"
        return "there is no '(' for this ')'"
    return f'{word.text!r} stands between two conditions; to search for it write "{word.text}"'


def _unreadable(text: str, at: int, last: Word | None) -> FilterError:
    character = text[at]
    if character in _QUOTES[:2]:
        return FilterError(f"the text is not closed; write {character} at its end", at, len(text))
    if character == "/":
        if text[at:].startswith("//"):
            return FilterError("there is nothing in this regular expression", at, at + 2)
        return FilterError(
            "the regular expression is not closed; write / at its end", at, len(text)
        )
    if last is not None and last.kind in ("OPERATOR", "COMMA"):
        return FilterError(f"after {last.text!r} a value is missing", last.start, at + 1)
    if character in _OPERATORS:
        return FilterError(
            f"before {character!r} a field is missing, as in type:status;"
            " text with such characters is written in quotation marks",
            at,
            at + 1,
        )
    return FilterError(f"{character!r} cannot stand here", at, at + 1)


def _ended(text: str, words: Sequence[Word]) -> tuple[str, int, int]:
    last = words[-1] if words else Word("", "", 0, 0)
    if last.kind == "OPERATOR":
        field = words[-2]
        return f"after {field.text}{last.text} a value is missing", field.start, len(text)
    if last.kind in ("NOT", "_AND", "_OR", "COMMA", "LEFT"):
        return f"after {last.text!r} something is missing", last.start, last.stop
    open_brackets: list[Word] = []
    for word in words:
        if word.kind == "LEFT":
            open_brackets.append(word)
        elif word.kind == "RIGHT" and open_brackets:
            open_brackets.pop()
    if open_brackets:
        bracket = open_brackets[-1]
        return "this bracket is not closed; write ) at its end", bracket.start, bracket.stop
    return "the filter is not complete", 0, len(text)
