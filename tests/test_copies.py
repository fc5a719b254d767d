"""What is copied can be read again; code that sends a message again does so."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgpack import ExtType
from piloting import Coloured, piloted
from recorded import Said, write
from tapping import PATIENCE, running_kernel, short_folder

import kspy
from kspy.errors import KspyError
from kspy.export.copies import as_code, as_dict, as_hex, as_json, as_path, as_value
from kspy.export.json_lines import message_line
from kspy.tui.detail.copy_menu import Choices, CopyMenu
from kspy.wire.frames import DELIMITER, Channel
from kspy.wire.message import DECODE_LIMIT, Message

RECORDINGS: Final = Path(__file__).parent.parent / "recordings"


def made(folder: Path, *parts: bytes, channel: Channel = "shell", to: str = "to_kernel") -> Message:
    """A message of header, parent header, metadata, content and buffers, as it is in a file."""
    path = folder / "made.kspy"
    path.unlink(missing_ok=True)
    frames = [b"who-it-is-from", DELIMITER, b"its-signature", *parts]
    write(path, [[Said(1, channel, "to_kernel" if to == "to_kernel" else "to_client", frames)]])
    with kspy.open(path) as recording:
        message = recording[0]
        _ = message.frames
        return message


def request(folder: Path, msg_type: str, content: dict[str, Any], *buffers: bytes) -> Message:
    header = {"msg_id": "old-id", "msg_type": msg_type, "session": "old-session", "version": "5.3"}
    parts = [json.dumps(part).encode() for part in (header, {}, {"tag": "seen"}, content)]
    return made(folder, *parts, *buffers)


def every_message() -> list[Message]:
    found: list[Message] = []
    for path in sorted(RECORDINGS.glob("*.kspy")):
        with kspy.open(path) as recording:
            found += [message for message in recording if message.frames]
    return found


def test_json_is_that_of_the_lines() -> None:
    for message in every_message():
        assert json.loads(as_json(message)) == json.loads(message_line(message))


def test_dict_is_read_back_by_python() -> None:
    for message in every_message():
        read = ast.literal_eval(as_dict(message))
        assert read["content"] == message.content
        assert read["header"] == message.header
        assert read["buffers"] == [bytes(buffer) for buffer in message.buffers]
        assert read["channel"] == message.channel


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.text("a\n\"'\\ "),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(values)
def test_values_as_json(value: Any) -> None:
    text = as_value(value)
    text.encode()
    if isinstance(value, str):
        assert text == value
    elif "Infinity" not in text:
        assert json.loads(text) == value


def test_dict_of_anything(tmp_path: Path) -> None:
    content = {
        "inf": float("inf"), "ninf": -float("inf"), "nan": float("nan"), "half": "\ud800",
        "lines": "a = '''\n\tb\\n\"\r\n\n", "bidi": "\u202e", "empty": [{}, [], ""], "é": "漢",
    }  # fmt: skip
    message = request(tmp_path, "x", content, b"\0\xff")
    read = ast.literal_eval(as_dict(message))
    assert read["content"] == content | {"nan": "NaN"}
    assert read["buffers"] == [b"\0\xff"]
    as_json(message).encode()
    assert json.loads(as_json(message)) == json.loads(message_line(message))
    assert "old-id" in as_dict(message)
    assert "its-signature" not in as_dict(message)


@pytest.mark.parametrize("parts", [(), (b"{}", b"{}", b"{}", b"no JSON")], ids=["none", "bad"])
def test_what_does_not_decode_is_copied_as_frames(tmp_path: Path, parts: tuple[bytes, ...]) -> None:
    message = made(tmp_path, *parts)
    assert json.loads(as_json(message)) == json.loads(message_line(message))
    assert ast.literal_eval(as_dict(message))["frames"] == list(message.frames)
    with pytest.raises(KspyError, match="cannot be sent again"):
        as_code(message)


def test_deep_values(tmp_path: Path) -> None:
    depth = 900
    message = made(tmp_path, b"{}", b"{}", b"{}", b'{"a":' + b"[" * depth + b"]" * depth + b"}")
    assert as_json(message).count("[") == depth + 2
    assert as_value(message.content).count("[") == depth
    with pytest.raises(KspyError, match="nested too deep"):
        as_dict(message)


def test_path_and_hex() -> None:
    assert as_path(("content", "data", "text/plain")) == 'content.data["text/plain"]'
    assert as_path(("content", 3, b"key", None, 1.5)) == "content[3][b'key'][None][1.5]"
    assert as_path(("a b", "\ud800")) == r'["a b"]["\ud800"]'
    assert as_path(()) == ""
    assert as_hex([b"", bytes(range(0x3E, 0x4F))]) == (
        "frame 0: 0 bytes\n"
        "frame 1: 17 bytes\n"
        "00000000  3e 3f 40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d  |>?@ABCDEFGHIJKLM|\n"
        f"00000010  {'4e':47}  |N|\n"
    )
    assert as_value(ExtType(5, b"ab")) == '{"ext": 5, "base64": "YWI="}'


def test_code_is_only_for_what_goes_to_the_kernel(tmp_path: Path) -> None:
    for message in every_message():
        if message.direction == "to_client" or message.channel in ("hb", "iopub"):
            with pytest.raises(KspyError):
                as_code(message)
        else:
            code = as_code(message)
            compile(code, "code", "exec")
            assert message.parts is not None
            for secret in (message.parts.signature.decode(), message.msg_id):
                assert secret not in code
    hostile = request(
        tmp_path, '"""\nimport os #', {'"""': "'''\n\"\"\" + x\n{content}", "{": float("inf")}
    )
    tree = ast.parse(as_code(hostile))
    assert "import os" not in {
        ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Import)
    }


def run(code: str, folder: Path, connection_file: Path) -> str:
    script = folder / "again.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, str(script), str(connection_file)],
        capture_output=True, text=True, timeout=PATIENCE, cwd=folder, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


COMM: Final = """
def opened(comm, message):
    print("buffer", bytes(message["buffers"][0]), message["metadata"], message["content"]["data"])
    comm.send({"back": 1}, buffers=[b"123"])
get_ipython().kernel.comm_manager.register_target("echo", opened)
x = 5
print(x)
x + 1
"""


def test_code_sends_the_message_again(tmp_path: Path) -> None:
    with short_folder() as folder, running_kernel(folder) as connection_file:
        asked = request(
            tmp_path,
            "execute_request",
            {"code": COMM, "silent": False, "store_history": True, "user_expressions": {}},
        )
        said = run(as_code(asked), folder, connection_file)
        assert "iopub stream {'name': 'stdout', 'text': '5\\n'}" in said
        assert "'text/plain': '6'" in said
        assert "shell execute_reply {'status': 'ok'" in said
        assert "'idle'" in said
        assert "nothing more" not in said

        content = {"comm_id": "c1", "target_name": "echo", "data": {"a": [1, None, True]}}
        said = run(
            as_code(request(tmp_path, "comm_open", content, b"\0\xfe")), folder, connection_file
        )
        assert "buffer b'\\\\x00\\\\xfe' {'tag': 'seen'} {'a': [1, None, True]}" in said
        assert "iopub comm_msg" in said
        assert "buffers of [3] bytes" in said
        assert "nothing more" not in said


def test_code_speaks_msgpack(tmp_path: Path) -> None:
    header = {"msg_id": "old-id", "msg_type": "comm_info_request", "subshell_id": None}
    content = {"x": ExtType(5, b"ab"), "y": b"bytes", "z": float("nan")}
    code = as_code(made(tmp_path, *(msgpack.packb(part) for part in (header, {}, {}, content))))
    assert "'y': b'bytes'" in code
    assert "'z': float(\"nan\")" in code
    packer = ["--Session.packer=msgpack", "--Session.unpacker=msgpack"]
    with (
        short_folder() as folder,
        running_kernel(folder, extra_arguments=packer) as connection_file,
    ):
        said = run(code, folder, connection_file)
        assert "shell comm_info_reply" in said
        assert "nothing more" not in said


# The menu


def menu_of(message: Message, asked: Message | None = None) -> CopyMenu:
    return CopyMenu(message, asked, (("content", "text"), message.content.get("text", "some text")))


def notes(app: Coloured[None]) -> list[str]:
    return [note.message for note in app._notifications]


@piloted
async def test_menu_copies_what_is_chosen(tmp_path: Path) -> None:
    message = request(tmp_path, "comm_msg", {"text": "the [b]text[/b]"})
    app = Coloured[None]()
    async with app.run_test(size=(80, 24)) as pilot:
        for keys, expected, said in (
            (["enter"], "the [b]text[/b]", "copied: content.text, 15 bytes"),
            (["j", "enter"], "content.text", "copied: path, 12 bytes"),
            (["m"], as_json(message), "copied: message as JSON, 456 bytes"),
            (["d"], as_dict(message), ""),
            (["c"], as_code(message), ""),
            (["h"], as_hex(message.frames), ""),
        ):
            app.push_screen(menu_of(message))
            await pilot.pause()
            await pilot.press(*keys)
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()
            assert app.clipboard == expected
            assert said in notes(app)[-1]
            assert not isinstance(app.screen, CopyMenu)
        app.push_screen(menu_of(message))
        await pilot.pause()
        await pilot.press("escape")
        assert not isinstance(app.screen, CopyMenu)


@piloted
async def test_menu_takes_the_request_for_code(tmp_path: Path) -> None:
    asked = request(tmp_path, "kernel_info_request", {})
    message = made(tmp_path, *[b"{}"] * 4, to="to_client")
    app = Coloured[None]()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(menu_of(message, asked))
        await pilot.pause()
        await pilot.press("c")
        await pilot.app.workers.wait_for_complete()
        assert app.clipboard == as_code(asked)
        app.push_screen(menu_of(message))
        await pilot.pause()
        await pilot.press("c")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(app.screen, CopyMenu)
        assert "not a message that a client sends" in said_in(app.screen)


def said_in(screen: CopyMenu) -> str:
    return " ".join(str(widget.render()) for widget in screen.query("#dialog > *").results())


@piloted
async def test_large_text_is_asked_about_or_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "x" * 1_100_000 + "\ud800"
    message = request(tmp_path, "comm_msg", {"text": text})
    app = Coloured[None]()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(menu_of(message))
        await pilot.pause()
        await pilot.press("enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert app.clipboard == ""
        assert isinstance(app.screen, CopyMenu)
        assert "1.1 MB: many terminals refuse so much" in said_in(app.screen)
        await pilot.press("enter")
        await pilot.app.workers.wait_for_complete()
        assert app.clipboard == "x" * 1_100_000 + r"\ud800"
        for name in ("message-0.txt", "message-0-2.txt"):
            app.push_screen(menu_of(message))
            await pilot.pause()
            await pilot.press("w")
            await pilot.app.workers.wait_for_complete()
            assert (tmp_path / name).read_text() == app.clipboard
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


@piloted
async def test_menu_of_an_oversized_message(tmp_path: Path) -> None:
    message = made(tmp_path, b"{}", b"{}", b"{}", b" " * (DECODE_LIMIT + 1))
    app = Coloured[None]()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(CopyMenu(message, None, None))
        await pilot.pause()
        await pilot.press("enter", "m", "w")
        assert isinstance(app.screen, CopyMenu)
        assert "67 MB are too many to be copied" in said_in(app.screen)
        assert not app.screen.query(Choices)
        await pilot.press("escape")
        assert not isinstance(app.screen, CopyMenu)
