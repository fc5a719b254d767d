"""A replay as a whole: which part of which recording, run so many times, each run compared.

Theory of operation: a run makes a recording of the new session, in a file that its user named or
in a private one that is removed; then the two recordings are compared, as any two are. Nothing is
said here; who shows it goes through the runs.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from kspy.analysis.filter import Filter
from kspy.analysis.filter.select import whole_table
from kspy.analysis.sameness.rules import COUNTS, Rules, ignored
from kspy.analysis.sameness.sessions import Work, compare_sessions
from kspy.analysis.sanitize import one_line
from kspy.analysis.table import Table
from kspy.analysis.units import plural
from kspy.errors import KspyError
from kspy.recording.reader import Recording
from kspy.replay.client.items import Send
from kspy.replay.client.pacing import Pace
from kspy.replay.client.part import chosen_threads
from kspy.replay.client.run import Watcher, run
from kspy.replay.client.script import write_script
from kspy.replay.client.story import Story
from kspy.speak.connect import Target

MOST_CLIENTS: Final = 200
"""Each has sockets and threads; a system gives a process no more than some thousand."""

_PREFIX: Final = "kspy-replay-"


@dataclass(frozen=True)
class Plan:
    """What is to be replayed, and how.

    target   the kernel; its `record` is where the new session goes, None: nowhere for long
    rules    what does not count in the comparison; `strict`: that is all, whatever the kernel
    only     of the recording, the threads of those client's messages that it lets through
    repeat   how many runs, each with a kernel of its own if it is started for the replay
    factor   how many times as long, either way, makes a difference
    """

    target: Target
    rules: Rules
    pace: Pace
    only: Filter | None = None
    repeat: int = 1
    factor: float | None = None
    strict: bool = False

    def __post_init__(self) -> None:
        """Raises `KspyError` for numbers that are none of that."""
        if self.repeat < 1:
            raise KspyError(f"repeat: {self.repeat} is no number of runs; 1 is the least")
        if self.factor is not None and not 1 < self.factor < math.inf:
            raise KspyError("factor: is a number above 1, as 2 or 1.5")


@dataclass
class Run:
    """One of several, from 1. `recording` is there as long as the replay is open, or for good."""

    number: int
    story: Story
    recording: Path


@dataclass
class Replay:
    """A replay that is prepared; use it as a context manager. Raises `KspyError` on entering.

    rules   what does not count
    notes   what is to be known about the comparison before it is read
    """

    path: Path
    plan: Plan
    notes: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._recording = stack.enter_context(Recording(self.path))
            self._check_output()
            self.table = whole_table(self._recording)
            self.rules = self._rules()
            self.script = write_script(self.table, self._chosen())
            if not self.script.sends:
                raise KspyError(f"{self.path}: no client sent anything in it; nothing to replay")
            clients = {item.client for item in self.script.items if isinstance(item, Send)}
            if len(clients) > MOST_CLIENTS:
                raise KspyError(
                    f"{self.path}: {len(clients):,} clients are too many, {MOST_CLIENTS} are the"
                    " most; --only 'client:1' plays one"
                )
            if self.script.signals:
                sent = plural(self.script.signals, "signal")
                self.notes.append(f"{sent} of the frontend to the kernel are not replayed")
            if self._recording.state == "growing":
                self.notes.append("the recording still grows; what it has now is replayed")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def kernel_name(self) -> str:
        return one_line(str(self._recording.metadata.get("kernel_name") or ""))

    async def run(self, number: int, watcher: Watcher) -> Run:
        """Play it to a kernel. Raises `KspyError` where that cannot be done."""
        path = self._output(number)
        target = replace(
            self.plan.target, record=str(path), listen_seconds=self.plan.pace.listen_seconds
        )
        story = await run(self.table, self.script, target, self.plan.pace, watcher)
        return Run(number, story, path)

    @contextlib.contextmanager
    def compared(self, run: Run) -> Iterator[tuple[Table, Work]]:
        """The new session, and the work of comparing it with the recorded one."""
        threads = None
        if run.story.end != "done":
            threads = frozenset(map(self.table.thread, run.story.sent))
        elif self.plan.only is not None or run.story.withheld:
            sends = {item.place for item in self.script.items if isinstance(item, Send)}
            threads = frozenset(map(self.table.thread, sends.difference(run.story.withheld)))
        with Recording(run.recording) as recording:
            new = whole_table(recording)
            yield (
                new,
                compare_sessions(
                    self.table, new, self.rules, old_threads=threads, factor=self.plan.factor
                ),
            )

    def _chosen(self) -> frozenset[int] | None:
        if self.plan.only is None:
            return None
        threads = chosen_threads(self.table, self.plan.only)
        if not threads:
            raise KspyError(f"{self.path}: nothing that a client sent is what is to be replayed")
        return threads

    def _rules(self) -> Rules:
        """Where the kernel may have run other things before, its counts are others."""
        target, rules = self.plan.target, self.plan.rules
        why = ""
        if self.plan.only is not None:
            why = "a part is replayed"
        elif target.kernel_id is not None or (target.kernel is None and target.gateway is None):
            why = "the kernel may have run other things before"
        if not why or self.plan.strict or rules.has(COUNTS):
            return rules
        self.notes.append(f"execution counts are not compared: {why}")
        return Rules([*rules.active, ignored(COUNTS)])

    def _check_output(self) -> None:
        given = self.plan.target.record
        if given is None:
            return
        for number in range(1, self.plan.repeat + 1):
            path = self._named(Path(given), number)
            if path.exists() and path.samefile(self.path):
                raise KspyError(f"{path}: is what is replayed; give another name with -o")
            if path.exists() and not self.plan.target.overwrite:
                raise KspyError(f"{path}: exists already; --force writes over it")

    def _output(self, number: int) -> Path:
        """Where a run is recorded. Without a name for it, only for as long as it is compared."""
        given = self.plan.target.record
        if given is not None:
            return self._named(Path(given), number)
        folder = tempfile.mkdtemp(prefix=_PREFIX)  # mode 0700
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return Path(folder) / f"run-{number}.kspy"

    def _named(self, given: Path, number: int) -> Path:
        """`session.kspy`, or `session-3.kspy` of several runs."""
        if self.plan.repeat == 1:
            return given
        return given.with_name(f"{given.stem}-{number}{given.suffix}")
