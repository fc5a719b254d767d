"""Every recording in recordings/ is served to a client, which gets what was recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tapping import wait_for
from viewing import RECORDINGS

import kspy
from kspy.analysis.difference import Difference
from kspy.analysis.sameness.comparing import Comparer
from kspy.analysis.sameness.rules import Rules
from kspy.pytest_plugin.kernels import ServedKernel
from kspy.recording.threads import Thread
from kspy.speak.kernel import Kernel
from kspy.speak.thread import LiveThread
from kspy.wire.message import Message

NAMES = sorted(path.stem for path in RECORDINGS.glob("*.kspy"))


@contextmanager
def served(recording: Path, **options: Any) -> Iterator[ServedKernel]:
    kernel = ServedKernel(recording, **options)
    try:
        yield kernel
    finally:
        kernel.stop()


async def ask_again(kernel: Kernel, thread: Thread) -> LiveThread:
    """Send a recorded request as it was, and wait for what answers it."""
    request = thread.request
    live = await kernel.request(
        request.msg_type,
        request.content,
        channel=request.channel,
        buffers=request.buffers,
        header={"version": request.header["version"]},
    )
    if request.content.get("code", "").endswith("time.sleep(600)"):
        await until(live, "execute_input")
        await (await kernel.request("interrupt_request")).done()
    elif len(thread.messages) and any(m.msg_type == "input_request" for m in thread.messages):
        await kernel.reply_input(await until(live, "input_request"), "Ada")
    return live


async def until(live: LiveThread, msg_type: str) -> Message:
    async for message in live:
        if message.msg_type == msg_type:
            return message
    raise AssertionError(f"{msg_type} did not come")


def by_channel(messages: list[Message]) -> dict[str, list[Message]]:
    """What the kernel said: channels overtake each other, within one the order holds."""
    found: dict[str, list[Message]] = {}
    for message in messages:
        if message.direction == "to_client":
            found.setdefault(message.channel, []).append(message)
    return found


def differences(old: Thread, new: LiveThread, comparer: Comparer) -> list[Difference]:
    recorded, heard = by_channel(list(old.messages)), by_channel(list(new.messages))
    assert {c: [m.msg_type for m in ms] for c, ms in heard.items()} == {
        c: [m.msg_type for m in ms] for c, ms in recorded.items()
    }
    return [
        difference
        for channel, messages in recorded.items()
        for one, other in zip(messages, heard[channel], strict=True)
        for difference in comparer.differences(one, other)
    ]


def test_a_client_gets_what_was_recorded() -> None:
    """All in one test, as their servers start and end side by side."""
    kernels: list[ServedKernel] = []
    with ThreadPoolExecutor(len(NAMES)) as pool:
        try:
            kernels += pool.map(lambda name: ServedKernel(RECORDINGS / f"{name}.kspy"), NAMES)
            for name, kernel in zip(NAMES, kernels, strict=True):
                compare(name, kernel)
        finally:
            list(pool.map(ServedKernel.stop, kernels))


def compare(name: str, kernel: ServedKernel) -> None:
    """Does it answer what was recorded?"""

    async def converse(connection_file: Path) -> None:
        async with kspy.connect(connection_file) as kernel:
            comparer = Comparer(Rules.usual())
            for thread in threads:
                live = await ask_again(kernel, thread)
                if not dies(thread):
                    await live.done()
                else:
                    await until(
                        live, [m for m in thread.messages if m.channel == "iopub"][-1].msg_type
                    )
                assert differences(thread, live, comparer) == [], name

    def dies(thread: Thread) -> bool:
        return name == "kernel-dies" and thread is threads[-1]

    path = RECORDINGS / f"{name}.kspy"
    with kspy.open(path) as recording:
        threads = [
            thread
            for thread in recording.threads()
            if thread.request.direction == "to_kernel"
            and thread.request.msg_type != "interrupt_request"
        ]
        assert threads
        asyncio.run(converse(kernel.connection_file))
        assert "kspy:" not in kernel.said, name
        if name == "kernel-dies":
            wait_for(lambda: "the recorded kernel died here" in kernel.said, "its last words")
