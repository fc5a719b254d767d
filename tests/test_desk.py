"""The desk takes steps of all jobs in turn, reports in order, and drops what is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator

import pytest

from kspy.analysis.progress import Progress
from kspy.tui import desk as desk_module
from kspy.tui.desk import Desk

Work = Generator[Progress, None, int]


def counting(steps: int, log: list[str], name: str = "", closed: list[str] | None = None) -> Work:
    try:
        for step in range(steps):
            log.append(name)
            yield Progress(step + 1, steps)
    finally:
        if closed is not None:
            closed.append(name)
    return steps


def test_a_result_comes_in_the_user_interface_s_thread() -> None:
    async def main() -> None:
        desk = Desk()
        done: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        desk.run(counting(3, []), lambda n: done.set_result((n, threading.get_ident())))
        assert await done == (3, threading.get_ident())
        desk.close()

    asyncio.run(main())


def test_jobs_take_turns_and_what_is_urgent_goes_first() -> None:
    async def main() -> None:
        desk = Desk()
        log: list[str] = []
        left = asyncio.Semaphore(0)
        long = [desk.run(counting(200, log, name), lambda _: left.release()) for name in "ab"]
        desk.run(counting(5, log, "u"), lambda _: left.release(), urgent=True)
        for _ in range(3):
            await left.acquire()
        assert len(long) == 2
        text = "".join(log)
        assert "uuuuu" in text
        rest = text[text.index("uuuuu") + 5 :]
        assert "ab" in rest
        assert "aaa" not in rest
        assert "bbb" not in rest
        desk.close()

    asyncio.run(main())


def test_a_cancelled_job_ends_and_says_nothing() -> None:
    async def main() -> None:
        desk = Desk()
        log: list[str] = []
        closed: list[str] = []
        told: list[object] = []
        job = desk.run(counting(10**9, log, "x", closed), told.append, told.append, told.append)
        while not log:
            await asyncio.sleep(0.001)
        job.cancel()
        told.clear()
        while not closed:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        assert told == []
        desk.close()

    asyncio.run(main())


def test_an_error_goes_to_who_asked() -> None:
    def failing() -> Work:
        yield Progress(0, 1)
        raise ValueError("no")

    async def main() -> None:
        desk = Desk()
        found: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        desk.run(failing(), on_error=found.set_result)
        assert isinstance(await found, ValueError)
        desk.close()

    asyncio.run(main())


@pytest.mark.parametrize("jobs", [1, 3])
def test_closing_ends_all_work(jobs: int) -> None:
    async def main() -> list[str]:
        desk = Desk()
        closed: list[str] = []
        logs: list[list[str]] = [[] for _ in range(jobs)]
        for log in logs:
            desk.run(counting(10**9, log, "x", closed))
        while not all(logs):
            await asyncio.sleep(0.001)
        desk.close()
        return closed

    assert asyncio.run(main()) == ["x"] * jobs


def test_what_is_read_is_closed_when_no_job_reads_it_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desk_module, "_CLOSING_SECONDS", 0.01)
    happened: list[str] = []
    entered, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def slow() -> Work:
        entered.set()
        assert go_on.wait(30)
        happened.append("read")
        yield Progress(0, 1)
        return 0

    def close() -> None:
        happened.append("closed")
        closed.set()

    async def main() -> None:
        desk = Desk()
        desk.run(slow())
        assert await asyncio.to_thread(entered.wait, 30)
        desk.close(close)
        happened.append("left")

    asyncio.run(main())
    assert happened == ["left"]
    go_on.set()
    assert closed.wait(30)
    assert happened == ["left", "read", "closed"]


def test_a_desk_that_has_ended_already_closes_what_it_read() -> None:
    closed: list[str] = []

    async def main() -> None:
        desk = Desk()
        desk.close()
        desk.close(lambda: closed.append("x"))

    asyncio.run(main())
    assert closed == ["x"]
