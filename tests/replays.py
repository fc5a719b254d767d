"""Replays in tests: in surroundings of their own, and sessions to be replayed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import kspy
from kspy.replay.client.result import Replayed
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
