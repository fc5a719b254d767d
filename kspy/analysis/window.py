"""Two long values that differ, as far as somebody wants to see them: from where they differ on."""

from __future__ import annotations

from typing import Any, Final

from kspy.analysis.alignment import first_difference
from kspy.analysis.fields import compact
from kspy.analysis.sanitize import ELLIPSIS, one_line
from kspy.analysis.units import size

_BYTES: Final = 24


def window(old: str, new: str, longest: int, before: int) -> tuple[str, str]:
    """Both texts, cut to `longest` characters, from `before` characters before they differ.

    What is left out is said, in numbers.
    """
    if max(len(old), len(new)) <= longest:
        return old, new
    start = max(first_difference(old, new) - before, 0)
    return part(old, start, longest), part(new, start, longest)


def part(text: str, start: int, longest: int) -> str:
    """`longest` characters of a text, and how many there are before and behind."""
    rest = len(text) - start - longest
    before = f"({start:,} characters){ELLIPSIS}" if start else ""
    after = f"{ELLIPSIS}({rest:,} characters)" if rest > 0 else ""
    return before + text[start : start + longest] + after


def safe_pair(old: str, new: str) -> tuple[str, str]:
    """Two texts that differ, safe for one line of a terminal, and still to be told apart."""
    left, right = one_line(old), one_line(new)
    if left == right and old != new:  # they differ in colours alone: show these
        return one_line(old.replace("\x1b", "␛")), one_line(new.replace("\x1b", "␛"))
    return left, right


def changed_bytes(old: bytes, new: bytes) -> tuple[str, str]:
    """Two buffers in words, each from where they differ on."""
    at = first_difference(old, new)
    return _bytes_from(old, at), _bytes_from(new, at)


def told_bytes(value: bytes) -> str:
    """`9 bytes 00 01 …`."""
    more = ELLIPSIS if len(value) > _BYTES else ""
    return f"{size(len(value))} {value[:_BYTES].hex(' ')}{more}".rstrip()


def value_text(value: Any) -> str:
    """Any value as text, not cut: texts as they are, lines of text as such, all else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    return told_bytes(value) if isinstance(value, bytes) else compact(value)


def _bytes_from(value: bytes, at: int) -> str:
    return f"{size(len(value))}, from byte {at:,}: {value[at : at + _BYTES].hex(' ')}".rstrip(": ")
