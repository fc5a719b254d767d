"""What a filter's author is offered: completions, help, the page in docs/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from filtering import RECORDINGS

import kspy
from kspy.analysis.filter import completions, help_lines, markdown, parse, spans
from kspy.analysis.filter.complete import values_of
from kspy.analysis.filter.fields import FIELDS, KEYWORDS
from kspy.analysis.filter.select import whole_table
from kspy.analysis.table import Table

DOCS = Path(__file__).parent.parent / "docs" / "filter.md"


@pytest.fixture(scope="module")
def table() -> Table:
    path = next(path for path in RECORDINGS if path.stem == "two-clients")
    with kspy.open(path) as recording:
        return whole_table(recording)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("ty", ["type:"]),
        ("-ty", ["type:"]),
        ("(-ty", ["type:"]),
        ("a or ch", ["channel:"]),
        ("er", ["error"]),
        ("type:execute_re", ["execute_reply", "execute_request", "execute_result"]),
        ("type:status,execute_i", ["execute_input"]),
        ("TYPE:Execute_i", ["execute_input"]),
        ("type:input", ["execute_input"]),
        ("channel:s", ["shell", "stdin"]),
        ("channel!=c", ["control"]),
        ("client:", ["1", "2"]),
        ("state:", ["waiting", "ok", "error", "aborted"]),
        ("is:no", ["noise"]),
        ("latency>", ["10ms", "100ms", "1s"]),
        ("flag:bad", ["bad_signature"]),
        ("event:kernel_d", ["kernel_died"]),
        ("type:execute_input", []),  # it is there already
        ("zzz", []),
        ("zzz:", []),
        ('"ty', []),
        ("/ty", []),
        ('text:"ty', []),
        ("text:ty", []),
    ],
)
def test_completions(table: Table, text: str, first: list[str]) -> None:
    offered = completions(text, len(text), table)
    assert [one.text for one in offered][: max(len(first), 1)] == first


def test_a_completion_replaces_the_word_at_the_cursor(table: Table) -> None:
    text = "channel:iopub type:exe_x error"
    (first, *_) = completions(text, text.index("_x"), table)
    assert text[: first.start] + first.text + text[first.stop :] == (
        "channel:iopub type:execute_input error"
    )


@pytest.mark.parametrize("name", FIELDS)
def test_all_that_is_offered_can_be_asked(table: Table, name: str) -> None:
    declared = FIELDS[name]
    for value in values_of(declared, table):
        assert not parse(f"{name}{declared.operators[0]}{value}").empty


def test_completions_need_no_table() -> None:
    assert completions("type:", 5) == []
    assert next(one.text for one in completions("channel:", 8)) == "shell"
    assert len(completions("", 0)) == len(FIELDS) + len(KEYWORDS)


def test_spans_name_the_parts() -> None:
    text = 'type:a,b -error or (x "y z")'
    assert [(text[start:stop], role) for start, stop, role in spans(text)] == [
        ("type", "field"),
        (":", "operator"),
        ("a", "value"),
        (",", "operator"),
        ("b", "value"),
        ("-", "keyword"),
        ("error", "keyword"),
        ("or", "keyword"),
        ("(", "bracket"),
        ("x", "text"),
        ('"y z"', "text"),
        (")", "bracket"),
    ]


@pytest.mark.parametrize(
    ("text", "coloured"),
    [
        ("type:x ) channel:y", ["type", ":", "x", "channel", ":", "y"]),
        ('type:x "open text', ["type", ":", "x", '"open text']),
        ("type: channel:y", ["type", ":", "channel:y"]),
        ("or type:x", ["type", ":", "x"]),
    ],
)
def test_what_is_right_around_a_mistake_keeps_its_colours(text: str, coloured: list[str]) -> None:
    assert [text[start:stop] for start, stop, _ in spans(text)] == coloured


def test_help_names_every_field_and_keyword() -> None:
    lines = dict(help_lines())
    for declared in FIELDS.values():
        assert lines[declared.example] == declared.help
    for keyword in KEYWORDS.values():
        assert lines[keyword.name] == keyword.help


def test_the_page_is_what_the_declarations_give() -> None:
    assert DOCS.read_text(encoding="utf-8") == markdown(), (
        "write it anew: python -m kspy.analysis.filter"
    )


def test_every_filter_on_the_page_is_one() -> None:
    page = markdown()
    rows = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    examples = re.findall(r"\| `([^`]+)` \|$", page, re.MULTILINE)
    indented = re.findall(r"^    (.+)$", page, re.MULTILINE)
    for text in (*examples, *indented):
        assert not parse(text.replace(r"\|", "|")).empty
    assert len(rows) > len(FIELDS)


def test_the_grammar_is_a_file_of_the_package() -> None:
    assert (Path(kspy.__file__).parent / "analysis" / "filter" / "filter.lark").is_file()
