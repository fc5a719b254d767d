"""The tree's lines are those that a naive recursive one would have."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from kspy.analysis.sanitize import one_line
from kspy.tui.detail.tree.model import RANGE, STRING_RANGE, Line, Node, Tree
from kspy.tui.detail.tree.wrap import line_text, wrap

texts = st.text(max_size=60) | st.text("ab \n\r\t漢\u0301\x1b[31m;", max_size=80)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(texts, inner, max_size=9),
    max_leaves=40,
)
roots = st.dictionaries(texts, values, max_size=4)


def naive(tree: Tree, value: Any, path: tuple[Any, ...], opened: set[Any]) -> Iterator[Any]:
    """All lines below a value that is open: paths, and the texts of pieces."""
    if isinstance(value, str):
        room = tree.width - min((len(path) - 1) * 2, tree.width // 3) - 4
        starts = wrap(value, room)
        yield from ((path, line_text(value, *pair)) for pair in pairwise(starts))
        return
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield ((*path, key), None)
        if (*path, key) in opened:
            yield from naive(tree, item, (*path, key), opened)


def told(line: Line) -> Any:
    return line.node.path, line.text if line.piece >= 0 else None


@given(roots, st.lists(st.tuples(st.integers(0, 200), st.sampled_from("tTz")), max_size=12))
@settings(deadline=None)
def test_lines_are_those_of_a_naive_tree(
    shown: dict[str, Any], steps: list[tuple[int, str]]
) -> None:
    tree = Tree(30)
    tree.show(shown, list(shown)[:1])
    for number, step in steps:
        if number < len(tree):
            node = tree.line(number).node
            (tree.toggle_below if step == "z" else tree.toggle)(node)
        if step == "T":  # what was open is open again
            tree.show(shown, list(shown)[:1])
    every = tree.lines(0, len(tree))
    opened = {line.node.path for line in every if line.node.is_open}
    assert [told(line) for line in every] == list(naive(tree, shown, (), opened))
    assert len(every) == len(tree)
    for number, line in enumerate(every):
        assert tree.line(number) == line
        if line.piece < 0:
            assert tree.line_of(line.node) == number
            assert tree.find(line.node.fold_path) is line.node
    assert [told(line) for line in tree.lines(3, 5)] == [told(line) for line in every[3:8]]


@given(texts, st.integers(1, 40))
def test_wrapped_lines_hold_all_and_fit(text: str, room: int) -> None:
    starts = wrap(text, room).tolist()
    pieces = [text[start:stop] for start, stop in pairwise(starts)]
    assert "".join(pieces) == text
    assert all(pieces)
    assert all("\n" not in piece[:-1] for piece in pieces)
    shown = [one_line(line_text(text, start, stop)) for start, stop in pairwise(starts)]
    assert all(cell_len(line) <= max(room, 10) for line in shown)  # a symbol may have ten cells


@given(texts.filter(bool), st.integers(1, 40), st.integers(1, 10))
def test_width_is_changed_under_open_texts(text: str, room: int, other: int) -> None:
    tree, fresh = Tree(room), Tree(other)
    for each in (tree, fresh):
        each.show({"content": [text]}, ["content"])
        node = each.line(1).node
        each.open(node)
    if tree.line(1).node.is_open and fresh.line(1).node.is_open:
        tree.set_width(other)
        assert list(map(told, tree.lines(0, 999))) == list(map(told, fresh.lines(0, 999)))
        assert len(tree) == len(fresh)


def test_text_of_several_blocks_is_whole() -> None:
    text = "abc\r\ndef漢\n" * 150_000
    starts = wrap(text, 20).tolist()
    assert "".join(text[a:b] for a, b in pairwise(starts)) == text
    assert 300_000 <= len(starts) <= 300_010


def node_at(tree: Tree, *path: Any) -> Node:
    node = tree.find(path)
    assert node is not None
    assert node.fold_path == path
    return node


def test_large_list_folds_in_ranges() -> None:
    tree = Tree()
    tree.show({"content": list(range(2_500_000))}, ["content"])
    assert len(tree) == 1 + 3
    assert [line.node.label for line in tree.lines(1, 9)] == [
        "[0…999,999]",
        "[1,000,000…1,999,999]",
        "[2,000,000…2,499,999]",
    ]
    tree.open(tree.line(3).node)
    assert len(tree) == 4 + 500
    tree.open(tree.line(4).node)
    element = tree.line(5 + 7).node
    assert element.path == ("content", 2_000_007)
    assert element.value == 2_000_007
    assert tree.line(4).node.path == ("content",)


def test_large_map_folds_in_ranges() -> None:
    tree = Tree()
    tree.show({"content": {f"k{n}": n for n in range(RANGE + 1)}}, ["content"])
    assert [line.node.label for line in tree.lines(1, 9)] == ["{0…999}", "{1,000…1,000}"]
    tree.toggle(tree.line(2).node)
    assert tree.line(3).node.path == ("content", "k1000")


def test_longest_text_folds_in_ranges() -> None:
    tree = Tree(40)
    tree.show({"content": "x" * (2 * STRING_RANGE + 50)}, ["content"])
    assert len(tree) == 1 + 3
    tree.open(tree.line(3).node)
    assert "".join(line.text for line in tree.lines(4, 99)) == "x" * 50
    assert tree.line(4).node.path == ("content",)


def test_opening_everything_ends_somewhere() -> None:
    tree = Tree()
    tree.show({"content": [[n] for n in range(1_000_000)]})
    tree.toggle_below(tree.line(0).node)
    assert 1000 < len(tree) < 50_000
    tree.toggle_below(tree.line(0).node)
    assert len(tree) == 1


def test_deep_value_opens_and_closes() -> None:
    value: Any = "bottom"
    for _ in range(900):
        value = [value]
    tree = Tree(40)
    tree.show({"content": value})
    tree.toggle_below(tree.line(0).node)
    assert len(tree) == 901
    bottom = tree.line(900).node
    assert bottom.value == "bottom"
    assert tree.line_of(bottom) == 900
    assert tree.room(bottom) > 10
    tree.show({"content": value})  # remembered, all of it
    assert len(tree) == 901


def test_closed_root_stays_closed() -> None:
    tree = Tree()
    tree.show({"content": {"a": [1]}}, ["content"])
    assert len(tree) == 2
    tree.close(tree.line(0).node)
    tree.show({"content": {"b": 1}}, ["content"])
    assert len(tree) == 1


def test_what_is_inside_of_closed_values_is_remembered() -> None:
    tree = Tree()
    tree.show({"content": {"a": [1]}}, ["content"])
    tree.open(node_at(tree, "content", "a"))
    tree.toggle(node_at(tree, "content"))
    tree.toggle(node_at(tree, "content"))
    assert len(tree) == 3
    tree.show({"content": {"a": 3}}, ["content"])  # nothing to open there any more
    assert len(tree) == 2


@pytest.mark.parametrize(
    "value",
    [
        list(range(1_000_000)),
        "x" * 5_000_000,
        "\n" * 5_000_000,
        "\x1b[31mred\x1b[0m 漢 " * 300_000,
        {str(n): n for n in range(1_000_000)},
    ],
    ids=["list", "line", "lines", "colours", "map"],
)
def test_large_values_open(value: Any) -> None:
    tree = Tree(40)
    tree.show({"content": value}, ["content"])
    assert len(tree) >= RANGE
    assert len(tree.lines(len(tree) - 10, 50)) == 10
