"""The one line about each type of message, as examples; and that no content can break it."""

from __future__ import annotations

import json
from typing import Any

import msgpack
import pytest
from conversation import message, of_frames, serialize
from hypothesis import given
from hypothesis import strategies as st

from kspy.analysis.event_summary import summarize_event
from kspy.analysis.summary import LONGEST, summarize
from kspy.analysis.summary_table import SUMMARIES
from kspy.recording.event import Event
from kspy.wire.frames import DELIMITER, Direction

FAILED = {"status": "error", "ename": "NameError", "evalue": "x", "traceback": ["\x1b[31mx"]}

EXAMPLES: list[tuple[str, dict[str, Any], str]] = [
    ("execute_request", {"code": "x = 3\nx"}, "x = 3⏎x"),
    ("execute_request", {"code": "x", "silent": True}, "(silent) x"),
    ("execute_request", {"code": "x", "store_history": False}, "(no history) x"),
    ("execute_request", {"code": "", "user_expressions": {"a": "1"}}, "(1 expression) (no code)"),
    ("execute_input", {"code": "1/0", "execution_count": 4}, "[4] 1/0"),
    ("execute_reply", {"status": "ok", "execution_count": 4}, "ok [4]"),
    ("execute_reply", {**FAILED, "execution_count": 4}, "error [4] NameError: x"),
    ("execute_reply", {"ename": "NameError", "evalue": "x"}, "error NameError: x"),
    ("execute_reply", {"status": "aborted"}, "aborted"),
    ("execute_reply", {"status": "abort", "execution_count": 7}, "aborted [7]"),
    (
        "execute_reply",
        {"status": "ok", "execution_count": 1, "payload": [{"source": "page"}, 7]},
        "ok [1], payload page",
    ),
    ("stream", {"name": "stdout", "text": "hi\n"}, "hi⏎"),
    ("stream", {"name": "stderr", "text": "oh"}, "stderr: oh"),
    ("display_data", {"data": {"text/plain": "3"}}, "3"),
    (
        "display_data",
        {"data": {"text/plain": "<Figure>", "image/png": "iVBO"}},
        "image/png: <Figure>",
    ),
    ("display_data", {"data": {}}, "(no data)"),
    ("execute_result", {"data": {"text/plain": "3"}, "execution_count": 2}, "[2] 3"),
    (
        "update_display_data",
        {"data": {"text/plain": "50 %"}, "transient": {"display_id": "abcdefghijk"}},
        "abcdefgh: 50 %",
    ),
    ("clear_output", {"wait": True}, "when new output comes"),
    ("clear_output", {"wait": False}, "now"),
    ("error", FAILED, "NameError: x"),
    ("status", {"execution_state": "busy"}, "busy"),
    ("iopub_welcome", {"subscription": ""}, "subscribed to everything"),
    ("inspect_request", {"code": "np.sin", "cursor_pos": 3, "detail_level": 0}, "np.│sin"),
    ("inspect_request", {"code": "a", "cursor_pos": 1, "detail_level": 1}, "(detail 1) a│"),
    ("inspect_reply", {"status": "ok", "found": False, "data": {}}, "not found"),
    ("inspect_reply", {"status": "ok", "found": True, "data": {"text/plain": "f"}}, "found f"),
    ("complete_request", {"code": "os.pa", "cursor_pos": 5}, "os.pa│"),
    ("complete_reply", {"status": "ok", "matches": ["path", "pardir"]}, "2 matches: path, pardir"),
    ("complete_reply", {"status": "ok", "matches": []}, "no matches"),
    ("history_request", {"hist_access_type": "tail", "n": 1000}, "tail last 1000"),
    (
        "history_request",
        {"hist_access_type": "search", "pattern": "*x*", "n": 10},
        "search *x* last 10",
    ),
    (
        "history_request",
        {"hist_access_type": "range", "session": 0, "start": 1, "stop": 5},
        "range 1 to 5 of session 0",
    ),
    ("history_reply", {"status": "ok", "history": [[1, 1, "a"], [1, 2, "b"]]}, "2 entries"),
    ("is_complete_request", {"code": "for x in y:"}, "for x in y:"),
    ("is_complete_reply", {"status": "incomplete", "indent": "  "}, 'incomplete, indent "  "'),
    ("connect_reply", {"shell_port": 1, "hb_port": 2}, "shell 1, hb 2"),
    ("comm_info_request", {}, "all targets"),
    ("comm_info_request", {"target_name": "jupyter.widget"}, "jupyter.widget"),
    (
        "comm_info_reply",
        {"status": "ok", "comms": {"a": {"target_name": "w"}, "b": {"target_name": "w"}}},
        "2 comms: 2 w",
    ),
    ("kernel_info_request", {}, ""),
    (
        "kernel_info_reply",
        {
            "status": "ok",
            "implementation": "ipython",
            "implementation_version": "9.1",
            "protocol_version": "5.5",
            "language_info": {"name": "python", "version": "3.12"},
        },
        "ipython 9.1, protocol 5.5, python 3.12",
    ),
    ("shutdown_request", {"restart": True}, "to restart"),
    ("shutdown_reply", {"status": "ok", "restart": False}, "ok for good"),
    ("interrupt_request", {}, ""),
    ("interrupt_reply", {"status": "ok"}, "ok"),
    ("interrupt_reply", FAILED, "error NameError: x"),
    (
        "debug_request",
        {"command": "dumpCell", "arguments": {"code": "x"}},
        'dumpCell {"code": "x"}',
    ),
    ("debug_reply", {"command": "attach", "success": True, "body": {}}, "attach ok"),
    (
        "debug_reply",
        {"command": "attach", "success": False, "message": "busy"},
        "attach failed busy",
    ),
    ("debug_event", {"event": "stopped", "body": {"reason": "breakpoint"}}, "stopped breakpoint"),
    ("create_subshell_reply", {"status": "ok", "subshell_id": "s1"}, "created s1"),
    ("delete_subshell_request", {"subshell_id": "s1"}, "s1"),
    ("list_subshell_reply", {"status": "ok", "subshell_id": ["a", "b"]}, "2 subshells: a, b"),
    ("input_request", {"prompt": "name? ", "password": False}, "name? "),
    ("input_request", {"prompt": "", "password": True}, "(password) (no prompt)"),
    ("input_reply", {"value": "Ada"}, "Ada"),
    (
        "comm_open",
        {
            "comm_id": "0123456789",
            "target_name": "jupyter.widget",
            "data": {"state": {"_model_name": "IntSliderModel"}},
        },
        "jupyter.widget 01234567 IntSliderModel",
    ),
    (
        "comm_msg",
        {"comm_id": "0123456789", "data": {"method": "update", "state": {"value": 3}}},
        '01234567 update {"value": 3}',
    ),
    ("comm_msg", {"comm_id": "01", "data": {"ping": 1}}, '01 {"ping": 1}'),
    ("comm_close", {"comm_id": "0123456789", "data": {}}, "01234567"),
    (
        "usage_reply",
        {"content": {"kernel_cpu": 3.5, "kernel_memory": 62_000_000}},
        "cpu 3.5 %, memory 62 MB",
    ),
    ("mine_request", {"a": [1, None]}, '{"a": [1, null]}'),
    ("execute_request", {"code": 7}, "7"),
    ("stream", {}, "(no name): "),
]


@pytest.mark.parametrize(("msg_type", "content", "line"), EXAMPLES)
def test_says_what_a_person_would_say(msg_type: str, content: dict[str, Any], line: str) -> None:
    assert summarize(message(msg_type, content)) == line


def test_buffers_are_counted() -> None:
    opened = message("comm_msg", {"comm_id": "c"}, buffers=[b"x" * 1400, b"y"])
    assert summarize(opened) == "c + 2 buffers, 1.4 KB"


def test_a_subshell_is_named() -> None:
    asked = message("execute_request", {"code": "x"}, header={"subshell_id": "0123456789"})
    assert summarize(asked) == "(subshell 01234567) x"


@pytest.mark.parametrize(("direction", "name"), [("to_kernel", "ping"), ("to_client", "pong")])
def test_heartbeats(direction: Direction, name: str) -> None:
    assert summarize(of_frames([b"id", b"", b"ab\x00"], "hb", direction)) == (
        f"{name} 3 bytes ab\\x00"
    )


def test_what_is_no_message_is_described() -> None:
    assert summarize(of_frames([b"ab", b"\xff" * 9])) == (
        "not a Jupyter message: 2 frames of 2, 9 bytes"
    )
    assert summarize(of_frames([])) == "not a Jupyter message: 0 frames"


def test_the_part_that_does_not_decode_is_named() -> None:
    _, frames = serialize("stream", {})
    pickled = [*frames[:-1], b"\x80\x04N."]
    assert summarize(of_frames(pickled)) == "content does not decode: 4 bytes \\x80\\x04N."
    headless = [*frames[:3], b"{", *frames[4:]]
    assert summarize(of_frames(headless)) == "header does not decode: 1 byte {"


def test_msgpack_is_read_too() -> None:
    _, frames = serialize("mine", {})
    packed = msgpack.packb({"raw": b"abc", "keys": {1: 2}})
    assert summarize(of_frames([*frames[:-1], packed])) == '{"raw": "<3 bytes>", "keys": {"1": 2}}'


def test_a_line_has_an_end() -> None:
    assert len(summarize(message("stream", {"name": "stdout", "text": "x" * 10**6}))) == LONGEST


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KEYS = sorted(
    {key for _, content, _ in EXAMPLES for key in content}
    | {"code", "data", "body", "language_info", "transient", "comms", "payload", "state"}
)


@given(
    st.sampled_from(sorted(SUMMARIES)) | st.text(),
    st.dictionaries(st.sampled_from(KEYS), JSON | st.just(10**400)),
    st.lists(st.binary(max_size=3), max_size=2),
)
def test_no_content_breaks_it(msg_type: str, content: dict[str, Any], buffers: list[bytes]) -> None:
    header = json.dumps({"msg_type": msg_type}).encode()
    frames = [DELIMITER, b"", header, b"{}", b"{}", json.dumps(content).encode(), *buffers]
    line = summarize(of_frames(frames))
    assert line.splitlines() in ([], [line])


@given(st.lists(st.binary() | st.just(DELIMITER)))
def test_no_frames_break_it(frames: list[bytes]) -> None:
    for channel in ("iopub", "hb"):
        line = summarize(of_frames(frames, channel))
        assert line.splitlines() in ([], [line])


def test_endless_nesting_does_not_break_it() -> None:
    deep = b'{"a":' + b"[" * 900 + b"]" * 900 + b"}"
    _, frames = serialize("mine", {})
    assert summarize(of_frames([*frames[:-1], deep]))


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Event(0, 0, "kernel_died", {"signal": 9}), "kernel died: signal SIGKILL"),
        (Event(0, 0, "kernel_died", {"exit_status": 1}), "kernel died: exit status 1"),
        (Event(0, 0, "heartbeat_lost", {"waited_ns": 3 * 10**9}), "heartbeat lost: waited 3.0 s"),
        (Event(0, 0, "gap", {"lost": 12, "why": "damaged"}), "gap: 12 messages missing (damaged)"),
        (Event(0, 0, "subscribed", {"topic": ""}), 'subscribed: topic ""'),
        (Event(0, 0, "gap"), "gap: messages missing, how many is unknown"),
        (Event(0, 0, "of_tomorrow", {"a": [1, "b"], "i": b"\xff"}), "of tomorrow: a 1, b, i \\xff"),
    ],
)
def test_events(event: Event, line: str) -> None:
    assert summarize_event(event) == line
