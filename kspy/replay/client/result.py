"""What a replay gave: of each run what became of it and how it compares, and what is not stable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kspy.analysis.progress import Progress
from kspy.analysis.sameness.rules import Rules
from kspy.errors import KspyError
from kspy.export.compared.entry import ComparedThread
from kspy.export.compared.report import Report, finish
from kspy.export.style import Style
from kspy.replay.client.replaying import Plan, Replay, Run
from kspy.replay.client.run import Watcher
from kspy.replay.client.stability import Outcome, Stability
from kspy.replay.client.story import Story


@dataclass(frozen=True)
class RunResult:
    """One run.

    report      how its session compares with the recorded one
    recording   of its session, where one was asked for
    """

    number: int
    story: Story
    report: Report
    recording: Path | None

    @property
    def same(self) -> bool:
        return self.story.end == "done" and self.report.same


@dataclass
class Replayed:
    """What `kspy.replay_to` gives. `str` of it is the text that `kspy replay` prints.

    wanted     how many runs there are to be
    runs       those that there were, in order
    outcomes   of several runs, threads that were not as recorded in all of them
    notes      what to know before reading it
    """

    wanted: int
    runs: list[RunResult] = field(default_factory=list)
    outcomes: Sequence[Outcome] = ()
    notes: Sequence[str] = ()

    @property
    def same(self) -> bool:
        """Were all runs made, and each the same as the recording?"""
        return len(self.runs) == self.wanted and all(run.same for run in self.runs)

    @property
    def unstable(self) -> Sequence[Outcome]:
        """Threads that did not come out alike in all runs."""
        return [outcome for outcome in self.outcomes if not outcome.stable]

    @property
    def changed(self) -> Sequence[Outcome]:
        """Threads that came out alike in all runs, but otherwise than recorded."""
        return [outcome for outcome in self.outcomes if outcome.stable]

    @property
    def report(self) -> Report:
        """How the first run's session compares with the recorded one."""
        return self.runs[0].report

    @property
    def recording(self) -> Path | None:
        """Of the first run's session, where one was asked for."""
        return self.runs[0].recording

    def __str__(self) -> str:
        from kspy.replay.client.text import ReplayLines

        lines = ReplayLines(Style(colours=False, width=None), self)
        return "\n".join([*lines.notes(), *lines.runs(), *lines.end()])


class Runs:
    """The runs of a replay, one after the other, each compared when it has ended."""

    def __init__(self, replay: Replay, *, everything: bool = True, keep: bool = True) -> None:
        """`everything`: also what threads are about that are the same.

        `keep`: keep the threads, not only tell of them.
        """
        self._everything = everything
        self._keep = keep
        self.result = Replayed(replay.plan.repeat, notes=replay.notes)
        self._replay = replay
        self._stability = Stability(replay.rules)

    @property
    def rules(self) -> Rules:
        return self._replay.rules

    def compare(
        self,
        run: Run,
        on_thread: Callable[[ComparedThread], None] = lambda _: None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> RunResult:
        """Compare what was replayed; `on_thread` is told of each thread when it was compared."""
        # A run that its user ended says nothing of what it did not come to.
        counts = self.result.wanted > 1 and run.story.end != "interrupted"
        if counts:
            self._stability.begin(run.number)

        def tell(thread: ComparedThread) -> None:
            if counts:
                self._stability.add(thread)
            on_thread(thread)

        with self._replay.compared(run) as (new, work):
            tables = self._replay.table, new
            report = finish(
                work,
                tables,
                self._everything,
                tell,
                on_progress,
                keep=self._keep,
                # A thread that was as recorded in one run may be missing in another.
                named=counts,
            )
        kept = run.recording if self._replay.plan.target.record is not None else None
        result = RunResult(run.number, run.story, report, kept)
        self.result.runs.append(result)
        if counts:
            self.result.outcomes = self._stability.outcomes()
        return result


def replayed(path: Path, plan: Plan) -> Replayed:
    """Replay to the end, and compare. Raises `KspyError` where not even one run can be made.

    Where a later one cannot be made, those before it are worth as much: a note says why it ends.
    """
    with Replay(path, plan) as replay:
        runs = Runs(replay)
        for number in range(1, plan.repeat + 1):
            try:
                runs.compare(_finished(replay.run(number, Watcher())))
            except KspyError as error:
                if number == 1:
                    raise
                why = f"run {number} of {plan.repeat} could not be made: {error}"
                runs.result.notes = [*runs.result.notes, why]
                break
        return runs.result


def _finished(work: Coroutine[Any, Any, Run]) -> Run:
    """Do it; where there is a loop that runs, as in a notebook, in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
