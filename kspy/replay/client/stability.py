"""Which threads came out alike in every run of a replay, and which did not.

Each run is compared with the recording. Two runs gave the same for a thread where what differs
from the recording, if anything does, is the same for both.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from kspy.analysis.sameness.keys import masked_text
from kspy.analysis.sameness.rules import IDS, Rules
from kspy.export.compared.entry import ComparedThread, DifferingMessage


@dataclass
class Result:
    """What some runs gave, by their numbers; `sample` is what the first of them did."""

    sample: ComparedThread
    runs: list[int] = field(default_factory=list)


@dataclass
class Outcome:
    """All ways in which a thread came out; `missing` are the runs that did not come to it."""

    results: Sequence[Result]
    missing: Sequence[int]

    @property
    def sample(self) -> ComparedThread:
        """One of a run in which it differed, for that one says what it is about."""
        samples = [result.sample for result in self.results]
        return next((sample for sample in samples if sample.what), samples[0])

    @property
    def stable(self) -> bool:
        """Did it come out alike in all runs?"""
        return len(self.results) == 1 and not self.missing


class Stability:
    """Takes what was compared, run after run."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._runs: list[int] = []
        self._found: dict[Hashable, dict[bytes, Result]] = {}
        self._only_new: Counter[bytes] = Counter()

    def begin(self, run: int) -> None:
        self._runs.append(run)
        self._only_new.clear()

    def add(self, thread: ComparedThread) -> None:
        """What became of one thread in the run that was begun last."""
        digest = self._digest(thread)
        place: Hashable = bool(thread.event), thread.old  # events have numbers of their own
        if thread.old is None:  # the second of its kind in one run is the second in another
            self._only_new[digest] += 1
            place = digest, self._only_new[digest]
        results = self._found.setdefault(place, {})
        results.setdefault(digest, Result(thread)).runs.append(self._runs[-1])

    def outcomes(self) -> list[Outcome]:
        """Of threads that were not as recorded in all runs.

        Those of the recording in order, then what it has not.
        """
        found = []
        for by_digest in self._found.values():
            results = list(by_digest.values())
            there = {run for result in results for run in result.runs}
            missing = [run for run in self._runs if run not in there]
            outcome = Outcome(results, missing)
            if not outcome.stable or outcome.sample.verdict != "same":
                found.append(outcome)
        return sorted(found, key=lambda one: (one.sample.old is None, one.sample.old or 0))

    def _digest(self, thread: ComparedThread) -> bytes:
        digest = hashlib.blake2b(digest_size=16)
        digest.update(f"{thread.verdict} {thread.msg_type} {thread.event}".encode())
        if thread.old is None:
            digest.update(self._masked(thread.what))
        for message in thread.messages:
            self._add(digest, message)
        return digest.digest()

    def _add(self, digest: hashlib.blake2b, message: DifferingMessage) -> None:
        digest.update(f"{message.verdict} {message.old} {message.msg_type}".encode())
        if not message.differences:
            digest.update(self._masked(message.what))
        for value in message.differences:
            digest.update(f"{value.path} {value.kind}".encode("utf-8", "replace"))
            digest.update(self._masked(repr(value.new)))

    def _masked(self, text: str) -> bytes:
        """Without what varies by nature: it would make each run a way of its own."""
        rules = self._rules
        text = masked_text(text, rules) if rules.has(IDS) else rules.masked(text)
        return text.encode("utf-8", "replace")
