"""What the inspector shows of each kind of message; no content can break it or the screen."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

import pytest
from conversation import message, of_frames
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console, RenderableType

from kspy.recording.event import EVENTS, Event
from kspy.tui.detail.block_text import COLOURS, LINES, LONGEST, block, clean, updates
from kspy.tui.detail.code import Code, coloured
from kspy.tui.detail.pictures import picture
from kspy.tui.detail.rendering import Look, known_language, render
from kspy.wire.frames import DELIMITER
from kspy.wire.message import Message

WIDTH = 60
ANSI = {"ename": "E", "evalue": "v", "traceback": ["\x1b[31m" + "-" * 75, "\x1b[1mhere\x1b[0m"]}


def drawn(*parts: RenderableType, colours: bool = False) -> str:
    console = Console(
        width=WIDTH,
        file=io.StringIO(),
        force_terminal=colours,
        color_system="truecolor" if colours else None,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(*parts, sep="\n")
    return "\n".join(line.rstrip() for line in capture.get().split("\n"))


def shown(item: Message | Event, **look: Any) -> str:
    return drawn(*render(item, Look(width=WIDTH, **look)))


def png(width: int, height: int, colour: str) -> str:
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


EXAMPLES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("execute_request", {"code": "x = 1\ny"}, ["1 x = 1", "2 y"]),
    ("execute_request", {"code": "x", "silent": True}, ["x", '"silent": true']),
    ("execute_reply", {"status": "ok", "execution_count": 4}, ["ok   [4]"]),
    ("execute_reply", {"status": "error", **ANSI}, ["error", "-" * WIDTH + "\n", "here"]),
    ("execute_reply", {"status": "ok", "payload": [{"source": "page"}]}, ['"source": "page"']),
    ("error", {"ename": "E", "evalue": "v"}, ["E: v"]),
    ("stream", {"name": "stderr", "text": "oh\n"}, ["stderr", "oh"]),
    ("stream", {"name": "stdout", "text": "1%\r2%\r9%"}, ["written over 2 times", "\n9%"]),
    ("stream", {"name": "stdout", "text": "\x1b]0;title\x07\x1b[2Jx"}, ["␛]0;title␇␛[2Jx"]),
    ("stream", {"name": "stdout", "text": "abc\u202edef"}, ["abc", "def"]),
    ("display_data", {"data": {"text/markdown": "# Big\n- one"}}, ["text/markdown", "• one"]),
    ("display_data", {"data": {"text/html": "<b>x</b>"}}, ["text/html  8 bytes", "<b>x</b>"]),
    ("display_data", {"data": {"image/svg+xml": "<svg/>"}}, ["image/svg+xml", "<svg/>"]),
    ("display_data", {"data": {"application/json": {"a": [1]}}}, ['"a": [']),
    ("display_data", {"data": {"text/plain": ["two\n", "lines"]}}, ["two\nlines"]),
    ("display_data", {"data": 7}, ["7"]),
    ("display_data", {"data": {}, "metadata": {}}, ["It holds no data."]),
    ("update_display_data", {"data": {}, "transient": {"display_id": "d"}}, ["no data", '"d"']),
    ("display_data", {"data": {"image/png": "!"}}, ["image/png"]),
    ("execute_result", {"data": {"text/plain": "3"}, "metadata": {"k": 1}}, ["3", '"k": 1']),
    ("inspect_reply", {"found": False}, ["nothing found"]),
    ("complete_reply", {"matches": ["print", "pow"]}, ["2 matches", "print\npow"]),
    ("status", {"execution_state": "busy"}, ["busy"]),
    ("input_request", {"prompt": "word: ", "password": True}, ["a password is asked for", "word:"]),
    ("input_reply", {"value": "me"}, ["me"]),
    ("kernel_info_reply", {"banner": "Python 3", "status": "ok"}, ["Python 3", '"status": "ok"']),
    ("comm_msg", {"comm_id": "c", "data": {"value": 7}}, ['"comm_id": "c"', '"value": 7']),
    ("of_tomorrow", {}, ["Its content is empty."]),
]


@pytest.mark.parametrize(("msg_type", "content", "wanted"), EXAMPLES)
def test_each_type_is_shown_as_what_it_is(
    msg_type: str, content: dict[str, Any], wanted: list[str]
) -> None:
    text = shown(message(msg_type, content))
    for piece in wanted:
        assert piece in text, text


def test_buffers_are_counted() -> None:
    assert "2 buffers: 3 bytes, 1 byte" in shown(message("comm_msg", {}, buffers=[b"abc", b"d"]))


def test_what_is_no_message_says_so_and_where_it_can_be_seen() -> None:
    assert "tab Frames" in shown(of_frames([b"not", b"jupyter"]))
    broken = of_frames([DELIMITER, b"", b'{"msg_type": "status"}', b"{}", b"{}", b"{bro\x1bken"])
    assert "{bro␛ken" in shown(broken)


def test_richest_first_plain_text_last() -> None:
    data = {"text/plain": "plain", "text/html": "<i>", "application/x": "x"}
    text = shown(message("display_data", {"data": data}))
    assert text.index("application/x") < text.index("text/html") < text.index("text/plain")


def test_tracebacks_keep_their_colours_where_there_are_any() -> None:
    failed = message("error", {"traceback": ["\x1b[31mred\x1b[0m"]})
    parts = list(render(failed, Look(width=WIDTH)))
    assert "\x1b[31mred" in drawn(*parts, colours=True)
    plain = list(render(failed, Look(width=WIDTH, colours=False)))
    assert drawn(*plain, colours=True).strip() == "red"


def test_events_say_what_they_mean() -> None:
    text = shown(Event(0, 0, "kernel_died", {"signal": "SIGKILL", "\x1b[2J": "\x1b]0;x"}))
    assert EVENTS["kernel_died"] in text.replace("\n", " ")
    assert "signal: SIGKILL" in text
    assert "does not know" in shown(Event(0, 0, "of_tomorrow"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    [
        "code",
        "data",
        "text",
        "name",
        "status",
        "traceback",
        "matches",
        "metadata",
        "banner",
        "value",
    ]
)
mimes = st.sampled_from(["text/plain", "text/markdown", "text/html", "image/png", "a/json", "\x1b"])
contents = st.dictionaries(keys, json_values) | st.fixed_dictionaries(
    {"data": st.dictionaries(mimes, json_values)}
)
types = st.sampled_from(sorted({example[0] for example in EXAMPLES}))


@given(types, contents)
def test_no_content_breaks_it_or_reaches_the_terminal(
    msg_type: str, content: dict[str, Any]
) -> None:
    header = json.dumps({"msg_type": msg_type}).encode()
    frames = [DELIMITER, b"", header, b"{}", b"{}", json.dumps(content).encode()]
    text = shown(of_frames(frames))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_a_language_that_pygments_knows_or_none() -> None:
    assert known_language({"pygments_lexer": "ipython99", "name": "python"}) == "python"
    assert known_language({"name": "julia"}) == "julia"
    assert known_language({"name": "klingon", "pygments_lexer": 7}) == "text"
    assert known_language({}) == "text"


def test_blocks_do_with_carriage_returns_what_terminals_do() -> None:
    assert block("50%\r100%\nnext\r\n").plain == "100%\nnext\n"
    assert block("\x1b[31mred\r\x1b[32mover").plain == "over"
    assert block("\x1b[31m\r\x1b[0m").plain == ""


def test_written_over_is_what_was_there() -> None:
    assert updates("a\rb\r\nc\r") == 1
    assert updates("\rfirst\n\r\rsecond") == 0
    assert updates("a\r\r\x1b[31m\rb") == 1


def test_long_blocks_are_cut_and_say_so() -> None:
    assert "characters more" in block("x" * (LONGEST + 1)).plain
    many = block("y\n" * (LINES + 5)).plain
    assert many.count("y") == LINES
    assert "characters more" in many
    assert "more" not in block("x").plain


def test_after_many_changes_of_colour_there_are_no_more() -> None:
    text = block("\x1b[31ma\x1b[32mb" * COLOURS)
    assert text.plain == "ab" * COLOURS
    assert max(span.end for span in text.spans) == COLOURS


HOSTILE_CODE = [
    ("xml", "<![CDATA["),
    ("html", "<?"),
    ("r", "'''" + "\\" * 97),
    ("r", '"\\'),
    ("java", "a "),
    ("ipython3", "a."),
    ("javascript", "'\\"),
    ("python", "x = [1]\n"),
    ("json", '{"a": [1]}\n'),
]


@pytest.mark.parametrize(("language", "part"), HOSTILE_CODE)
def test_only_the_beginning_of_code_is_coloured(language: str, part: str) -> None:
    """For some of these, pygments would take minutes."""
    limit = coloured(language)
    code = (part * 20_000)[:180_000]
    text = Code(code, language, theme="nord", background_color="#000000").highlight(code)
    assert text.plain.rstrip("\n") == code.rstrip("\n")
    later = [span for span in text.spans if span.end > limit]
    assert {str(span.style) for span in later} <= {"on #000000"}
    assert [span for span in text.spans if span.end <= limit]


@pytest.mark.parametrize("mime", ["image/svg+xml", "text/html", "text/markdown"])
def test_all_of_a_long_source_is_shown(mime: str) -> None:
    text = "word " * 4_000 + "here\nit ends"
    lines = shown(message("display_data", {"data": {mime: text}}))
    assert lines.count("word") == 4_000
    assert "it ends" in lines


def test_the_lines_of_long_code_keep_their_numbers() -> None:
    code = "\n".join(f"line = {number}" for number in range(1, 1_001))
    lines = shown(message("execute_request", {"code": code})).split("\n")
    assert [line.strip() for line in lines[:1_000]] == [
        f"{number} line = {number}" for number in range(1, 1_001)
    ]


def test_clean_text_keeps_its_lines_and_nothing_else() -> None:
    assert clean("a\tb\r\n\x1b[31mred\x1b[0m\x07") == "a       b\nred␇"


def test_pictures_say_what_they_are_and_are_drawn_in_proportion() -> None:
    found = picture(png(20, 10, "red"), WIDTH, (0, 0, 0))
    assert found.note == "PNG 20 x 10"
    assert found.drawn is not None
    lines = drawn(found.drawn, colours=True).rstrip().split("\n")
    assert len(lines) == 5
    assert "255;0;0" in lines[0]
    wide = picture(png(600, 60, "blue"), WIDTH, (0, 0, 0))
    assert wide.drawn is not None
    assert len(drawn(wide.drawn).rstrip("\n").split("\n")) == 3


@pytest.mark.parametrize(
    ("data", "note"),
    [
        ("A", "not valid base64"),
        (base64.b64encode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n").decode(), "not an"),
        (base64.b64encode(b"no image").decode(), "not an image"),
        (png(3000, 3000, "red"), "too large"),
        (base64.b64encode(base64.b64decode(png(64, 64, "red"))[:60]).decode(), "cannot be decoded"),
    ],
)
def test_pictures_that_cannot_be_drawn_say_why(data: str, note: str) -> None:
    found = picture(data, WIDTH, (0, 0, 0))
    assert note in found.note
    assert found.drawn is None
