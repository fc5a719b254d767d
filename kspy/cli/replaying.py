"""What `kspy replay` does with a prepared replay: run, compare, print; and what signals do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from kspy.analysis.progress import Progress
from kspy.cli.compare_options import CompareOptions
from kspy.cli.progress_line import ProgressLine
from kspy.errors import KspyError
from kspy.export.compared.entry import ComparedThread
from kspy.export.style import style_of_stdout
from kspy.replay.client.fields import replay_json
from kspy.replay.client.replaying import Plan, Replay, Run
from kspy.replay.client.result import Runs
from kspy.replay.client.run import Watcher
from kspy.replay.client.text import ReplayLines

SAME: Final = 0
DIFFERENT: Final = 1
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Replaying:
    """All runs of one replay; `run` gives the exit code."""

    def __init__(self, path: Path, plan: Plan, options: CompareOptions) -> None:
        self._path = path
        self._plan = plan
        self._as_json = options.as_json
        self._everything = options.everything
        self._line = ProgressLine()
        self._signal = 0

    def run(self) -> int:
        # Tornado logs what it raises as well; it would be said twice.
        logging.getLogger("tornado").addHandler(logging.NullHandler())
        with self._line, Replay(self._path, self._plan) as replay:
            runs = Runs(replay, everything=self._everything, keep=self._as_json)
            lines = ReplayLines(style_of_stdout(), runs.result, everything=self._everything)
            self._print(lines.notes())
            try:
                self._run_all(replay, runs, lines)
            except KspyError:
                if runs.result.runs:  # what was made is worth as much
                    self._sum_up(runs, lines)
                raise
            self._sum_up(runs, lines)
            if self._signal:
                return 128 + self._signal
            return SAME if runs.result.same else DIFFERENT

    def _run_all(self, replay: Replay, runs: Runs, lines: ReplayLines) -> None:
        for number in range(1, self._plan.repeat + 1):
            run = asyncio.run(self._run(replay, number))
            if run is not None:
                self._compare(runs, run, lines)
            if run is None or self._signal:
                return

    def _sum_up(self, runs: Runs, lines: ReplayLines) -> None:
        self._print(lines.end())
        if self._as_json:
            self._line.clear()
            sys.stdout.write(replay_json(runs.result, str(self._path), runs.rules) + "\n")

    async def _run(self, replay: Replay, number: int) -> Run | None:
        """One run. None where a signal ended it before it had begun, or in the middle."""
        total, runs = len(replay.script.items), self._plan.repeat
        prefix = f"run {number} of {runs}: " if runs > 1 else ""
        self._line.show(f"{prefix}starting")
        watcher = Watcher(
            lambda done: self._line.count(f"{prefix}replaying", Progress(done, total))
        )
        task = asyncio.ensure_future(replay.run(number, watcher))
        with self._on_signals(task, watcher):
            try:
                return await task
            except asyncio.CancelledError:
                if not self._signal:
                    raise
                return None

    def _compare(self, runs: Runs, run: Run, lines: ReplayLines) -> None:
        alone = self._plan.repeat == 1

        def tell(thread: ComparedThread) -> None:
            if alone:
                self._print(lines.thread(thread))

        with _exit_on_signals():
            result = runs.compare(run, tell, lambda done: self._line.count("comparing", done))
        if alone:
            self._print(lines.run_end(result))
        else:
            self._print(lines.run_line(result, self._plan.repeat))

    def _print(self, lines: Iterable[str]) -> None:
        for line in () if self._as_json else lines:
            self._line.clear()
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    @contextlib.contextmanager
    def _on_signals(self, task: asyncio.Task[Run], watcher: Watcher) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._take_signal, number, task, watcher)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _take_signal(
        self, number: signal.Signals, task: asyncio.Task[Run], watcher: Watcher
    ) -> None:
        """The first Ctrl-C ends the replay where it is; all else ends it at once."""
        again, self._signal = bool(self._signal), int(number)
        if number != signal.SIGINT or again or not watcher.stop():
            task.cancel()


@contextlib.contextmanager
def _exit_on_signals() -> Iterator[None]:
    """Outside of an event loop: end by way of what is to be removed, as a private recording."""
    before = {number: signal.signal(number, _exit) for number in _SIGNALS[1:]}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)
