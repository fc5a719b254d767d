"""What a replay gave, as lines for people: how each run compares, why it ended, what is not stable.

#12 execute_request  df.sample()  differs
    …
hung at #15 execute_request: its reply did not come within 60 s; 3 messages were not sent
different: 1 of 12 threads (1 differs)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from kspy.analysis.sanitize import one_line
from kspy.analysis.units import plural
from kspy.export.compared.entry import ComparedThread
from kspy.export.compared.text import ComparedLines, summary_line
from kspy.export.style import Style
from kspy.replay.client.result import Replayed, RunResult
from kspy.replay.client.stability import Outcome, Result
from kspy.replay.client.story import Story

_INDENT: Final = "    "
_NOTHING: Final = "nothing was compared"
_WAYS: Final = 5
"""Ways in which a thread came out that are told."""


class ReplayLines:
    """Makes the lines; `result` grows meanwhile."""

    def __init__(self, style: Style, result: Replayed, *, everything: bool = False) -> None:
        """`everything`: tell of what is the same, too."""
        self._style = style
        self._result = result
        self._threads = ComparedLines(style, everything=everything)

    def notes(self) -> Iterator[str]:
        for note in self._result.notes:
            yield self._style.dim(self._style.fit(f"note: {note}", 0))

    def runs(self) -> Iterator[str]:
        """All of the only run; a line of each of several."""
        runs, wanted = self._result.runs, self._result.wanted
        if wanted > 1:
            for run in runs:
                yield from self.run_line(run, wanted)
        for run in runs if wanted == 1 else ():
            for thread in run.report.threads:
                yield from self.thread(thread)
            yield from self.run_end(run)

    def thread(self, thread: ComparedThread) -> Iterator[str]:
        yield from self._threads.thread(thread)

    def run_end(self, run: RunResult) -> Iterator[str]:
        """What comes after a run's last thread."""
        *before, summary = self._threads.end(run.report.total)
        yield from before
        yield from self.story(run.story)
        yield summary if _is_any(run) else _NOTHING

    def run_line(self, run: RunResult, runs: int) -> Iterator[str]:
        """A line for one run of several, and what became of it."""
        summary = summary_line(run.report.total) if _is_any(run) else _NOTHING
        yield f"run {run.number} of {runs}  {summary}"
        for line in self.story(run.story):
            yield f"{_INDENT}{line}"

    def story(self, story: Story) -> Iterator[str]:
        """What was not as it is to be; nothing where all was."""
        for why, count in story.unsent.items():
            yield self._style.doubtful(f"{plural(count, 'message')} not sent: {one_line(why)}")
        if story.end == "done":
            return
        where = f" at {story.where}" if story.where else ""
        rest = f"; {plural(story.left, 'message')} not sent" if story.left else ""
        yield self._style.error(f"{story.end}{where}: {one_line(story.why)}{rest}")
        for words in story.left_at:
            yield self._style.doubtful(self._style.fit(f"not replayed: {words}", len(_INDENT)))
        if more := story.left - len(story.left_at):
            yield self._style.dim(f"… {more:,} more")

    def end(self) -> Iterator[str]:
        """What several runs gave together."""
        runs, wanted = len(self._result.runs), self._result.wanted
        if wanted < 2:
            return
        ended = sum(run.story.end != "interrupted" for run in self._result.runs)
        for outcome in self._result.outcomes:
            yield from self._outcome(outcome, ended)
        same = sum(run.same for run in self._result.runs)
        unstable, changed = len(self._result.unstable), len(self._result.changed)
        missing = f" ({wanted - runs} of {wanted} were not made)" if runs < wanted else ""
        runs_text = f"{plural(runs, 'run')}{missing}"
        said = f"; changed in all: {plural(changed, 'thread')}" if changed else ""
        yield f"the same: {same} of {runs_text}; not stable: {plural(unstable, 'thread')}{said}"

    def _outcome(self, outcome: Outcome, runs: int) -> Iterator[str]:
        sample, ways = outcome.sample, len(outcome.results) + bool(outcome.missing)
        number = f"#{sample.old}" if sample.old is not None else f"b #{sample.new}"
        words = f"not stable: {ways:,} ways in {plural(runs, 'run')}"
        if outcome.stable:
            words = f"{sample.verdict}, in {_all(runs)}"
        said = self._style.doubtful(words)
        head = f"{number} {one_line(sample.msg_type or sample.event)}"
        room = len(head) + len(said) + 4
        what = self._style.fit(sample.what, room)
        yield f"{head}  {what}  {said}" if what else f"{head}  {said}"
        if outcome.stable:
            yield from self._messages(sample)
            return
        for result in outcome.results[:_WAYS]:
            yield from self._way(result, runs)
        if len(outcome.results) > _WAYS:
            yield self._style.dim(f"{_INDENT}… {len(outcome.results) - _WAYS} more ways")
        if outcome.missing:
            yield f"{_INDENT}{_numbers(outcome.missing, runs)}: not there"

    def _way(self, result: Result, runs: int) -> Iterator[str]:
        verdict = result.sample.verdict
        said = "as recorded" if verdict == "same" else verdict
        yield f"{_INDENT}{_numbers(result.runs, runs)}: {said}"
        for line in self._messages(result.sample):
            yield f"{_INDENT}{line}"

    def _messages(self, thread: ComparedThread) -> Iterator[str]:
        _, *messages = ComparedLines(self._style, everything=True).thread(thread)
        yield from messages


def _is_any(run: RunResult) -> bool:
    """Was there anything to compare?"""
    return any(run.report.counts.values())


def _all(runs: int) -> str:
    return f"all {runs} runs" if runs > 1 else "the only run"


def _numbers(runs: Sequence[int], of: int) -> str:
    """`7 of 10 runs (1-4, 8-10)`."""
    stretches = []
    for _, found in groupby(enumerate(runs), lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in found]
        first, last = numbers[0], numbers[-1]
        stretches.append(f"{first}" if first == last else f"{first}-{last}")
    return f"{len(runs)} of {plural(of, 'run')} ({', '.join(stretches)})"
