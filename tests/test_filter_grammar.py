"""What can be written as a filter, and what is said about what cannot."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from conversation import Conversation
from filtering import places
from hypothesis import given
from hypothesis import strategies as st

from kspy.analysis.filter import FilterError, highlights, parse, spans
from kspy.analysis.filter.fields import FIELDS, KEYWORDS


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Streams that say: `one`, `two`, `one two`, `error`, `a:b`, `don't`, `x and y`."""
    path = tmp_path_factory.mktemp("grammar") / "words.kspy"
    with Conversation(path) as talk:
        for text in ("one", "two", "one two", "error", "a:b", "don't", "x and y"):
            talk.publish("stream", {"name": "stdout", "text": text})
    return path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [0, 1, 2, 3, 4, 5, 6]),
        ("  ", [0, 1, 2, 3, 4, 5, 6]),
        ("one", [0, 2]),
        ("ONE", [0, 2]),
        ("one two", [2]),
        ("two and one", [2]),
        ("one AND two", [2]),
        ("one && two", [2]),
        ("one or two", [0, 1, 2]),
        ("one OR two", [0, 1, 2]),
        ("one || two", [0, 1, 2]),
        ("one or two error", [0, 2]),
        ("(one or two) error", []),
        ("one -two", [0]),
        ("one !two", [0]),
        ("one not two", [0]),
        ("one and not two", [0]),
        ("not one", [1, 3, 4, 5, 6]),
        ("-one -two -error", [3, 4, 5, 6]),
        ("-(one or two)", [3, 4, 5, 6]),
        ("not(one or two)", [3, 4, 5, 6]),
        ("--one", [0, 2]),
        ("((one))", [0, 2]),
        ("error", []),  # the keyword: nothing failed here
        ('"error"', [3]),
        ("text:error", [3]),
        ("'one two'", [2]),
        ('"ONE TWO"', [2]),
        ('"one  two"', []),
        ("text:one,error", [0, 2, 3]),
        ("text:one , error", [0, 2, 3]),
        ('text:"one two","error"', [2, 3]),
        ("text!=one", [1, 3, 4, 5, 6]),
        ("text=one", [0, 2]),
        ("/o.e/", [0, 2]),
        ("/O.E/", []),
        ("/O.E/i", [0, 2]),
        ("text:/^one$/", [0]),
        ("/(one|two)/", [0, 1, 2]),
        (r"/a\:b/", [4]),
        ('"a:b"', [4]),
        ("a:b", None),
        ("don't", [5]),
        ('"x and y"', [6]),
        ("x and y", [6]),
        ("number>=2 number < 4", [2, 3]),
        ("number = 2,4", [2, 4]),
        ("NUMBER:2", [2]),
        ("stdout -number:0", [1, 2, 3, 4, 5, 6]),
        ("android", []),
        ("nothing", []),
        ("orange", []),
    ],
)
def test_what_it_means(path: Path, text: str, found: list[int] | None) -> None:
    if found is None:
        with pytest.raises(FilterError):
            parse(text)
    else:
        assert places(text, path) == found


@pytest.mark.parametrize(
    ("text", "mistake", "says"),
    [
        ("tpe:status", "tpe", "no field 'tpe'; did you mean type?"),
        ("a type:x xyzzy:1", "xyzzy", "no field 'xyzzy'; text with such characters"),
        ("http://example.org", "http", "no field 'http'"),
        ("type:", "type:", "after type: a value is missing"),
        ("type: status", "type: status", "no blanks around ':'; write type:status"),
        ("type:status,", ",", "after ',' something is missing"),
        ("type>status", ">", "type takes : = !=, as in type:execute_*"),
        ("thread>5", ">", "thread takes"),
        ("latency:5s", ":", "latency takes > >= < <=, as in latency>500ms"),
        ("latency>5", "5", "a time needs a unit: one of ns us ms s min h, as in latency>500ms"),
        ("latency>5parsec", "5parsec", "'parsec' is no unit of time"),
        ("latency>1s,2s", "2s", "only one value can stand after >"),
        ("latency>/x/", "/x/", "is no number with a unit; write latency>500ms"),
        ("size>5XB", "5XB", "'XB' is no unit of size: one of B KB MB GB"),
        ("size>999999999999999999GB", "999999999999999999GB", "more than can be compared"),
        ("client:two", "two", "'two' is no whole number; write client:2"),
        ("number:1.5", "1.5", "'1.5' is no whole number"),
        ("time>25:00", "25:00", "25:00 is no time of day; write one as 21:00:05"),
        ("state:fine", "fine", "state is one of waiting, ok, error, aborted; not 'fine'"),
        ("channel:shel", "shel", "channel is one of shell, iopub, stdin, control, hb"),
        ("is:nice", "nice", "is is one of error, waiting"),
        ("flag:nice", "nice", "flag is one of bad_signature"),
        ("buffers:1,2KB", "1", "either all of these values need a unit, or none"),
        ("parent:1,abc", "1", "numbers and ids together"),
        ('a "b c', '"b c', 'the text is not closed; write " at its end'),
        ("a 'b c", "'b c", "the text is not closed; write ' at its end"),
        ("/a b", "/a b", "the regular expression is not closed; write / at its end"),
        ("//", "//", "there is nothing in this regular expression"),
        ('""', '""', "there is nothing in these quotation marks"),
        ("/a(/", "(/", "no regular expression: missing )"),
        ("text:/tmp/file", "file", "a path is written in quotation marks"),
        ("a )", ")", "there is no '(' for this ')'"),
        ("(a", "(", "this bracket is not closed"),
        ("(a (b)", "(", "this bracket is not closed"),
        ("()", ")", "there is nothing in these brackets"),
        ("a or", "or", "after 'or' something is missing"),
        ("a and )", ")", "after 'and' something is missing"),
        ("or a", "or", "'or' stands between two conditions; to search for it write \"or\""),
        ("a or or b", "or", "stands between two conditions"),
        ("not", "not", "after 'not' something is missing"),
        ("a -", "-", "after '-' something is missing"),
        (">5", ">", "before '>' a field is missing"),
        ("a = b", "a", "there is no field 'a'"),
        ("type:(a)", ":(", "after ':' a value is missing"),
        ("(" * 60 + "a", "(", "at most 50 deep"),
        ("-" * 60 + "a", "-", "at most 50 deep"),
        ("a " * 201, "a", "at most 200 words and values"),
    ],
)
def test_what_is_wrong_and_where(text: str, mistake: str, says: str) -> None:
    with pytest.raises(FilterError, match=re.escape(says)) as caught:
        parse(text)
    assert text[caught.value.start : caught.value.stop] == mistake
    assert "\n" not in str(caught.value)


def mistake_in(text: str) -> FilterError | None:
    try:
        parse(text)
    except FilterError as error:
        return error
    return None


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000, "(" * 9_999, ")" * 9_999, '"' * 9_999, "/" * 9_999, "-" * 9_999,
        "type:" * 1_999, "a or " * 1_999, ":" * 9_999, "," * 9_999, "a,b" * 3_333, "/(/" * 3_333,
        "type:a" + ",a" * 4_000, "(a " * 3_333, "text:/" + "(" * 5_000 + "/",
        "/" + "a|" * 4_000 + "/",
        "/" + "(?:" * 900 + "a" + ")" * 900 + "/", "/a{1000000000}/", "/" + "a?" * 4_000 + "/",
    ],
)  # fmt: skip
def test_hostile_filters_are_refused_in_one_line_or_taken(text: str) -> None:
    spans(text)
    error = mistake_in(text)
    if error is not None:
        assert 0 <= error.start < error.stop <= len(text)
        assert len(str(error)) < 200


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [*FIELDS, *KEYWORDS, *":=<>!-()\"'/,*?|& ", "and", "or", "not", ">=", "5s", "1KB", "12"]
        ),
        max_size=12,
    ).map("".join)
)
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    for start, stop, _ in spans(text):
        assert 0 <= start < stop <= len(text)
    error = mistake_in(text)
    if error is not None:
        assert 0 <= error.start < error.stop <= len(text)
    else:
        wanted = parse(text)
        assert wanted.empty == (not text.strip())
        highlights(wanted)


@pytest.mark.parametrize("text", [declared.example for declared in FIELDS.values()])
def test_examples_are_filters(text: str) -> None:
    assert not parse(text).empty


@pytest.mark.parametrize(
    ("text", "volatile"),
    [
        ("", False),
        ("type:x error", False),
        ("latency>1s", True),
        ("a or -state:ok", True),
        ("waiting", True),
        ("is:error,waiting", True),
        ("thread:5", True),  # what came before 5 in its thread is known only then
        ("parent:5", False),
    ],
)
def test_what_must_be_asked_again(text: str, volatile: bool) -> None:
    assert parse(text).volatile == volatile


@pytest.mark.parametrize(
    "pattern", [r"(a+)+", r"(a|a)*", r"(\w|\dx)+", r"(a?b?)*", r"(.*)*", r"((a{2,9})*)", r"(a|ab)+"]
)
def test_expressions_that_never_end_are_refused(pattern: str) -> None:
    with pytest.raises(FilterError, match="for ever"):
        parse(f"/{pattern}/")


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            r"(\d+\.){3}\d+",
            r"(a++)+",
            r"(?>a+)+b",
            r"(foo|bar)+",
            r"[a-z]+\(",
            r"(?:ab)*",
            r"\bx\b",
        ),
        *(r"(?i)abc", r"(?P<n>a)(?P=n)", r"(?=a)b?", r"x{2,5}y{3}", r"(a)?(b)?"),
    ],
)
def test_expressions_that_end_are_taken(pattern: str) -> None:
    assert parse(f"/{pattern}/").patterns


def test_the_time_an_expression_takes_is_bounded(tmp_path: Path) -> None:
    """Not how long: that it ends, although it could go back and forth for years."""
    path = tmp_path / "long.kspy"
    with Conversation(path) as talk:
        talk.publish("stream", {"text": "a" * 30_000})
    begun = time.process_time()
    assert places(r"/a+b/", path) == []
    assert places(r"/(?:a++)+$/", path) == [0]
    assert time.process_time() - begun < 60


def test_highlights() -> None:
    assert highlights(parse("type:x error")) is None
    assert highlights(parse("-a")) is None
    marked = highlights(parse('one (Two or -three) /f.ur/ text:"a.b"'))
    assert marked is not None
    found = [match.group() for match in marked.finditer("ONE two three four FOUR a.b axb")]
    assert found == ["ONE", "two", "four", "a.b"]
