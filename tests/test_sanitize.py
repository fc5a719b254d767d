"""What strangers put into messages must not act upon the terminal that shows it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kspy.analysis.sanitize import UNSAFE, cut, one_line, pad

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # surrogates and controls too


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("x = 3", "x = 3"),
        ("a\nb\r\nc\rd", "a⏎b⏎c␍d"),
        ("\tif x:", "⇥if x:"),
        ("\x1b[0;31mZeroDivisionError\x1b[0m: no", "ZeroDivisionError: no"),
        ("\x1b[2J\x1b]0;title\x07", "␛[2J␛]0;title␇"),
        ("\x9b31m", "\\x9b31m"),
        ("\x00\x7f", "␀␡"),
        ("if admin\u202e { \u2066", "if admin\\u202e { \\u2066"),
        ("half a pair \ud83d", "half a pair \\ud83d"),
        ("nothing\u200bhere\ufeff", "nothing\\u200bhere\\ufeff"),
        ("un\u034fseen", "un\\u034fseen"),
        ("\U000e0041", "\\U000e0041"),
        ("👩\u200d🚀 क\u200cष", "👩\u200d🚀 क\u200cष"),
        ("漢字 é e\u0301", "漢字 é e\u0301"),
    ],
)
def test_makes_the_invisible_visible(raw: str, safe: str) -> None:
    assert one_line(raw) == safe


@given(ANY_TEXT)
def test_any_text_becomes_one_line_that_every_encoder_takes(raw: str) -> None:
    safe = one_line(raw)
    assert safe.splitlines() in ([], [safe])
    assert not {unicodedata.category(character) for character in safe} & {"Cc", "Cs", "Zl", "Zp"}
    assert not UNSAFE.search(safe)
    safe.encode()


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("hello", 5, "hello"),
        ("hello", 4, "hel…"),
        ("漢字漢字", 8, "漢字漢字"),
        ("漢字漢字", 5, "漢字…"),
        ("漢字漢字", 4, "漢…"),
        ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"),
        ("hello", 1, "…"),
        ("hello", 0, ""),
    ],
)
def test_cuts_by_cells_not_by_characters(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


@given(ANY_TEXT, st.integers(0, 40))
def test_what_is_cut_fits_and_what_is_padded_fills(text: str, width: int) -> None:
    safe = one_line(text)
    assert cell_len(cut(safe, width)) <= width
    assert cell_len(pad(safe, width)) == width


def test_a_pile_of_combining_marks_is_cut_too() -> None:
    assert len(cut("e" + "\u0301" * 100_000, 10)) < 1000
