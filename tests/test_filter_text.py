"""Text is found however it was written, and nothing else is taken for it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgpack
import pytest
from conversation import Conversation, serialize
from filtering import places
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import kspy
from kspy.analysis.filter import chunk_view, parse, regex
from kspy.analysis.filter.needle import fold, of_text
from kspy.analysis.filter.select import whole_table

_, FRAMES = serialize("stream", {})

Encode = Callable[[Any], bytes]


def _all_escaped(value: Any) -> bytes:
    """Every character of every string as `\\uXXXX`: no encoder does this, but JSON may."""

    def escaped(match: re.Match[str]) -> str:
        text = json.loads(match.group())
        units = text.encode("utf-16-be", "surrogatepass")
        return (
            '"'
            + "".join(f"\\u{units[i]:02X}{units[i + 1]:02x}" for i in range(0, len(units), 2))
            + '"'
        )

    return re.sub(r'"(?:\\.|[^"\\])*"', escaped, json.dumps(value)).encode()


ENCODERS: Mapping[str, Encode] = {
    "jupyter_client": lambda value: json.dumps(value, ensure_ascii=False).encode(
        "utf-8", "surrogateescape"
    ),
    "ascii": lambda value: json.dumps(value).encode(),
    "indented": lambda value: json.dumps(value, indent=2).encode(),
    "blank first": lambda value: b" \n" + json.dumps(value).encode(),
    "php": lambda value: json.dumps(value).replace("/", "\\/").encode(),
    "go": lambda value: json.dumps(value).replace("<", r"\u003c").replace("&", r"\u0026").encode(),
    "all escaped": _all_escaped,
    "utf-16": lambda value: json.dumps(value).encode("utf-16"),
    "utf-16-be": lambda value: json.dumps(value).encode("utf-16-be"),
    "utf-32-le": lambda value: json.dumps(value).encode("utf-32-le"),
    "bom": lambda value: b"\xef\xbb\xbf" + json.dumps(value).encode(),
    "msgpack": lambda value: msgpack.packb(value),
}


def write(path: Path, contents: Sequence[bytes]) -> Path:
    path.unlink(missing_ok=True)
    with Conversation(path) as talk:
        for content in contents:
            talk.raw("iopub", "to_client", [*FRAMES[:-1], content])
    return path


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for inner in value.values() for text in texts(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value if isinstance(value, str) else json.dumps(value)]


_TELLING = "abkKs é<&'ΑΣςσ日本\U0001f600.,:{}u0e1-\"\\/\n\t\x00\x1b\u0130\u0131\u017f\u212a"
words = st.text(st.sampled_from(_TELLING) | st.characters(codec="utf-8"), max_size=8)
contents = st.dictionaries(
    words,
    st.recursive(
        words | st.integers(-10_000, 10_000) | st.booleans() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=4,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=contents, data=st.data())
def test_every_part_of_every_text_is_found_in_every_encoding(
    tmp_path: Path, content: dict[str, Any], data: st.DataObject
) -> None:
    known = [text for text in texts(content) if text] or ["stream"]
    text = data.draw(st.sampled_from(known))
    start = data.draw(st.integers(0, len(text) - 1))
    needle = text[start : data.draw(st.integers(start + 1, len(text)))]
    if data.draw(st.booleans()):
        needle = needle.upper() if fold(needle.upper()) == fold(needle) else needle
    path = write(tmp_path / "a.kspy", [encode(content) for encode in ENCODERS.values()])
    found = places(f"text:{quoted(needle)}", path)
    assert [list(ENCODERS)[n] for n in range(len(ENCODERS)) if n not in found] == []
    assert places(f"-text:{quoted(needle)}", path) == []


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=contents, needle=words.filter(bool))
@example({"a": "\nepoch"}, "nepoch")
@example({"a": "é"}, "00e9")
@example({"a": "x", "b": "y"}, '", "')
@example({"a": 1, "b": True}, "1, ")
@example({"a": True}, "true")
@example({"abc": {"d": 1}}, "{")
def test_nothing_else_is_found(tmp_path: Path, content: dict[str, Any], needle: str) -> None:
    path = write(tmp_path / "a.kspy", [encode(content) for encode in ENCODERS.values()])
    there = any(fold(needle) in fold(text) for text in (*texts(content), "stream"))
    expected = list(range(len(ENCODERS))) if there else []
    assert places(f"text:{quoted(needle)}", path) == expected


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"/division by \w+/", True),
        (r"/Division by \w+/", False),
        (r"/Division by \w+/i", True),
        (r"/na.ve/", True),
        (r"/naïve/", True),
        (r"/NAÏVE/i", True),
        (r"/a\/b/", True),
        (r"/tab\there/", True),
        (r'/"quoted"/', True),
        (r"/^line two$/", True),
        (r"/line one.line two/", False),
        (r"/line one\nline two/", True),
        (r"/^4711$/", True),
        (r"/^tru.$/", True),
        (r"/日本+/", True),
        (r"/masSe|xyz/i", True),
        (r"/(?i)MASSE/", True),
        (r"/[a-z]{2}vision/", True),
        (r"/[^\W_]ero\Z/", True),
        (r"/\U0001f600/", True),
    ],
)
def test_regular_expressions(tmp_path: Path, encoder: str, pattern: str, found: bool) -> None:
    content = {
        "a": "division by zero", "b": ["naïve", "a/b", "tab\there", 'some "quoted" text'],
        "c": {"line one\nline two": 4711, "e": True}, "日本": "ma\u017fse", "d": "Masse\U0001f600",
    }  # fmt: skip
    path = write(tmp_path / "a.kspy", [ENCODERS[encoder](content)])
    assert places(pattern, path) == ([0] if found else [])


@pytest.mark.parametrize(
    ("needle", "text"),
    [
        ("ΑΣ", "ΑΣΑ"),
        ("ας", "ΑΣΑ"),
        ("É", "é"),
        ("é", "É"),
        ("ñandú", "ÑANDÚ"),
        ("straße", "STRAẞE"),
    ],
)
def test_case_beyond_ascii(tmp_path: Path, needle: str, text: str) -> None:
    path = write(tmp_path / "a.kspy", [encode({"a": text}) for encode in ENCODERS.values()])
    assert places(needle, path) == list(range(len(ENCODERS)))


def test_numbers_are_found_as_they_were_written(tmp_path: Path) -> None:
    path = write(tmp_path / "a.kspy", [b'{"a": 1.50, "b": 1E5, "c": NaN, "d": -0}'])
    for needle in ("1.50", "1e5", "nan", "-0", ".5"):
        assert places(f"text:{needle}", path) == [0], needle
    assert places('text:"100000"', path) == []


def test_what_does_not_decode_is_searched_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "odd.kspy"
    with Conversation(path) as talk:
        talk.raw("iopub", "to_client", [*FRAMES[:-1], b'{"cut": "Short'])
        talk.raw("iopub", "to_client", [b"no message", b"SHORT"])
        talk.raw("hb", "to_kernel", [b"ping short"])
        talk.raw("iopub", "to_client", [*FRAMES[:-1], b"[" * 5000 + b'"short"'])
        talk.raw("iopub", "to_client", [*FRAMES[:-1], b"\xff\xfe short"])
        talk.raw("iopub", "to_client", [*FRAMES[:-1], b"short", b"{}"])
    assert places("short", path) == [0, 1, 2, 3, 4, 5]
    assert places("/short/", path) == [2, 3, 4, 5]
    assert places("messageshort", path) == []


def test_buffers_headers_and_signatures_are_not_searched(tmp_path: Path) -> None:
    path = tmp_path / "parts.kspy"
    with Conversation(path) as talk:
        talk.publish("comm_msg", {"data": "seen"}, buffers=[b"unseen"])
        _, frames = serialize("stream", {"text": "seen"}, header={"session": "unseen"})
        talk.raw("iopub", "to_client", [b"unseen", *frames])
    assert places("seen", path) == [0, 1]
    assert places("unseen", path) == []
    assert places("/unseen/", path) == []


@pytest.mark.parametrize("place", [0, 5_000, 1_500_000, 2_900_000])
@pytest.mark.parametrize("text", ["needle", "/n.edle/", '"ee"', "/[n]{1}[e]{1}/"])
def test_contents_that_go_on_elsewhere_in_the_file(tmp_path: Path, place: int, text: str) -> None:
    path = tmp_path / "large.kspy"
    large = "x" * place + "needle" + "y" * (3_000_000 - place)
    with Conversation(path) as talk:
        talk.publish("stream", {"text": "small"})
        talk.publish("stream", {"text": large})
        talk.publish("stream", {"text": "z" * 3_000_000})
    with kspy.open(path) as recording:
        chunks = [recording.chunk(n) for n in range(len(recording.columns.offsets))]
        assert any(chunk and len(chunk.data) < sum(chunk.all_lengths()) for chunk in chunks)
    assert places(text, path) == [1]


def test_a_message_too_large_to_decode_is_searched_at_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kspy.wire.message.DECODE_LIMIT", 1000)
    monkeypatch.setattr(chunk_view, "DECODE_LIMIT", 1000)
    monkeypatch.setattr("kspy.analysis.filter.content.DECODE_LIMIT", 1000)
    path = write(
        tmp_path / "a.kspy", [json.dumps({"text": "begun" + "x" * 3_000_000 + "end"}).encode()]
    )
    assert places("flag:oversized", path) == [0]
    assert places("begun", path) == places("type:stream", path) == [0]
    assert places("end", path) == []


def test_long_texts_are_searched_in_pieces(tmp_path: Path) -> None:
    length = 3 * regex.PIECE
    lines = {n: "-" * n + "needle" + "-" * (length - n) for n in range(0, length, 997)}
    path = write(tmp_path / "a.kspy", [json.dumps({"a": line}).encode() for line in lines.values()])
    everywhere = list(range(len(lines)))
    assert (
        places("/n[a-z]+e-/", path) == everywhere[:-1] or places("/n[a-z]+e/", path) == everywhere
    )
    assert places("/^needle/", path) == [0]
    assert places("/needle$/", path) == []
    assert places("/-$/", path) == everywhere
    assert places("/e-{1000}-{1000}-{1000}/", path) == [
        n for n, at in enumerate(lines) if length - at >= 3000
    ]


def test_it_makes_progress_in_steps_and_can_be_left(tmp_path: Path) -> None:
    path = tmp_path / "many.kspy"
    with Conversation(path) as talk:
        for number in range(3000):
            talk.publish("stream", {"text": f"{number} " + "x" * 900})
    with kspy.open(path) as recording:
        work = parse(r"/\d+/").run(whole_table(recording))
        steps = [next(work) for _ in range(3)]
        assert steps == sorted(steps)
        assert all(0 <= done < total == 3000 for done, total in steps)
        work.close()


@given(words)
def test_folding_goes_character_by_character(text: str) -> None:
    assert fold(text) == "".join(map(fold, text))
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        *(("epoch", True), ("true", True), ("1.5", True), ("te", True), ("a, b", True)),
        *((", 1", False), ("e, f", False), ("true, 1", False), ("{", False), ('"', False)),
    ],
)
def test_where_finding_it_in_bytes_is_enough(text: str, sure: bool) -> None:
    assert bool(of_text(text).sure) == sure
