"""`kspy serve` as a user runs it: over real sockets, with Jupyter's own clients."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command import KSPY
from conversation import Conversation
from fake_kernel import RawClient
from installed import TINY
from staging import Cell
from tapping import (
    PATIENCE,
    answer,
    answers,
    ask,
    connected,
    short_folder,
    surroundings,
    until_idle,
    wait_for,
)
from viewing import RECORDINGS

from kspy.cli.main import main
from kspy.wire.frames import CHANNELS


class Serving:
    """A `kspy serve` that runs."""

    def __init__(self, folder: Path, recording: Path, *options: str) -> None:
        self.connection_file = folder / "served.json"
        self._said = folder / "said.txt"
        words = [KSPY, "serve", str(recording), "--connection-file", str(self.connection_file)]
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [*words, *options], stdout=said, stderr=said, env=surroundings(folder), cwd=folder
            )
        wait_for(lambda: self.ready or self.process.poll() is not None, "the connection file")

    @property
    def ready(self) -> bool:
        return bool(self.connection) and "connect with" in self.said

    @property
    def said(self) -> str:
        return self._said.read_text()

    @property
    def connection(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.connection_file.read_bytes())
        except (OSError, ValueError):
            return {}
        return found

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(recording: Path, *options: str) -> Iterator[Serving]:
    """It must end well, and leave neither its file nor a temporary one."""
    with short_folder() as folder:
        found = Serving(folder, recording, *options)
        try:
            yield found
            if found.process.poll() is None:
                assert found.end() == 0, found.said
            assert "Traceback" not in found.said
            assert not found.connection_file.exists()
            assert list(folder.glob("kspy-*")) == []
        finally:
            found.process.kill()
            found.process.wait()


def printed(client: Any, code: str, **more: Any) -> tuple[dict[str, Any], str]:
    """The content of the reply, and what was printed or went wrong."""
    texts: list[str] = []

    def on_message(message: Any) -> None:
        content = message["content"]
        texts.append(content.get("text", content.get("evalue", "")))

    reply = client.execute_interactive(code, output_hook=on_message, timeout=PATIENCE, **more)
    return reply["content"], "".join(texts)


def test_it_says_how_to_connect_and_ends_when_asked() -> None:
    with serving(RECORDINGS / "hello.kspy") as served:
        left = served.connection_file.read_bytes()
        assert stat.S_IMODE(served.connection_file.stat().st_mode) == 0o600
        assert "serving" in served.said
        assert f"jupyter console --existing {served.connection_file}" in served.said
        ports = [served.connection[f"{channel}_port"] for channel in CHANNELS]
        assert all(map(answers, ports))
        assert served.end(signal.SIGHUP) == 0
        assert not any(map(answers, ports))
    with short_folder() as folder:
        (folder / "served.json").write_bytes(left)  # as after a kill
        again = Serving(folder, RECORDINGS / "hello.kspy")
        assert [again.connection[f"{channel}_port"] for channel in CHANNELS] == ports
        assert "end with Ctrl-C" in again.said
        assert again.end() == 0
        assert again.connection_file.read_bytes() == left


def test_several_clients_hear_what_is_published_and_are_greeted() -> None:
    with serving(RECORDINGS / "two-clients.kspy", "--fast") as served:
        with connected(served.connection_file) as one, connected(served.connection_file) as two:
            first = one.execute("shared = [1]")
            assert answer(one, first)["content"]["status"] == "ok"
            for client in (one, two):
                assert until_idle(client, first)[-1]["content"] == {"execution_state": "idle"}
            for client, count in ((one, 3), (two, 4)):
                reply = answer(client, client.execute("shared"))
                assert reply["content"]["execution_count"] == count
        raw = RawClient(served.connection, topic=b"anything")
        try:
            topic, delimiter, *_, content = raw.receive("iopub")
            assert (topic, delimiter) == (b"anything", b"<IDS|MSG>")
            assert json.loads(content) == {"subscription": "anything"}
            raw.send("hb", [b"ping"])
            assert raw.receive("hb") == [b"ping"]
        finally:
            raw.close()


def test_the_client_is_asked_for_input() -> None:
    with serving(RECORDINGS / "input.kspy") as served, connected(served.connection_file) as client:
        code = "print('hello', input('your name? '))"

        def on_input(message: Any) -> None:
            assert message["content"]["prompt"] == "your name? "
            client.input("Ada")

        assert printed(client, code, allow_stdin=True, stdin_hook=on_input)[1] == "hello Ada\n"
        assert printed(client, code, allow_stdin=False)[1] == "hello Ada\n"
        wait_for(lambda: served.said.count("kspy:") == 1, "the one line")


def test_speed_changes_no_order(tmp_path: Path) -> None:
    path = tmp_path / "ticks.kspy"
    with Cell(path) as made:
        request = made.ask("execute_request", {"code": "ticks()", "silent": False})
        made.status("busy", request)
        for tick in range(20):
            made.now_ns += 20_000_000
            made.publish("stream", {"name": "stdout", "text": f"{tick} "}, request)
        made.reply(request)
        made.status("idle", request)
    with serving(path, "--speed", "20") as served, connected(served.connection_file) as client:
        assert printed(client, "ticks()")[1] == "".join(f"{tick} " for tick in range(20))


def test_a_restart_begins_with_the_first_again(tmp_path: Path) -> None:
    path = tmp_path / "ticks.kspy"
    with Cell(path) as made:
        made.execute("tick()", "first")
        made.execute("tick()", "second")
    with serving(path, "--fast") as served, connected(served.connection_file) as client:
        assert printed(client, "tick()")[1] == "first"
        reply = ask(client, "shutdown_request", {"restart": True})
        assert reply["content"] == {"status": "ok", "restart": True}
        assert printed(client, "tick()")[1] == "first"
        assert ask(client, "shutdown_request", {"restart": False})["content"]["status"] == "ok"
        assert served.process.wait(PATIENCE) == 0
        assert "shut down by a client" in served.said


def test_a_fallback_answers_what_was_not_recorded() -> None:
    with (
        serving(RECORDINGS / "hello.kspy", "--fast", "--fallback", "python3") as served,
        connected(served.connection_file) as client,
    ):
        assert printed(client, 'print("hello")')[1] == "hello\n"
        assert "starting" not in served.said
        printed(client, "x = 41")
        code = "print(x + 1, input('who? '))"
        hook = lambda _: client.input("Ada")  # noqa: E731
        reply, text = printed(client, code, allow_stdin=True, stdin_hook=hook)
        assert (reply["status"], text) == ("ok", "42 Ada\n")
        sleeping = client.execute("print('on')\nimport time; time.sleep(600)")
        while client.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "stream":
            pass
        assert ask(client, "interrupt_request", {})["content"]["status"] == "ok"
        assert answer(client, sleeping)["content"]["ename"] == "KeyboardInterrupt"
        failing, waiting = client.execute("1 / 0"), client.execute("print('late')")
        assert answer(client, failing)["content"]["ename"] == "ZeroDivisionError"
        assert answer(client, waiting)["content"]["status"] == "aborted"
        printed(client, "import comm; it = comm.create_comm(target_name='there')")
        comms = ask(client, "comm_info_request", {})["content"]["comms"]
        assert list(comms.values()) == [{"target_name": "there"}]
        codes = ("import os; os._exit(3)", "print('again')")
        killing, *others = [client.execute(code, stop_on_error=False) for code in codes]
        assert "the fallback failed" in answer(client, killing)["content"]["evalue"]
        assert ask(client, "comm_info_request", {})["content"]["comms"] == {}
        for other in others:
            assert answer(client, other)["content"]["status"] == "ok"
        assert printed(client, 'print("hello")')[1] == "hello\n"
        assert ask(client, "shutdown_request", {"restart": True})["content"]["restart"]
        assert printed(client, "print('anew')")[1] == "anew\n"


def test_a_fallback_may_drop_the_clients_routing_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kernels" / "dropping"
    folder.mkdir(parents=True)
    spec = {"argv": [*TINY, "--first-frame"], "display_name": "Dropping", "language": "none"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    with (
        serving(RECORDINGS / "hello.kspy", "--fast", "--fallback", "dropping") as served,
        connected(served.connection_file) as client,
    ):
        assert ask(client, "never_recorded_request", {})["content"]["status"] == "ok"


def test_what_cannot_be_served_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    hello, wrong, empty = RECORDINGS / "hello.kspy", tmp_path / "wrong.json", tmp_path / "e.kspy"
    wrong.write_text("{}")
    with Conversation(empty):
        pass
    for arguments, why in (
        ((tmp_path / "none.kspy",), "none.kspy"),
        ((wrong,), "is not a kspy recording"),
        ((empty,), "has no messages"),
        ((hello, "--speed", "0"), "--speed 0 is no speed"),
        ((hello, "--speed", "nan"), "--speed nan is no speed"),
        ((hello, "--speed", "2", "--fast"), "exclude each other"),
        ((hello, "--sped", "2"), "No such option '--sped'"),
        ((hello, hello, "--connection-file", wrong), "unexpected extra argument"),
        ((hello, "--fallback", "no-such"), "no kernel is named 'no-such'"),
        ((hello, "--connection-file", wrong), "is no connection file"),
        ((hello, "--connection-file", tmp_path / "no" / "k.json"), "No such file"),
    ):
        assert main(["serve", *map(str, arguments)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert why in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.kspy", "wrong.json"]


def test_what_a_frontend_adds_is_let_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `jupyter run` adds its files. Then it looks at the connection file, and ends here."""
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    given = tmp_path / "kernel.json"
    given.write_text("{}")
    words = [str(RECORDINGS / "hello.kspy"), "--connection-file", str(given), "cell.py", "--debug"]
    assert main(["serve", *words]) == 2
    assert f"{given}: is no connection file" in capsys.readouterr().err
