"""`kspy import`: HAR files of every kind, jupyter-spy's logs, and files that are neither."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from command import kspy as run_kspy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jupyter_client.jsonutil import json_default
from jupyter_client.session import Session

import kspy
from kspy.errors import KspyError
from kspy.imports.source import read_source
from kspy.imports.spool import Spool
from kspy.recording.event import Event
from kspy.wire.websocket import V1, pack

KERNEL = "139d73ce-43c9-4f20-97bd-b341336da963"
OTHER = "801ee3a5-f498-46af-83f1-e7493339979f"
TOKEN = "my-secret-token"
START = 1795272848.0

SESSION = Session()


def payload(msg_type: str, subprotocol: str, buffers: Sequence[bytes] = ()) -> tuple[bytes, bool]:
    channel = "shell" if msg_type.endswith("_request") else "iopub"
    header = {"msg_id": msg_type, "msg_type": msg_type}
    return pack(channel, header, {}, {}, {"text": "é"}, buffers, subprotocol)


def frame(
    way: str, seconds: float, msg_type: str, subprotocol: str = V1, buffers: Sequence[bytes] = ()
) -> dict[str, Any]:
    """A message as DevTools writes it."""
    data, text = payload(msg_type, subprotocol, buffers)
    return {
        "type": way,
        "time": START + seconds,
        "opcode": 1 if text else 2,
        "data": data.decode() if text else base64.b64encode(data).decode(),
    }


def entry(
    frames: Sequence[dict[str, Any]],
    kernel: str = KERNEL,
    subprotocol: str | None = V1,
    *,
    headers: bool = True,
) -> dict[str, Any]:
    """A WebSocket as DevTools writes it, its messages first."""
    secret = [{"name": "Cookie", "value": f"_xsrf={TOKEN}"}]
    chosen = [{"name": "sec-webSocket-protocol", "value": subprotocol}] if subprotocol else []
    return {
        "_resourceType": "websocket",
        "_webSocketMessages": list(frames),
        "request": {
            "method": "GET",
            "url": f"wss://hub/user/me/api/kernels/{kernel}/channels?session_id=1&token={TOKEN}",
            "headers": secret,
            "cookies": secret,
            "queryString": [{"name": "token", "value": TOKEN}],
        },
        "response": {"status": 101, "headers": [{"name": "Server", "value": "x"}, *chosen]}
        if headers
        else {"status": 101, "headers": []},
        "startedDateTime": "2026-11-21T14:54:08.000Z",
    }


def page() -> dict[str, Any]:
    return {
        "request": {"url": f"https://hub/lab?token={TOKEN}", "headers": []},
        "response": {"content": {"text": "{}" * 100, "nested": [[[{"a": [1]}]]]}},
        "_webSocketMessages": [frame("send", 0, "chat_request")],
    }


def har(*entries: dict[str, Any]) -> dict[str, Any]:
    creator = {"name": "WebInspector", "version": "537.36"}
    log = {"version": "1.2", "creator": creator, "pages": [{"id": "p"}], "entries": list(entries)}
    return {"log": log}


def save(folder: Path, value: object) -> Path:
    """A file with a value, or with a text as it is."""
    path = folder / "in.har"
    text = value if isinstance(value, str) else json.dumps(value)
    path.write_text(text, encoding="utf-8")
    return path


def imported(folder: Path, value: object) -> list[Any]:
    """The stories of the one recording that is made."""
    target = folder / "out.kspy"
    printed = run_kspy("import", save(folder, value), "-o", target)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert TOKEN.encode() not in target.read_bytes()
    assert target.stat().st_mode & 0o777 == 0o600
    with kspy.open(target) as recording:
        return list(recording.stories())


def told(stories: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [
        (story.name, story.data.get("client"))
        if isinstance(story, Event)
        else (story.msg_type, story.direction, story.client, story.encoding)
        for story in stories
    ]


# HAR


@pytest.mark.parametrize("subprotocol", [V1, ""])
@pytest.mark.parametrize("headers", [True, False])
def test_both_protocols_with_headers_and_without(
    subprotocol: str, headers: bool, tmp_path: Path
) -> None:
    frames = [
        frame("send", 1, "execute_request", subprotocol),
        frame("receive", 2.000001, "display_data", subprotocol, [b"abc", b""]),
    ]
    stories = imported(tmp_path, har(page(), entry(frames, KERNEL, subprotocol, headers=headers)))
    plain, binary = ("v1", "v1") if subprotocol else ("json", "binary")
    assert told(stories) == [
        ("client_connected", 1),
        ("execute_request", "to_kernel", 1, plain),
        ("display_data", "to_client", 1, binary),
    ]
    assert stories[2].time_ns == 1_795_272_850_000_001_000
    assert (stories[1].channel, stories[2].channel) == ("shell", "iopub")
    assert list(stories[2].buffers) == [b"abc", b""]
    assert stories[1].frames == [payload("execute_request", subprotocol)[0]]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    imported(tmp_path, har(entry([frame("receive", 1, "status")])))
    with kspy.open(tmp_path / "out.kspy") as recording:
        metadata = recording.metadata
    assert metadata["imported"]["from"] == "har"
    assert metadata["imported"]["creator"] == "WebInspector 537.36"
    assert metadata["imported"]["kernel_id"] == KERNEL
    assert metadata["created"] == "2026-11-21T14:54:08.000000Z"
    shown = run_kspy("info", tmp_path / "out.kspy").stdout
    assert "imported    from HAR of WebInspector 537.36\n" in shown
    assert "missing     everything that was sent to the kernel\n" in shown
    for what in metadata["imported"]["missing"]:
        assert f"            {what}\n" in shown or f"missing     {what}\n" in shown


def test_several_connections_are_several_clients_in_order_of_time(tmp_path: Path) -> None:
    first = entry([frame("send", 1, "a_request"), frame("receive", 5, "status")])
    second = entry(
        [frame("send", 2, "b_request", ""), frame("receive", 3, "stream", "")], KERNEL, ""
    )
    assert told(imported(tmp_path, har(first, page(), second))) == [
        ("client_connected", 1),
        ("client_connected", 2),
        ("a_request", "to_kernel", 1, "v1"),
        ("b_request", "to_kernel", 2, "json"),
        ("stream", "to_client", 2, "json"),
        ("status", "to_client", 1, "v1"),
    ]


def test_one_connection_keeps_its_order_whatever_its_times(tmp_path: Path) -> None:
    frames = [frame("send", at, f"{n}_request") for n, at in enumerate([5, 1, 1, 9])]
    frames[2]["time"] = None
    stories = imported(tmp_path, har(entry(frames)))
    assert [story.msg_type[0] for story in stories[1:]] == ["0", "1", "2", "3"]
    assert [story.time_ns // 10**9 - int(START) for story in stories[1:]] == [5, 1, 5, 9]


def test_a_recording_a_kernel(tmp_path: Path) -> None:
    path = save(
        tmp_path,
        har(
            entry([frame("send", 1, "a_request")]),
            entry([frame("send", 1, "b_request")], OTHER),
            entry([], "never-said-anything"),
        ),
    )
    printed = run_kspy("import", path, "-o", tmp_path / "out.kspy")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert sorted(found.name for found in tmp_path.glob("*.kspy")) == [
        "out-139d73ce.kspy",
        "out-801ee3a5.kspy",
    ]
    for kernel in (KERNEL, OTHER):
        assert f"out-{kernel[:8]}.kspy: 1 message, kernel {kernel}, 1 client\n" in printed.stdout
    again = run_kspy("import", path, "-o", tmp_path / "out.kspy")
    assert again.returncode == 2
    assert again.stderr.count("\n") == 1
    assert "exists already" in again.stderr
    assert run_kspy("import", path, "-o", tmp_path / "out.kspy", "--force").returncode == 0


def test_messages_may_stand_behind_what_they_belong_to(tmp_path: Path) -> None:
    whole = entry([frame("send", 1, "a_request"), frame("receive", 2, "status")])
    turned = dict(reversed(whole.items()))
    assert told(imported(tmp_path, har(turned))) == [
        ("client_connected", 1),
        ("a_request", "to_kernel", 1, "v1"),
        ("status", "to_client", 1, "v1"),
    ]


def test_errors_control_frames_and_bytes_that_are_missing(tmp_path: Path) -> None:
    failed = [{"type": "error", "time": START, "opcode": -1, "data": f"handshake: {TOKEN}"}]
    frames = [
        {"type": "receive", "time": START + 1, "opcode": 9, "data": ""},
        frame("send", 2, "a_request"),
        {"type": "receive", "time": START + 3, "opcode": 2, "data": "no base64!"},
        {"type": "receive", "time": START + 3, "opcode": 2},
        {"type": "error", "time": START + 4, "opcode": -1, "data": f"gone: {TOKEN}"},
    ]
    stories = imported(tmp_path, har(entry(failed), entry(frames)))
    assert told(stories) == [
        ("client_connected", 1),
        ("a_request", "to_kernel", 1, "v1"),
        ("gap", 1),
        ("gap", 1),
        ("client_disconnected", 1),
    ]
    shown = run_kspy("info", tmp_path / "out.kspy").stdout
    assert "the bytes of 2 messages" in shown


def test_payloads_that_are_no_messages_are_kept(tmp_path: Path) -> None:
    junk = [
        {"type": "send", "time": START, "opcode": 1, "data": "hello \ud800"},
        {"type": "receive", "time": START, "opcode": 2, "data": "AAAA"},
    ]
    stories = imported(tmp_path, har(entry(junk)))
    assert [story.flags for story in stories[1:]] == [("malformed",), ("malformed",)]
    assert stories[2].frames == [b"\0\0\0"]


# jupyter-spy


def spied(msg_type: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A message as jupyter_client gives it to jupyter-spy, and as that writes it."""
    message = SESSION.msg(msg_type, content)
    _, frames = SESSION.feed_identities(SESSION.serialize(message))
    return {**SESSION.deserialize(frames), **more}


def test_what_jupyter_spy_logs(tmp_path: Path) -> None:
    log = [
        spied("stream", {"name": "stdout", "text": "hi"}),
        spied("comm_open", {"comm_id": "1", "value": 1.5, "big": 1 << 70}),
        spied("input_request", {"prompt": ""}),
        spied("execute_reply", {"status": "ok"}, channel="control"),
        {"not": "a message"},
        7,
    ]
    stories = imported(tmp_path, json.loads(json.dumps(log, default=json_default)))
    assert [(story.msg_type, story.channel, story.direction) for story in stories] == [
        ("stream", "iopub", "to_client"),
        ("comm_open", "iopub", "to_client"),
        ("input_request", "stdin", "to_client"),
        ("execute_reply", "control", "to_client"),
    ]
    for story, message in zip(stories, log, strict=False):
        assert isinstance(message, dict)
        assert (story.content, story.flags) == (message["content"], ())
        seconds = message["header"]["date"].timestamp()
        assert abs(story.time_ns / 1e9 - seconds) < 1e-5
        assert story.client == 1
    shown = run_kspy("info", tmp_path / "out.kspy").stdout
    assert "imported    from jupyter-spy\n" in shown
    assert "the channels: they are told from the types" in shown


def test_jupyter_spy_with_numbers_that_are_no_floats(tmp_path: Path) -> None:
    """Infinity is no JSON."""
    names = ("large", "absurd", "last")
    log = [{"header": {"msg_type": name}, "content": {"number": 0}} for name in names]
    text = json.dumps(log).replace("0}", "1e400}", 1).replace(" 0}", " -1e999999999}", 1)
    stories = imported(tmp_path, text)
    assert told(stories) == [
        ("large", "to_client", 1, "json"),
        ("gap", 1),
        ("last", "to_client", 1, "json"),
    ]
    assert stories[0].content == {"number": 10**400}
    assert b"Infinity" not in b"".join(stories[0].frames)


def test_jupyter_spy_without_dates(tmp_path: Path) -> None:
    headers: list[dict[str, Any]] = [
        {"date": None},
        {"date": "2026-11-21T14:00:00.5"},
        {"date": "tomorrow"},
        {},
    ]
    log = [{"header": {"msg_type": "stream", **header}} for header in headers]
    times = [story.time_ns for story in imported(tmp_path, log)]
    assert times == [1_795_269_600_500_000_000] * 4


# What cannot be imported

GOOD = json.dumps(har(entry([frame("send", 1, "a_request")])))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "damaged"),
        ("x", "damaged"),
        pytest.param(GOOD[:-1], "damaged", id="a bracket missing"),
        pytest.param(GOOD[: len(GOOD) // 2], "damaged", id="half"),
        pytest.param(GOOD + "}", "damaged", id="a bracket more"),
        pytest.param(GOOD.replace("send", "se\x01nd"), "damaged", id="control character"),
        pytest.param("[" + "9" * 5000 + "]", "too large", id="long number"),
        pytest.param("[" * 100_000, "damaged", id="deep"),
        ("{}", "neither a HAR file"),
        ('{"log": []}', "neither a HAR file"),
        ('{"log": {"entries": {}}}', "neither a HAR file"),
        ('"text"', "neither a HAR file"),
        ("7", "neither a HAR file"),
    ],
)
def test_files_that_cannot_be_read(content: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "in.har"
    path.write_text(content, encoding="utf-8")
    printed = run_kspy("import", path, "-o", tmp_path / "out.kspy")
    assert (printed.returncode, printed.stdout) == (2, "")
    assert printed.stderr.count("\n") == 1
    assert says in printed.stderr
    assert not list(tmp_path.glob("*.kspy"))
    assert not list(tmp_path.glob(".kspy-*"))


@pytest.mark.parametrize("path", ["missing.har", "."])
def test_no_such_file(path: str, tmp_path: Path) -> None:
    printed = run_kspy("import", tmp_path / path, "-o", tmp_path / "out.kspy")
    assert printed.returncode == 2
    assert "cannot be read" in printed.stderr
    assert printed.stderr.count("\n") == 1


def test_a_file_is_not_written_over_itself(tmp_path: Path) -> None:
    path = save(tmp_path, har(entry([frame("send", 1, "execute_request")])))
    before = path.read_bytes()
    printed = run_kspy("import", path, "-o", path, "--force")
    assert (printed.returncode, printed.stdout) == (2, "")
    assert "is the file to import" in printed.stderr
    assert path.read_bytes() == before


def test_a_recording_needs_no_import(tmp_path: Path) -> None:
    hello = Path(__file__).parent.parent / "recordings" / "hello.kspy"
    printed = run_kspy("import", hello, "-o", tmp_path / "out.kspy")
    assert (printed.returncode, printed.stdout) == (2, "")
    assert "is a recording already" in printed.stderr
    assert not (tmp_path / "out.kspy").exists()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (har(), "has no messages of kernels"),
        (har(page()), "has no messages of kernels"),
        (har(entry([])), "Firefox leaves them out"),
        (har({"request": {"url": f"ws://x/api/kernels/{KERNEL}/channels"}}), "Firefox"),
        ([], "has no messages of kernels"),
        ([{"a": 1}], "has no messages of kernels"),
    ],
)
def test_nothing_to_import(value: object, says: str, tmp_path: Path) -> None:
    printed = run_kspy("import", save(tmp_path, value), "-o", tmp_path / "out.kspy")
    assert (printed.returncode, printed.stderr) == (1, "")
    assert says in printed.stdout
    assert printed.stdout.count("\n") == 1
    assert not (tmp_path / "out.kspy").exists()


some_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
URL = f"ws://x/api/kernels/{KERNEL}/channels"
some_frame = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["send", "receive", "error"]) | some_json,
        "time": st.floats(allow_nan=False) | some_json,
        "opcode": st.integers(-1, 10) | some_json,
        "data": st.binary().map(lambda data: base64.b64encode(data).decode()) | some_json,
    },
)
some_entry = st.fixed_dictionaries(
    {},
    optional={
        "request": st.fixed_dictionaries({"url": st.just(URL) | some_json}) | some_json,
        "response": st.fixed_dictionaries({"headers": some_json}) | some_json,
        "startedDateTime": some_json | st.datetimes().map(lambda date: f"{date.isoformat()}Z"),
        "_webSocketMessages": st.lists(some_frame | some_json, max_size=4) | some_json,
    },
)
some_log = st.fixed_dictionaries(
    {"log": st.fixed_dictionaries({"entries": st.lists(some_entry | some_json, max_size=4)})},
    optional={"more": some_json},
)
some_spied = st.lists(
    st.fixed_dictionaries(
        {"header": st.fixed_dictionaries({"msg_type": st.text()}, optional={"date": some_json})},
        optional={"channel": some_json, "content": some_json},
    )
    | some_json
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some_log | some_spied | some_json)
def test_any_json(tmp_path: Path, value: object) -> None:
    """It is read, or refused."""
    path = save(tmp_path, value)
    with Spool() as spool:
        with contextlib.suppress(KspyError):
            read_source(path, spool)
        for conversation in spool.conversations:
            stories = list(conversation.in_order())
            assert len(stories) >= conversation.messages > 0
            assert all(story.time_ns >= 0 for story in stories)


HUGE = """
import resource, sys
from pathlib import Path
from kspy.imports.source import read_source
from kspy.imports.spool import Spool
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20),) * 2)
with Spool() as spool:
    read_source(Path(sys.argv[1]), spool)
    print(sum(found.messages for found in spool.conversations))
"""


def test_a_long_file_takes_little_memory(tmp_path: Path) -> None:
    """150 MB within 64 MiB more than what an idle Python has; in Chrome's order."""
    path = tmp_path / "in.har"
    one = json.dumps(frame("receive", 1, "stream", V1, [bytes(1 << 20)]))
    before, after = json.dumps(har(entry([]))).split('"_webSocketMessages": []', 1)
    before += '"_webSocketMessages": '
    with path.open("w") as file:
        file.write(before + "[")
        for number in range(100):
            file.write("," * (number > 0) + one)
        file.write("]" + after)
    command = [sys.executable, "-c", HUGE, str(path)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("100\n", "")
