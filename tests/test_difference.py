"""Two values side by side: what is found, what is not, and that no input takes long."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from comparing import finished
from hypothesis import given
from hypothesis import strategies as st

import kspy
from kspy.analysis.alignment import changed_words, first_difference, matches, pairs
from kspy.analysis.difference import (
    Difference,
    differences,
    format_path,
    walk,
)
from kspy.analysis.filter.select import whole_table
from kspy.analysis.sameness.comparing import Comparer
from kspy.analysis.sameness.rules import Rules
from kspy.analysis.table import Table
from kspy.tui.compare.steps import Members, steps

RECORDINGS = Path(__file__).parent.parent / "recordings"
NAN = float("nan")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


def found(a: Any, b: Any) -> list[tuple[str, str, Any, Any]]:
    return [(format_path(d.path), d.kind, d.old, d.new) for d in differences(a, b)]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", "changed", 1, 2)]),
        ({"a": 1}, {"b": 1}, [("a", "removed", 1, None), ("b", "added", None, 1)]),
        ({"a": {"b": [1]}}, {"a": {"b": [2]}}, [("a.b[0]", "changed", 1, 2)]),
        ({"a": None}, {}, [("a", "removed", None, None)]),
        ([1, 2, 3], [0, 1, 2, 3], [("[0]", "added", None, 0)]),
        ([1, 2, 3], [1, 3], [("[1]", "removed", 2, None)]),
        ([1, "x y z", 3], [1, "x y w", 3], [("[1]", "changed", "x y z", "x y w")]),
        ({"a": [1]}, {"a": {"0": 1}}, [("a", "changed", [1], {"0": 1})]),
        ({"a": 1}, {"a": True}, [("a", "changed", 1, True)]),
        ({"a": 1}, {"a": 1.0}, [("a", "changed", 1, 1.0)]),
        ({"a": 0.0}, {"a": -0.0}, [("a", "changed", 0.0, -0.0)]),
        ({"a": NAN, "b": [NAN]}, {"a": -NAN, "b": [float("nan")]}, []),
        ({1: 2}, {1: 3}, [("[1]", "changed", 2, 3)]),
        ({True: 2}, {True: 3}, [("True", "changed", 2, 3)]),
        (b"ab", b"ac", [("", "changed", b"ab", b"ac")]),
    ],
)
def test_differences(a: Any, b: Any, expected: list[tuple[str, str, Any, Any]]) -> None:
    assert found(a, b) == expected


def test_what_was_put_in_leaves_the_rest_the_same() -> None:
    cells = [{"id": n, "code": f"x = {n}", "out": [n, n]} for n in range(30)]
    changed = copy.deepcopy(cells)
    changed.insert(7, {"id": 99, "code": "new", "out": []})
    changed[8]["code"] = "x = seven"
    assert found({"cells": cells}, {"cells": changed}) == [
        ("cells[7]", "added", None, {"id": 99, "code": "new", "out": []}),
        ("cells[7].code", "changed", "x = 7", "x = seven"),
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("content", "data", "text/plain"), 'content.data["text/plain"]'),
        (("content", "traceback", 3), "content.traceback[3]"),
        (("text/plain",), '["text/plain"]'),
        (("a", 'say "hi"\n'), 'a["say \\"hi\\"\\n"]'),
        ((), ""),
    ],
)
def test_paths(path: tuple[str | int, ...], text: str) -> None:
    assert format_path(path) == text


@given(JSON, JSON)
def test_nothing_is_missed_and_nothing_made_up(a: Any, b: Any) -> None:
    assert not differences(a, copy.deepcopy(a))
    same = json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
    assert bool(differences(a, b)) == (not same)
    for difference in differences(a, b):
        if difference.kind != "added":
            assert _at(a, difference.path) is difference.old
        if difference.kind != "removed":
            assert _at(b, difference.new_path) is difference.new


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@given(JSON, JSON)
def test_a_walk_leaves_what_it_enters(a: Any, b: Any) -> None:
    inside: list[Any] = []
    for step in walk(a, b):
        if step.kind == "enter":
            inside.append(step.path)
        elif step.kind == "leave":
            assert inside.pop() == step.path
    assert not inside


def test_a_budget_that_is_spent_is_said() -> None:
    a = {"first": list(range(1000)), "last": 1}
    b = {"first": list(range(1, 1001)), "last": 2}
    few = differences(a, b, budget=50)
    assert few[-2:] == [
        Difference(("first",), "uncompared", a["first"], b["first"], ("first",)),
        Difference((), "uncompared", a, b, ()),
    ]
    assert len(few) < 100
    assert [d.kind for d in differences(a, b)] == ["removed", "added", "changed"]


def test_deep_and_large_values_do_not_break_it() -> None:
    deep_a: Any = 1
    deep_b: Any = 2
    for _ in range(50_000):
        deep_a, deep_b = [deep_a], [deep_b]
    assert [d.kind for d in differences(deep_a, deep_b)] == ["uncompared"]
    huge = [n * ((1 << 61) - 1) for n in range(20_000)]
    assert len(differences(huge, [*huge[1:], 5])) == 2
    some = random.Random(1)
    a, b = ([some.randrange(3) for _ in range(100_000)] for _ in range(2))
    assert differences({"a": a}, {"a": b})


@given(st.lists(st.integers(0, 4)), st.lists(st.integers(0, 4)))
def test_pairs_have_every_place_once_and_in_order(a: list[int], b: list[int]) -> None:
    assert all(a[i] == b[j] for i, j in matches(a, b))
    for likeness in (None, lambda i, j: (i * 7 + j * 3) % 10 / 10):
        found = list(pairs(a, b, likeness))
        assert [i for i, _ in found if i is not None] == list(range(len(a)))
        assert [j for _, j in found if j is not None] == list(range(len(b)))


def test_matches_of_long_hostile_sequences() -> None:
    some = random.Random(2)
    a, b = ([some.randrange(2) for _ in range(50_000)] for _ in range(2))
    assert len(matches(a, b)) > 10_000


def test_changed_words() -> None:
    assert changed_words("the quick fox", "the slow fox") == ([(4, 9)], [(4, 8)])
    assert changed_words("a", "b") == ([(0, 1)], [(0, 1)])
    assert changed_words("same", "same") == ([], [])
    old, new = "x " * 5000, "x " * 5000 + "y"
    assert changed_words(old, new)[1][-1][1] == len(new)


@given(st.text(), st.text(), st.text())
def test_first_difference(same: str, a: str, b: str) -> None:
    at = first_difference(same + a, same + b)
    assert at >= len(same)
    assert (same + a)[:at] == (same + b)[:at]
    assert (same + a)[at : at + 1] != (same + b)[at : at + 1] or same + a == same + b


def test_members_of_threads_are_paired_by_what_they_are() -> None:
    with kspy.open(RECORDINGS / "hello.kspy") as hello, kspy.open(RECORDINGS / "error.kspy") as bad:
        ok, failed = whole_table(hello), whole_table(bad)
        left = Members(ok, ok.thread(_first(ok, "execute_request")))
        right = Members(failed, failed.thread(_first(failed, "error")))
        found = [
            (
                "" if step.left is None else ok.msg_type(step.left.place),
                "" if step.right is None else failed.msg_type(step.right.place),
            )
            for step in finished(steps(left, right, Comparer(Rules.usual())))
        ]
    assert all(old == new for old, new in found if old and new)
    both = [old for old, new in found if old and new]
    assert both.count("status") == 2
    assert "execute_reply" in both
    assert [new for old, new in found if not old] == ["error"]


def _first(table: Table, msg_type: str) -> int:
    return next(place for place in range(len(table)) if table.msg_type(place) == msg_type)
