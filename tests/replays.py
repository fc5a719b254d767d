"""Replays in tests: in surroundings of their own, and sessions to be replayed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conversation import Conversation

import kspy
from kspy.analysis.filter import parse
from kspy.analysis.filter.select import whole_table
from kspy.analysis.table import Table
from kspy.replay.client.items import Send, Wait
from kspy.replay.client.part import chosen_threads
from kspy.replay.client.result import Replayed
from kspy.replay.client.script import Script, write_script
from kspy.speak.kernel import Kernel

RECORDINGS = Path(__file__).parent.parent / "recordings"


def record(path: Path, session: Callable[[Kernel], Awaitable[Any]], **options: Any) -> Path:
    """Record what `session` does with a kernel of its own, or the one that `options` say."""

    async def whole() -> None:
        async with kspy.connect(record=path, **(options or {"kernel": "python3"})) as kernel:
            await session(kernel)

    asyncio.run(whole())
    return path


async def execute(kernel: Kernel, code: str, **more: Any) -> Any:
    """Run a cell to its end; its thread."""
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": True}
    return await (await kernel.request("execute_request", content, **more)).done()


def differing(result: Replayed) -> list[tuple[str, str]]:
    """The verdict and the type of what did not come out as recorded."""
    return [(t.verdict, t.msg_type) for t in result.report.threads if t.verdict != "same"]


@contextmanager
def table_of(path: Path) -> Iterator[Table]:
    with kspy.open(path) as recording:
        yield whole_table(recording)


def told(script: Script) -> list[str]:
    """The script in words."""
    return [
        f"send {item.place}"
        if isinstance(item, Send)
        else f"wait {item.place} {item.what} {item.number}"
        if isinstance(item, Wait)
        else type(item).__name__
        for item in script.items
    ]


def script_of(path: Path, only: str = "") -> Script:
    with table_of(path) as table:
        return write_script(table, chosen_threads(table, parse(only)) if only else None)


def run(conversation: Conversation, code: str, client: int = 1) -> None:
    request = conversation.ask("execute_request", {"code": code}, client=client)
    conversation.status("busy", request)
    conversation.reply(request, client=client)
    conversation.status("idle", request)
