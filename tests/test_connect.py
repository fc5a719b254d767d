"""`kspy.connect`: speaking to kernels from Python, over ZeroMQ and WebSocket alike."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest
from servers import Server, running_server
from tapping import SLEEP, running_kernel, short_folder

import kspy
from kspy.errors import KspyError
from kspy.speak.kernel import Kernel
from kspy.wire.message import Message

Talk = Callable[[Kernel], Coroutine[Any, Any, None]]
Connect = Callable[..., AbstractAsyncContextManager[Kernel]]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


@pytest.fixture(scope="module")
def kernel_file(folder: Path) -> Iterator[Path]:
    with running_kernel(folder) as path:
        yield path


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with running_server(folder) as found:
        yield found
        assert found.kernels() == []


@pytest.fixture(params=["zeromq", "websocket"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """`kspy.connect` with where to connect to filled in."""
    if request.param == "zeromq":
        path: Path = request.getfixturevalue("kernel_file")
        return lambda **more: kspy.connect(path, **more)
    server: Server = request.getfixturevalue("server")
    return lambda **more: kspy.connect(gateway=server.url, token=server.token, **more)


def types(messages: list[Message]) -> list[str]:
    return [message.msg_type for message in messages]


def run(connect: Connect, talk: Talk, **more: Any) -> None:
    async def all_of_it() -> None:
        async with connect(**more) as kernel:
            await talk(kernel)

    asyncio.run(all_of_it())


def test_messages_come_while_the_kernel_runs(connect: Connect, tmp_path: Path) -> None:
    proof = tmp_path / "go on"
    code = (
        "import os, time\nprint('here', flush=True)\n"
        f"while not os.path.exists({str(proof)!r}): time.sleep(0.01)\nprint('done')"
    )

    async def talk(kernel: Kernel) -> None:
        thread = await kernel.request("execute_request", {"code": code})
        shown = ""
        async for message in thread:
            if message.msg_type == "stream":
                assert thread.end == "" or proof.exists()
                shown += message.content["text"]
                proof.touch()  # had "here" not come by now, the kernel would wait for ever
        assert shown == "here\ndone\n"
        assert (thread.end, thread.state) == ("done", "ok")
        assert thread.reply is not None
        assert thread.reply.content["status"] == "ok"

    run(connect, talk)


def test_nothing_is_lost_between_sending_and_looking(connect: Connect) -> None:
    async def talk(kernel: Kernel) -> None:
        thread = await kernel.request("execute_request", {"code": "print(1); 2"})
        while not thread.end:
            await asyncio.sleep(0.01)
        first = [message async for message in thread]
        again = [message async for message in thread]
        assert first == again == thread.messages
        assert first[0] is thread.request
        assert {"stream", "execute_result", "execute_reply"} < set(types(first))

    run(connect, talk)


def test_several_requests_at_once_each_have_their_own_answers(connect: Connect) -> None:
    async def talk(kernel: Kernel) -> None:
        threads = [
            await kernel.request("execute_request", {"code": f"print({n})"}) for n in range(20)
        ]
        for n, thread in enumerate(threads):
            await thread.done()
            texts = [m.content["text"] for m in thread.messages if m.msg_type == "stream"]
            assert "".join(texts) == f"{n}\n"
            assert {m.parent_id for m in thread.messages[1:]} == {thread.request.msg_id}

    run(connect, talk)


def test_what_comes_is_what_is_recorded(connect: Connect, tmp_path: Path) -> None:
    recording = tmp_path / "out.kspy"
    seen: list[Message] = []

    async def talk(kernel: Kernel) -> None:
        thread = await kernel.request(
            "execute_request", {"code": "1 + 1"}, metadata={"deep": {"er": [1]}}, buffers=[b"\0x"]
        )
        seen.extend([message async for message in thread])

    run(connect, talk, record=recording)
    with kspy.open(recording) as opened:
        thread = next(t for t in opened.threads() if t.request.msg_type == "execute_request")
        recorded = list(thread.messages)
        assert [(m.seq, m.time_ns, m.frames) for m in recorded] == [
            (m.seq, m.time_ns, m.frames) for m in seen
        ]
        assert recorded[0].metadata == {"deep": {"er": [1]}}
        assert recorded[0].buffers == [b"\0x"]
        assert {m.client for m in recorded} == {1}
    with pytest.raises(KspyError, match="exists already"):
        run(connect, talk, record=recording)
    run(connect, talk, record=recording, overwrite=True)


def test_a_kernel_that_asks_is_answered(connect: Connect) -> None:
    async def talk(kernel: Kernel) -> None:
        content = {"code": "print(input('name? '))", "allow_stdin": True}
        thread = await kernel.request("execute_request", content)
        async for message in thread:
            if message.msg_type == "input_request":
                assert message.content["prompt"] == "name? "
                await kernel.reply_input(message, "Ada\N{SNOWMAN}")
        found = types(thread.messages)
        assert found.index("input_request") < found.index("input_reply")
        text = [m.content["text"] for m in thread.messages if m.msg_type == "stream"]
        assert "".join(text) == "Ada\N{SNOWMAN}\n"

    run(connect, talk)


def test_the_time_limit_ends_a_thread_and_not_the_connection(connect: Connect) -> None:
    async def talk(kernel: Kernel) -> None:
        content = {"code": "input()", "allow_stdin": True}
        thread = await kernel.request("execute_request", content, timeout=2)
        await thread.done()
        assert (thread.end, thread.state, thread.reply) == ("time limit", "waiting", None)
        asked = next(m for m in thread.messages if m.msg_type == "input_request")
        await kernel.reply_input(asked, "at last")
        after = await (await kernel.request("execute_request", {"code": "3"})).done()
        assert (after.end, after.state) == ("done", "ok")
        assert thread.messages[-1] is not after.messages[-1]

    run(connect, talk)


def test_errors_aborted_requests_and_types_without_a_reply(connect: Connect) -> None:
    async def talk(kernel: Kernel) -> None:
        slow = {"code": "import time; time.sleep(0.5); 1 / 0", "stop_on_error": True}
        failing = await kernel.request("execute_request", slow)
        behind = await kernel.request("execute_request", {"code": "4"})
        assert (await failing.done()).state == "error"
        assert (await behind.done()).state == "aborted"
        comm = await kernel.request("comm_msg", {"comm_id": "none", "data": {}})
        assert ((await comm.done()).end, comm.answered, comm.reply) == ("done", True, None)
        junk = await kernel.request("junk", {"pooh": True})
        assert ((await junk.done()).end, junk.answered, junk.state) == ("done", False, None)

    run(connect, talk)


def test_what_json_has_no_words_for_is_refused_and_nothing_is_sent(connect: Connect) -> None:
    async def talk(kernel: Kernel) -> None:
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        for value in (object(), {1, 2}, deep):
            with pytest.raises(KspyError, match="JSON"):
                await kernel.request("junk", {"value": value})
        for timeout in (float("nan"), -1):
            with pytest.raises(KspyError, match="no number of seconds"):
                await kernel.request("junk", timeout=timeout)
        with pytest.raises(KspyError, match="iopub"):
            await kernel.request("junk", channel="iopub")
        assert (await (await kernel.request("kernel_info_request")).done()).state == "ok"

    run(connect, talk)


def test_a_kernel_that_dies_is_an_error_to_who_waits_and_who_asks_later(
    tmp_path: Path,
) -> None:
    async def talk(kernel: Kernel) -> None:
        code = "print('here', flush=True); import os; os._exit(3)"
        thread = await kernel.request("execute_request", {"code": code}, timeout=None)
        with pytest.raises(KspyError, match="exit status 3"):
            await thread.done()
        assert thread.end == "lost"
        with pytest.raises(KspyError, match="exit status 3"):
            await kernel.request("kernel_info_request")

    run(lambda **more: kspy.connect(kernel="python3", **more), talk)


def test_an_exception_inside_leaves_nothing_behind() -> None:
    async def talk() -> None:
        async with kspy.connect(kernel="python3") as kernel:
            await kernel.request("execute_request", {"code": SLEEP})
            raise ZeroDivisionError

    before = set(psutil.Process(os.getpid()).children(recursive=True))
    with pytest.raises(ZeroDivisionError):
        asyncio.run(talk())
    assert set(psutil.Process(os.getpid()).children(recursive=True)) <= before


def test_cancelled_while_it_connects_leaves_nothing_behind(server: Server) -> None:
    async def talk(after: float) -> None:
        async def wait() -> None:
            async with kspy.connect(gateway=server.url, token=server.token):
                await asyncio.sleep(60)

        task = asyncio.create_task(wait())
        await asyncio.sleep(after)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    for after in (0.0, 0.01, 0.05, 0.2):
        asyncio.run(talk(after))
        assert server.kernels() == []


def test_importing_kspy_imports_nothing_of_it() -> None:
    code = (
        "import sys, kspy; kspy.connect\n"
        "heavy = {'asyncio', 'zmq', 'tornado', 'jupyter_client', 'kspy.speak'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
