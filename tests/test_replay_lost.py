"""Replays to kernels that are mute, die, or are said to be dead: the test decides when."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conversation import Conversation
from fake_kernel import KEY, FakeKernel, fake_kernel, signed
from jupyter_client.session import Session
from tapping import short_folder, surroundings

import kspy
from kspy.analysis.filter.select import whole_table
from kspy.cli.main import main
from kspy.errors import KspyError
from kspy.replay.client import pacing
from kspy.replay.client.pacing import Pace
from kspy.replay.client.run import Watcher, run
from kspy.replay.client.script import write_script
from kspy.replay.client.story import Story
from kspy.speak import hearing
from kspy.speak.connect import Target
from kspy.speak.local import Existing

LONG = 3600.0
DYING = """
import json, os, sys, zmq
kinds = {"shell": zmq.ROUTER, "iopub": zmq.PUB, "stdin": zmq.ROUTER, "control": zmq.ROUTER,
         "hb": zmq.REP}
values, context = json.load(open(sys.argv[1])), zmq.Context()
sockets = {name: context.socket(kind) for name, kind in kinds.items()}
for name, socket in sockets.items():
    socket.bind(f"tcp://{values['ip']}:{values[name + '_port']}")
sockets[sys.argv[2]].recv_multipart()
os._exit(7)
"""
"""A kernel that says nothing, and dies of the first message on a channel."""


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with short_folder() as path:
        paths = os.pathsep.join([str(path), os.environ.get("JUPYTER_PATH", "")])
        for name, value in surroundings(path, JUPYTER_PATH=paths).items():
            monkeypatch.setenv(name, value)
        for channel in ("shell", "control"):
            kernelspec = path / "kernels" / f"dies-of-{channel}"
            kernelspec.mkdir(parents=True)
            argv = [sys.executable, "-c", DYING, "{connection_file}", channel]
            values = {"argv": argv, "display_name": "d", "language": "none"}
            (kernelspec / "kernel.json").write_text(json.dumps(values))
        yield path


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked once what it is, and then waited for."""
    monkeypatch.setattr(hearing, "_WELCOME_SECONDS", 0.0)
    for name in ("_NUDGE_SECONDS", "_BUSY_SECONDS", "_START_SECONDS"):
        monkeypatch.setattr(hearing, name, LONG)


def recording(path: Path, end: Callable[[Conversation], Any] = lambda _: None) -> Path:
    with Conversation(path) as c:
        c.ask("execute_request", {"code": "1"})
        end(c)
    return path


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ([sys.executable, "-c", "import time; time.sleep(99)"], "does not listen 0.5 s after"),
        ([], "its kernelspec has no command"),
    ],
)
def test_a_kernel_that_cannot_be_reached_is_said_to_be_the_kernel(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], why: str
) -> None:
    """And not a file that is out of date: nobody has given one."""
    monkeypatch.setattr(pacing, "LISTEN_SECONDS", 0.5)
    kernelspec = folder / "kernels" / "unheard"
    kernelspec.mkdir()
    values = {"argv": command, "display_name": "d", "language": "none"}
    (kernelspec / "kernel.json").write_text(json.dumps(values))
    with pytest.raises(KspyError, match=f"kernel unheard: .*{why}"):
        kspy.replay_to(recording(folder / "a.kspy"), kernel="unheard", timeout=0.3)


@pytest.mark.parametrize(("timeout", "listens"), [(0.3, 60), (300, 300), (None, math.inf)])
def test_a_kernel_may_take_as_long_to_start_as_to_answer(
    timeout: float | None, listens: float
) -> None:
    assert Pace(timeout=timeout).listen_seconds == listens


@pytest.mark.usefixtures("patient")
def test_a_kernel_that_dies_before_it_is_heard_is_not_waited_for(folder: Path) -> None:
    path = recording(folder / "a.kspy")
    [run] = kspy.replay_to(path, kernel="dies-of-control", timeout=None).runs
    assert (run.story.end, run.story.left) == ("died", 1)
    assert "exit status 7" in run.story.why


def played(
    kernel: FakeKernel,
    path: Path,
    conversation: Callable[[FakeKernel], bool],
    speed: float | None = None,
) -> Story:
    """Replay to `kernel`, which the test speaks for meanwhile; recorded beside `path`.

    The user has enough when `conversation` is over and says so.
    """

    async def both() -> Story:
        with kspy.open(path) as opened:
            table, watcher = whole_table(opened), Watcher()
            file, record = path.parent / "kernel-fake.json", path.parent / "b.kspy"
            kernel.write(file)
            target = Target(str(file), record=str(record))
            work = asyncio.create_task(
                run(table, write_script(table), target, Pace(speed, LONG), watcher)
            )
            if await asyncio.to_thread(conversation, kernel):
                watcher.stop()
            return await work

    return asyncio.run(both())


@pytest.mark.usefixtures("patient")
def test_who_has_enough_of_a_mute_kernel_need_not_wait_for_it(folder: Path) -> None:
    def conversation(kernel: FakeKernel) -> bool:
        return bool(kernel.receive("control"))

    with fake_kernel() as kernel:
        story = played(kernel, recording(folder / "a.kspy"), conversation)
    assert (story.end, story.sent, story.left) == ("interrupted", [], 1)


def test_the_time_limit_counts_for_a_kernel_that_is_mute() -> None:
    waited: list[float] = []
    nudged: list[str] = []

    async def heard(seconds: float) -> bool:
        waited.append(seconds)
        return False

    async def nudge(channel: str) -> None:
        nudged.append(channel)

    asyncio.run(hearing.until_heard(heard, nudge, owned=True, limit=0.0))
    assert (waited, nudged) == ([0.0], [])


def test_who_comes_after_the_kernel_died_as_it_did_sends_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(c: Conversation) -> None:
        c.event("kernel_died", exit_status=7)
        c.ask("execute_request", {"code": "2"}, client=2)

    monkeypatch.setattr(hearing, "_START_SECONDS", 0.0)
    result = kspy.replay_to(recording(folder / "a.kspy", die), kernel="dies-of-shell")
    [run] = result.runs
    assert (run.story.end, run.story.unsent) == ("done", {"the kernel was gone": 1})
    assert [t.verdict for t in result.report.threads] == ["same", "only in a"]


def test_more_clients_than_can_be_are_refused_before_a_kernel_is_started(folder: Path) -> None:
    def others(c: Conversation) -> None:
        for client in range(2, 202):
            c.ask("execute_request", {"code": "2"}, client=client)

    with pytest.raises(KspyError, match="201 clients are too many"):
        kspy.replay_to(recording(folder / "a.kspy", others), kernel="dies-of-control")


def restart(c: Conversation) -> None:
    c.status("restarting")


def restart_and_tell(c: Conversation) -> None:
    c.status("restarting")
    c.event("kernel_died")


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("recorded", "end", "events"),
    [
        (lambda _: None, "died", 1),
        (restart, "done", 0),  # as that recording, too, has it from the server alone
        (restart_and_tell, "done", 1),
    ],
)
def test_a_death_that_a_server_tells_is_recorded(
    folder: Path, recorded: Callable[[Conversation], None], end: str, events: int
) -> None:
    def conversation(kernel: FakeKernel) -> bool:
        kernel.receive("control")
        kernel.send("iopub", signed("status", {"execution_state": "idle"}))
        kernel.receive("shell")
        kernel.send("iopub", signed("status", {"execution_state": "restarting"}))
        return False

    with fake_kernel() as kernel:
        story = played(kernel, recording(folder / "a.kspy", recorded), conversation)
    assert story.end == end
    with kspy.open(folder / "b.kspy") as opened:
        assert [event.name for event in opened.events].count("kernel_died") == events


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("speed", "heard"), [(1.0, ["late"]), (None, [])])
def test_with_pauses_it_is_listened_for_as_long_as_it_was(
    folder: Path, speed: float | None, heard: list[str]
) -> None:
    """What a thread in the background prints now, and did not then, is not missed."""

    def listen(c: Conversation) -> None:
        c.now_ns += 1_000_000_000
        c.event("tap_stopped")

    def conversation(kernel: FakeKernel) -> bool:
        kernel.receive("control")
        kernel.send("iopub", signed("status", {"execution_state": "idle"}))
        kernel.receive("shell")
        time.sleep(0.4)
        kernel.send("iopub", signed("stream", {"name": "stdout", "text": "late"}))
        return False

    with fake_kernel() as kernel:
        story = played(kernel, recording(folder / "a.kspy", listen), conversation, speed)
    assert story.end == "done"
    with kspy.open(folder / "b.kspy") as opened:
        assert [m.content["text"] for m in opened if m.msg_type == "stream"] == heard


@pytest.mark.usefixtures("patient")
def test_a_comm_that_is_opened_unasked_is_known_by_its_new_id(folder: Path) -> None:
    def use(c: Conversation) -> None:
        c.publish("comm_open", {"comm_id": "0" * 32, "target_name": "t"})
        c.ask("comm_msg", {"comm_id": "0" * 32})

    new, got = "f" * 32, list[bytes]()

    def conversation(kernel: FakeKernel) -> bool:
        kernel.receive("control")
        kernel.send("iopub", signed("status", {"execution_state": "idle"}))
        kernel.receive("shell")
        kernel.send("iopub", signed("comm_open", {"comm_id": new, "target_name": "t"}))
        got.extend(kernel.receive("shell"))
        return False

    with fake_kernel() as kernel:
        story = played(kernel, recording(folder / "a.kspy", use), conversation)
    assert (story.end, json.loads(got[-1])) == ("done", {"comm_id": new})


def tell_of_a_shutdown(kernel: FakeKernel) -> None:
    """That of a client which is not of the replay, to restart the kernel."""
    kernel.receive("control")
    kernel.send("iopub", signed("status", {"execution_state": "starting"}))
    kernel.receive("shell")
    session, stranger = Session(key=KEY), {"msg_id": "m", "session": "s"}
    told = session.msg("shutdown_reply", {"restart": True}, parent={"header": stranger})
    kernel.send("iopub", session.serialize(told))


def restarts(folder: Path) -> list[Any]:
    with kspy.open(folder / "b.kspy") as opened:
        return [dict(event.data) for event in opened.events if event.name == "kernel_restarted"]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("heard", [True, False])
def test_a_restart_by_somebody_else_is_recorded(folder: Path, heard: bool) -> None:
    """Even where nothing is heard of the kernel, nor sent, after it."""

    def conversation(kernel: FakeKernel) -> bool:
        tell_of_a_shutdown(kernel)
        if heard:
            kernel.send("iopub", signed("status", {"execution_state": "starting"}))
        return False

    def listen(c: Conversation) -> None:
        c.now_ns += 300_000_000
        c.event("tap_stopped")

    with fake_kernel() as kernel:
        story = played(kernel, recording(folder / "a.kspy", listen), conversation, 1.0)
    assert story.end == "done"
    assert restarts(folder) == [{"by": "somebody else"}]


@pytest.mark.usefixtures("patient")
def test_a_restart_of_the_replay_is_not_taken_for_somebody_elses(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def again(_: Existing) -> None:
        pass

    def conversation(kernel: FakeKernel) -> bool:
        tell_of_a_shutdown(kernel)
        kernel.receive("control")
        kernel.send("iopub", signed("status", {"execution_state": "starting"}))
        return False

    def end(c: Conversation) -> None:
        c.now_ns += 300_000_000
        c.event("kernel_restarted")

    monkeypatch.setattr(Existing, "restart", again)
    with fake_kernel() as kernel:
        story = played(kernel, recording(folder / "a.kspy", end), conversation, 1.0)
    assert story.end == "done"
    assert len(restarts(folder)) == 1


def once(folder: Path) -> str:
    """A kernel that dies, and is not there a second time; its name."""
    kernelspec = folder / "kernels" / "once" / "kernel.json"
    kernelspec.parent.mkdir()
    code = f"import os; os.remove({str(kernelspec)!r})\n{DYING}"
    argv = [sys.executable, "-c", code, "{connection_file}", "control"]
    values = {"argv": argv, "display_name": "d", "language": "none"}
    kernelspec.write_text(json.dumps(values))
    return kernelspec.parent.name


@pytest.mark.usefixtures("patient")
def test_what_was_run_is_summed_up_though_the_next_run_cannot_be(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recording(folder / "a.kspy")
    assert main(["replay", str(path), "--kernel", once(folder), "--fast", "--repeat", "3"]) == 2
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("the same: 0 of 1 run (2 of 3 were not made)")
    [line] = err.splitlines()
    assert "no kernel is named 'once'" in line


@pytest.mark.usefixtures("patient")
def test_from_python_the_runs_that_were_made_are_given_and_why_there_are_no_more(
    folder: Path,
) -> None:
    result = kspy.replay_to(recording(folder / "a.kspy"), kernel=once(folder), repeat=3)
    assert (len(result.runs), result.same) == (1, False)
    [note] = result.notes
    assert note.startswith("run 2 of 3 could not be made: no kernel is named 'once'")
    assert f"note: {note}" in str(result)
