r"""What bytes a message must have for a text to be in it: the search before anything is decoded.

Rules, so that nothing is missed:
- JSON writes a character as itself or as an escape: `\u0041`, `\/`, for some `\n`. Encoders
  differ (Go escapes `<`, PHP `/`, Python all that is not ASCII). So a needle is a run of
  characters that are usually not escaped, and where there are escapes of such, there may be all.
- Case: the bytes are in lower case, which for ASCII is the same as lowering the text.
- A text is folded by `fold`, under which no other character becomes an ASCII one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final

_ESCAPES: Final = re.compile(rb"\\u00[2-7]")
_SLASH: Final = rb"\/"
_WORDS: Final = ("true", "false", "null", "nan", "infinity", "e")
_SIGNS: Final = frozenset("0123456789+-.")
_BETWEEN: Final = frozenset(",:{}[] \t\r\n")
"""What JSON, in lower case, may have outside its strings: words, signs, and these between them."""
_NUMBERS: Final = _SIGNS | set("".join(_WORDS))
_VARIANTS: Final = 8
_LAST: Final = 0x20000
"""No character from here on has another case."""
_CASELESS_ASCII: Final = "\u0130\u0131\u017f\u212a"
"""What `re.IGNORECASE` takes for an i, s or k."""


def fold(text: str) -> str:
    """`text` without its case, character by character: what is in a text is in the folded text."""
    if text.isascii():
        return text.lower()
    for kept, stand_in in (("\u0130", "\ufdd0"), ("\u212a", "\ufdd1")):  # else i and k, in ASCII
        text = text.replace(kept, stand_in)
    return text.lower().replace("\u03c2", "\u03c3")  # a final sigma is a sigma


@dataclass(frozen=True, slots=True)
class Needle:
    """One of `finds` must be in the bytes in lower case; where there are none, nothing is known.

    escapes    or what this finds, if it is given; a slash may be written `\\/` too if `slash`
    numberish  may the text be part of a number, true or null, and not only of a string?
    sure       where this is in a JSON content, not right after an escape, the text is there
    """

    finds: Sequence[bytes] = ()
    escapes: re.Pattern[bytes] | None = None
    numberish: bool = True
    sure: bytes = b""


UNKNOWN: Final = Needle()


def of_text(text: str) -> Needle:
    """For a text without regard to case; `text` must be folded."""
    if not text or "\ufffd" in text:  # which stands for bytes that are no text
        return UNKNOWN
    run = _best_run(text)
    numberish = set(text) <= _NUMBERS
    if not run:
        return UNKNOWN
    if not run.isascii():
        return Needle(tuple(_foreign(run, _variants())), None, numberish)
    sure = run.encode() if run == text and _is_in_one_value(run) else b""
    return Needle(_with_slash(run), _ESCAPES, numberish, sure)


def _is_in_one_value(run: str) -> bool:
    """Can JSON have it only within one string, number or word, not across several?"""
    if not set(run) & _BETWEEN or set(re.sub("[a-z]", "", run)) - _BETWEEN - _SIGNS:
        return True
    return any(all(letters not in word for word in _WORDS) for letters in re.findall("[a-z]+", run))


def of_literals(literals: Iterable[str], *, ignores_case: bool) -> Needle:
    """For a regular expression in whose matches one of `literals` is, in this very case."""
    finds: list[bytes] = []
    numberish = False
    for literal in literals:
        run = _best_run(literal)
        if not run or "\ufffd" in literal or (ignores_case and not run.isascii()):
            return UNKNOWN
        numberish = numberish or set(literal.lower()) <= _NUMBERS
        finds += _with_slash(run.lower()) if run.isascii() else _foreign(run, {})
    if ignores_case:
        finds += [find for odd in _CASELESS_ASCII for find in _written(odd)]
    return Needle(tuple(finds), _ESCAPES, numberish) if finds else UNKNOWN


def _best_run(text: str) -> str:
    """The longest part that is found in bytes: ASCII, else of other characters."""
    ascii_runs: list[str] = re.findall(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", text)  # all but " and \
    others: list[str] = re.findall("[^\x00-\x7f\ufdd0\ufdd1]+", text)
    best = max(ascii_runs, key=len, default="")
    if len(best) > 1 or not others:
        return best
    return max(others, key=len)


def _with_slash(run: str) -> tuple[bytes, ...]:
    return (run.encode(), _SLASH) if "/" in run else (run.encode(),)


def _foreign(run: str, variants: Mapping[str, Sequence[str]]) -> list[bytes]:
    """The ways to write a run of characters beyond ASCII, or, where they are many, a part of it."""
    run = run[:3]
    choices = [(character, *variants.get(character, ())) for character in run]
    while len(choices) > 1 and _count(choices) > _VARIANTS:
        choices.pop()
    raw = ["".join(combination) for combination in product(*choices)]
    finds = [text.encode("utf-8", "surrogatepass") for text in raw]
    return finds + [_escaped(variant) for choice in choices for variant in choice]


def _count(choices: Sequence[Sequence[str]]) -> int:
    count = 1
    for choice in choices:
        count *= len(choice)
    return count


def _written(character: str) -> list[bytes]:
    return [character.encode(), _escaped(character)]


def _escaped(character: str) -> bytes:
    """Its escape in JSON, in lower case; of one beyond 16 bits the first half."""
    unit = character.encode("utf-16-be", "surrogatepass")[:2]
    return rb"\u" + unit.hex().encode()


@cache
def _variants() -> Mapping[str, Sequence[str]]:
    """For characters beyond ASCII: which others are folded to them."""
    table: dict[str, list[str]] = {}
    for code in range(0x80, _LAST):
        character = chr(code)
        if (folded := fold(character)) != character:
            table.setdefault(folded, []).append(character)
    return table
