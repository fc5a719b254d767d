r"""What is looked for in texts, as RE2 searches: in time proportional to the text.

RE2 never goes back, so no text of a stranger can hold it up, and it lets other threads run while
it searches. It reads another language than Python; `kspy.analysis.filter.regex` translates.
https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import re2

Span = tuple[int, int]

_MEMORY: Final = 1 << 20
"""Bytes that one pattern may take: the time for one character grows with its size."""
_ANYWHERE: Final = re2._re2.RE2.Anchor.UNANCHORED
_HALF: Final = re.compile("[\ud800-\udfff]")
_NOTHING: Final = [(-1, -1)]


class Pattern:
    """Something to find. Raises `ValueError` with RE2's words if `source` is not RE2's syntax.

    source   what is looked for, in RE2's syntax; in brackets, or a single item
    """

    def __init__(self, source: str) -> None:
        options = re2.Options()
        options.never_capture = True
        options.log_errors = False
        options.max_mem = _MEMORY
        self.source = source
        compiled = re2._re2.RE2(source.encode(), options)
        if not compiled.ok():
            raise ValueError(compiled.error().decode("utf-8", "replace"))
        self._match: Callable[..., list[Span]] = compiled.Match

    def is_in(self, text: str) -> bool:
        data = _encoded(text)
        found: list[Span] = self._match(_ANYWHERE, data, 0, len(data))
        return found != _NOTHING

    def spans(self, text: str, start: int = 0, stop: int | None = None) -> Iterator[Span]:
        """Where it is in `text`, as far as it begins at `start` or later and ends at `stop`.

        What is around them counts: a line begins only where one begins in `text`.
        """
        data = _encoded(text)
        plain = len(data) == len(text)
        at = start if plain else len(_encoded(text[:start]))
        end = len(data) if stop is None else stop if plain else len(_encoded(text[:stop]))
        while at <= end:
            begin, after = self._match(_ANYWHERE, data, at, end)[0]
            if begin < 0:
                return
            if plain:
                yield begin, after
            else:
                yield len(data[:begin].decode()), len(data[:after].decode())
            at = after
            if begin == after:  # found nothing, in the true sense: on to the next character
                at += 1
                while at < end and data[at] & 0xC0 == 0x80:
                    at += 1

    def masked(self, text: str, mask: str) -> str:
        """`text` with `mask` for all that matches, in time proportional to the text."""
        return self.replaced(text, lambda _: mask)

    def replaced(self, text: str, by: Callable[[str], str]) -> str:
        """`text` with what `by` makes of each match, in time proportional to the text."""
        data = _encoded(text)
        # What stands for half a character has as many bytes as it.
        whole = data if len(data) == len(text) else text.encode("utf-8", "surrogatepass")
        pieces: list[bytes] = []
        at = kept = 0
        while at <= len(data):
            begin, after = self._match(_ANYWHERE, data, at, len(data))[0]
            if begin < 0:
                break
            if after > begin:
                found = whole[begin:after].decode("utf-8", "surrogatepass")
                pieces += (whole[kept:begin], by(found).encode("utf-8", "surrogatepass"))
                at = kept = after
                continue
            at = after + 1  # found nothing, in the true sense: on to the next character
            while at < len(data) and data[at] & 0xC0 == 0x80:
                at += 1
        if not pieces:
            return text
        return b"".join([*pieces, whole[kept:]]).decode("utf-8", "surrogatepass")


def one_of(patterns: Iterable[Pattern]) -> Pattern | None:
    """A pattern for any of these; None if there are none, or they are too many."""
    known = list(patterns)
    if len(known) <= 1:
        return known[0] if known else None
    try:
        return Pattern("|".join(pattern.source for pattern in known))
    except ValueError:
        return None


def in_any_case(text: str) -> Pattern:
    return Pattern(f"(?i:{''.join(map(literal, text))})")


def literal(character: str) -> str:
    return f"\\x{{{ord(character):x}}}"


def _encoded(text: str) -> bytes:
    """`text` in UTF-8, where half a character, which has none, is the mark of what is no text."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _HALF.sub("\ufffd", text).encode()
