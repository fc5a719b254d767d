"""Two values as rows of two columns: what is marked, what is cut, and that nothing hangs."""

from __future__ import annotations

from typing import Any

import pytest
from comparing import finished
from conversation import message, of_frames
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kspy.analysis.difference import value_of, walk
from kspy.analysis.sameness.comparing import Comparer
from kspy.analysis.sameness.rules import Rules
from kspy.analysis.sanitize import UNSAFE
from kspy.tui.compare.columns import broken
from kspy.tui.compare.rows import MOST_ROWS, Comparison, Row, compare
from kspy.wire.frames import DELIMITER

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)


def rows(old: Any, new: Any) -> Comparison:
    """Of any two values, where nothing varies by nature."""
    return finished(compare((step, None) for step in walk(old, new)))


def told(row: Row) -> tuple[str, str, str]:
    left, right = (
        "" if cell is None else f"{'  ' * cell.indent}{cell.key} {cell.text}".rstrip()
        for cell in (row.left, row.right)
    )
    return row.sign, left, right


def test_both_sides() -> None:
    old = {"a": 1, "b": {"c": [1, 2]}, "only": True, "text": "one two"}
    new = {"a": 1, "b": {"c": [0, 1, 2]}, "text": "one three", "new": {}}
    found = rows(old, new)
    assert [told(row) for row in found.rows] == [
        (" ", "a 1", "a 1"),
        (" ", "b", "b"),
        (" ", "  c", "  c"),
        ("+", "", "    [0] 0"),
        (" ", "    [0] 1", "    [1] 1"),
        (" ", "    [1] 2", "    [2] 2"),
        ("-", "only true", ""),
        ("~", 'text "one two"', 'text "one three"'),
        ("+", "", "new {}"),
    ]
    assert [row.number for row in found.rows if row.sign != " "] == [0, 1, 2, 3]
    assert found.differences == 4
    changed = found.rows[-2]
    assert changed.left is not None
    assert [changed.left.text[a:b] for a, b in changed.left.marks] == ["two"]


def test_code_is_compared_line_by_line() -> None:
    old = "import a\n\ndef f(x):\n    return x\n"
    new = "import a\nimport b\n\ndef f(y):\n    return x\n"
    found = rows({"code": old}, {"code": new})
    assert [told(row) for row in found.rows] == [
        ("~", "code", "code"),
        (" ", "   import a", "   import a"),
        ("+", "", "   import b"),
        (" ", "", ""),
        ("~", "   def f(x):", "   def f(y):"),
        (" ", "       return x", "       return x"),
    ]
    assert {row.number for row in found.rows if row.sign != " "} == {0}


def test_what_varies_by_nature_is_counted_apart() -> None:
    messages = [message("stream", {"name": "stdout", "text": "1"}) for _ in range(2)]
    comparer = Comparer(Rules.usual())
    found = finished(compare(comparer.steps("stream", *comparer.values(*messages, whole=True))))
    assert found.differences == 0
    assert found.rules == ("message ids", "dates")
    assert found.varying == 2
    assert {row.left.key for row in found.rows if row.varies and row.left} == {"msg_id", "date"}


def test_a_difference_in_colours_alone_is_to_be_seen() -> None:
    (row,) = rows({"t": "\x1b[31mred"}, {"t": "\x1b[32mred"}).rows
    assert told(row) == ("~", 't "␛[31mred"', 't "␛[32mred"')


def test_a_difference_far_inside_is_to_be_seen() -> None:
    old = "x" * 10_000_000
    (row,) = rows({"t": old + "A" + old}, {"t": old + "B" + old}).rows
    assert row.left is not None
    assert "A" in row.left.text
    assert len(row.left.text) < 3000
    lines = "line\n" * 100_000
    found = rows({"t": lines + "A\n" + lines}, {"t": lines + "B\n" + lines}).rows
    assert ("~", "   A", "   B") in [told(row) for row in found]
    assert len(found) < 5000


def test_bytes_say_where_they_differ() -> None:
    (row,) = rows({"b": b"abc" * 9 + b"1"}, {"b": b"abc" * 9 + b"2"}).rows
    assert told(row) == ("~", "b 28 bytes, from byte 27: 31", "b 28 bytes, from byte 27: 32")


def test_a_difference_after_much_that_is_the_same_is_to_be_seen() -> None:
    same = {"l": [{"a": n, "long": "x" * 80} for n in range(30_000)], "last": 1}
    found = rows(same, {**same, "last": 2})
    assert told(found.rows[-1]) == ("~", "last 1", "last 2")
    assert len(found.rows) < 500
    assert any("rows, the same" in told(row)[1] for row in found.rows)


def test_there_is_an_end() -> None:
    old = {f"key {n}": n for n in range(100_000)}
    new = {f"key {n}": n + 1 for n in range(100_000)}
    found = rows(old, new)
    assert len(found.rows) == MOST_ROWS + 1
    assert not found.complete
    assert "not compared" in told(found.rows[-1])[1]
    deep_old: Any = 1
    deep_new: Any = 2
    for _ in range(20_000):
        deep_old, deep_new = [deep_old], {"a": deep_new}
    assert rows(deep_old, deep_old).rows
    assert rows({"a": deep_old}, {"a": deep_new}).rows
    assert rows({"a": deep_old}, {}).rows
    assert rows({"a": ["x\n" * 10**6]}, {"a": list(range(10**6))}).rows


@given(JSON, JSON)
def test_nothing_reaches_the_terminal_raw(old: Any, new: Any) -> None:
    for row in rows({"v": old}, {"v": new}).rows:
        for cell in (row.left, row.right):
            if cell is not None:
                assert not UNSAFE.search(cell.key)
                assert not UNSAFE.search(cell.text)
                assert all(0 <= a < b <= len(cell.text) for a, b in cell.marks)


@pytest.mark.parametrize("width", [1, 2, 7, 40])
@given(text=st.text(max_size=200), hanging=st.integers(0, 6))
def test_lines_break_without_losing_anything(width: int, text: str, hanging: int) -> None:
    spans = broken(text, width, min(hanging, width - 1))
    assert "".join(text[a:b] for a, b in spans) == text
    for number, (a, b) in enumerate(spans):
        room = width - (min(hanging, width - 1) if number else 0)
        assert cell_len(text[a:b]) <= max(room, 2)


def test_frames_of_what_cannot_be_read_are_compared() -> None:
    values = [value_of(of_frames([b"x", DELIMITER, end])) for end in (b"1", b"2")]
    found = rows(*values)
    assert found.differences == 1
    assert "from byte 0: 31" in str([told(row) for row in found.rows])
