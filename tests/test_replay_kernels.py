"""`kspy.replay_to` to real kernels: what was the same is, and what is not is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from conversation import Conversation, serialize
from replays import RECORDINGS, differing, execute, record
from tapping import SLEEP, running_kernel, short_folder, surroundings

import kspy
from kspy.analysis.filter.select import whole_table
from kspy.errors import KspyError
from kspy.speak.kernel import Kernel


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with short_folder() as path:
        for name, value in surroundings(path).items():
            monkeypatch.setenv(name, value)
        yield path


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*.kspy")), ids=lambda path: path.stem)
def test_every_recording_comes_out_the_same(path: Path) -> None:
    result = kspy.replay_to(path, kernel="python3")
    assert result.same, str(result)
    assert not result.runs[0].story.unsent


async def eventful(kernel: Kernel) -> None:
    """Comms and subshells that the kernel names, buffers, a question, an interrupt by a signal."""
    await kernel.request("junk", {"pooh": True})
    opened = await execute(
        kernel,
        "from comm import create_comm\n"
        "comm = create_comm(target_name='t', buffers=[b'1', b''])\n"
        "comm.on_msg(lambda m: print(bytes(m['buffers'][0]), m['content']['data']))",
    )
    [comm] = [m.content["comm_id"] for m in opened.messages if m.msg_type == "comm_open"]
    content = {"comm_id": comm, "data": {"me": f"IPY_MODEL_{comm}"[:9]}}
    await (await kernel.request("comm_msg", content, buffers=[b"\x00\xff"])).done()
    made = await (await kernel.request("create_subshell_request", {})).done()
    assert made.reply is not None
    subshell = {"subshell_id": made.reply.content["subshell_id"]}
    await execute(kernel, "import threading\nthreading.current_thread().name != 'MainThread'",
                  header=subshell)  # fmt: skip
    content = {"code": "input('? ') * 2", "silent": False, "allow_stdin": True}
    thread = await kernel.request("execute_request", content)
    async for message in thread:
        if message.msg_type == "input_request":
            await kernel.reply_input(message, "ab")
    thread = await kernel.request("execute_request", {"code": SLEEP})
    async for message in thread:
        if message.msg_type == "execute_input":
            await asyncio.sleep(0.2)
            await kernel.interrupt()


def test_an_eventful_session_comes_out_the_same(folder: Path) -> None:
    path = record(folder / "a.kspy", eventful)
    result = kspy.replay_to(path, kernel="python3", record=folder / "b.kspy")
    assert result.same, str(result)
    assert (folder / "b.kspy").stat().st_mode & 0o777 == 0o600
    with kspy.open(folder / "b.kspy") as recording:
        table = whole_table(recording)
        [sent] = [m for m in recording if m.msg_type == "comm_msg" and m.direction == "to_kernel"]
        assert list(sent.buffers) == [b"\x00\xff"]
        assert table.names.count("junk") == 1
        assert any(event.name == "kernel_interrupted" for event in recording.events)


def test_a_restart_is_one_and_the_old_state_is_gone(folder: Path) -> None:
    path = folder / "a.kspy"
    with Conversation(path) as c:
        run_cell(c, "x = 1")
        request = c.ask("shutdown_request", {"restart": True}, "control")
        c.reply(request, {"restart": True}, "control")
        c.event("kernel_restarted")
        run_cell(c, "x")
    made, again = folder / "b.kspy", folder / "c.kspy"
    kspy.replay_to(path, kernel="python3", record=made)
    result = kspy.replay_to(made, kernel="python3", record=again)
    assert result.same, str(result)
    with kspy.open(again) as recording:
        errors = [m.content["ename"] for m in recording if m.msg_type == "error"]
        restarts = [event for event in recording.events if event.name == "kernel_restarted"]
    assert (errors, len(restarts)) == (["NameError"], 1)


def cells(path: Path, *codes: str) -> Path:
    """A recording in which each cell came to its end, and printed nothing."""
    with Conversation(path) as c:
        for code in codes:
            run_cell(c, code, silent=True)
    return path


def run_cell(c: Conversation, code: str, *, silent: bool = False) -> None:
    request = c.ask("execute_request", {"code": code, "silent": silent})
    c.status("busy", request)
    c.reply(request, {"execution_count": 0, "user_expressions": {}, "payload": []})
    c.status("idle", request)


def test_a_kernel_that_hangs_is_given_up_and_where(folder: Path) -> None:
    path = cells(folder / "a.kspy", "1", "import time; time.sleep(99)", "2")
    result = kspy.replay_to(path, kernel="python3", timeout=3)
    story = result.runs[0].story
    assert (story.end, story.seq, story.left) == ("hung", 4, 1)
    assert [thread.old for thread in result.report.threads if thread.verdict == "differs"][-1] == 4
    assert not result.same
    told = str(result).splitlines()
    assert told[-3].startswith(
        "hung at #4 execute_request (silent) import time; time.sleep(99): its"
    )
    assert told[-3].endswith("within 3 s; 1 message not sent")
    assert told[-2] == "not replayed: #8 execute_request (silent) 2"


def test_a_kernel_that_dies_is_given_up_and_where(folder: Path) -> None:
    path = cells(folder / "a.kspy", "import os; os._exit(3)", "2")
    result = kspy.replay_to(path, kernel="python3")
    story = result.runs[0].story
    assert (story.end, story.seq, story.left, result.same) == ("died", 0, 1, False)


def test_a_kernel_that_does_not_ask_gets_no_answer(folder: Path) -> None:
    result = kspy.replay_to(silent_question(folder / "a.kspy"), kernel="python3")
    assert not result.same
    assert result.runs[0].story.unsent == {"the kernel did not ask": 1}


def silent_question(path: Path) -> Path:
    """A recording of a cell that asked, though its code does not say so."""
    with Conversation(path) as c:
        request = c.ask("execute_request", {"code": "1", "silent": True})
        c.status("busy", request)
        asked, frames = serialize("input_request", {"prompt": "", "password": False}, request)
        c.raw("stdin", "to_client", frames, 1)
        _, frames = serialize("input_reply", {"value": "ab"}, asked)
        c.raw("stdin", "to_kernel", frames, 1)
        c.reply(request)
        c.status("idle", request)
    return path


def test_a_part_is_replayed_alone(folder: Path) -> None:
    result = kspy.replay_to(
        RECORDINGS / "two-clients.kspy", kernel="python3", only="client:1 'shared = [1]'"
    )
    assert result.same, str(result)
    assert result.notes == ["execution counts are not compared: a part is replayed"]
    assert len(result.runs[0].story.sent) == 1
    with pytest.raises(KspyError, match="nothing that a client sent is"):
        kspy.replay_to(RECORDINGS / "hello.kspy", kernel="python3", only="type:comm_open")


def test_what_is_not_stable_is_found(folder: Path) -> None:
    flaky = f"f = open({str(folder / 'f')!r}, 'a+'); f.write('x'); f.seek(0); print(f.read())"

    async def session(kernel: Kernel) -> None:
        for code in ("print('always')", flaky + "\nf.close()"):
            await execute(kernel, code)

    path = record(folder / "a.kspy", session)
    (folder / "f").unlink()
    result = kspy.replay_to(path, kernel="python3", repeat=2, record=folder / "b.kspy")
    assert [run.same for run in result.runs] == [True, False]
    [unstable] = result.unstable
    assert [way.runs for way in unstable.results] == [[1], [2]]
    assert flaky[:20] in unstable.sample.what
    assert [run.recording for run in result.runs] == [folder / "b-1.kspy", folder / "b-2.kspy"]
    assert str(result).splitlines()[-1] == "the same: 1 of 2 runs; not stable: 1 thread"


def test_a_kernel_that_runs_is_not_shut_down(folder: Path) -> None:
    path = folder / "a.kspy"
    with Conversation(path) as c:
        c.ask("shutdown_request", {"restart": False}, "control")
        request = c.ask("execute_request", {"code": "7"})
        c.status("busy", request)
        c.publish("execute_input", {"code": "7", "execution_count": 4}, request)
        c.status("idle", request)
    with running_kernel(folder) as connection_file:
        result = kspy.replay_to(path, connection_file)
    assert result.notes == [
        "execution counts are not compared: the kernel may have run other things before"
    ]
    [why] = result.runs[0].story.unsent
    assert why == "a kernel that somebody else started is not shut down"
    assert differing(result) == [("differs", "execute_request")], "it has a reply now"


def test_it_works_in_a_running_loop_and_says_what_is_missing(folder: Path) -> None:
    async def inside() -> bool:
        return kspy.replay_to(RECORDINGS / "hello.kspy", kernel="python3").same

    assert asyncio.run(inside())
    with pytest.raises(KspyError, match="say which kernel"):
        kspy.replay_to(RECORDINGS / "hello.kspy")
    with pytest.raises(KspyError, match="no kernel is named"):
        kspy.replay_to(RECORDINGS / "hello.kspy", kernel="nothing")
    assert not list(folder.glob("kspy-*")), "private recordings and kernels' folders are gone"
