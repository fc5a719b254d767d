"""What can be written as a filter, and what is said about what cannot."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conversation import Conversation
from filtering import places
from hypothesis import given, settings
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


_NEVER_ENDING = (r"(a+)+$", r"(a|a)*b", r"(\w|\dx)+!", r"(.*)*x", r"((a{2,9})*)+b", r"(a|ab)+!")
_SLOW = (r"\d+\.?\d* ?ms", r"\w+ *\w+ *=", ".*.*.*x", ".*.*.*.*.*.*.*.*x", r"(\w+)\s*=\s*(\w+)\s*,")


@pytest.mark.parametrize("pattern", [*_NEVER_ENDING, *_SLOW])
def test_no_expression_goes_back_and_forth(tmp_path: Path, pattern: str) -> None:
    """With these, `re` would be at it for minutes to years."""
    path = tmp_path / "long.kspy"
    with Conversation(path) as talk:
        for letter in ("a", "1", " ", "a  ", "ab"):
            talk.publish("stream", {"name": "stdout", "text": letter * 30_000 + "\u00e9"})
        talk.publish("stream", {"name": "stdout", "text": "abab12.5 ms = x, a!b"})
    assert places(f"/{pattern}/", path)[-1:] == ([5] if pattern != "(a+)+$" else [])


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        *((r"(?=a)b", "look around"), (r"(?<!a)b", "look around"), (r"a++", r"write a\+")),
        *((r"(?>a+)b", "no repeat goes back"), (r"(a)\1", "found before")),
        *((r"(?P<n>a)(?P=n)", "found before"), (r"(a)?(?(1)b|c)", "found before")),
        *((r"a{1001}", "too large"), (r"(\w{1,99}.){99}", "too large"), (r"(?-m:^a)", "at lines")),
    ],
)
def test_expressions_that_cannot_be_run_are_refused(pattern: str, what: str) -> None:
    with pytest.raises(FilterError, match=what) as caught:
        parse(f"x /{pattern}/")
    assert caught.value.start == 2


_parts = st.sampled_from(
    [
        *("a", "b", "k", "\u00e9", "\u00c9", "1", "\u0663", "-", " ", "\n", "_", "\U0001f600", "."),
        *(r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", r"[^\W\d]", r"[a-c_]", r"[^ab]", r"[\w.-]"),
        *("^", "$", r"\A", r"\Z", "(?i:a)", "(?s:.)", "(?a:\\w)", r"\x41", r"\u00e9"),
    ]
)
_expressions = st.recursive(
    _parts,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("(?:{0[0]}|{0[1]})".format),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "*?"])).map(
            "({0[0]}){0[1]}".format
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=500)
@given(
    _expressions,
    st.booleans(),
    st.text("abkAK\u00e9\u00c91\u0663\x85\xa0- \n_.\U0001f600\u0345", max_size=12),
)
def test_expressions_mean_what_python_understands(source: str, any_case: bool, text: str) -> None:
    expected = re.search(source, text, re.MULTILINE | (re.IGNORECASE if any_case else 0))
    wanted = parse(f"/{source}/{'i' if any_case else ''}")
    (pattern,) = wanted.patterns
    assert pattern.is_in(text) == bool(expected)
    found = next(pattern.spans(text), None)
    assert found == (expected.span() if expected else None)


@pytest.mark.parametrize("source", [r"[\w-]", r"[^\dk-m]", r"[\da-c]", r"[^\sA-Z]", r"[\W\u00e9]"])
def test_sets_in_any_case_mean_what_python_understands(source: str) -> None:
    (pattern,) = parse(f"/{source}/i").patterns
    for text in "aAkKzZ\u00e9\u00c9\u0345\u0399 -_1\u0663\n":
        assert pattern.is_in(text) == bool(re.search(source, text, re.IGNORECASE)), text


def test_half_characters_do_not_match_and_do_not_hurt() -> None:
    (pattern,) = parse("/b.c/").patterns
    assert list(pattern.spans("\ud800b\udc00c \u00e9b\ud83dc")) == [(1, 4), (6, 9)]
    assert not parse("/^.$/").patterns[0].is_in("")


def test_highlights() -> None:
    assert highlights(parse("type:x error")) is None
    assert highlights(parse("-a")) is None
    text = "ONE two three four FOUR a.b axb"
    marked = highlights(parse('one (Two or -three) /f.ur/ text:"a.b"'))
    assert marked is not None
    found = [text[start:stop] for start, stop in marked.spans(text)]
    assert found == ["ONE", "two", "four", "a.b"]
