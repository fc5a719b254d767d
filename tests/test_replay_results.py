"""What a replay's runs give together, and which plans are refused; no kernel is needed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import pytest
from replays import RECORDINGS

import kspy
from kspy.analysis.sameness.rules import Rules
from kspy.analysis.sameness.sessions import Total
from kspy.analysis.sameness.threads import Verdict
from kspy.errors import KspyError
from kspy.export.compared.entry import ComparedThread, DifferingMessage, DifferingValue
from kspy.export.compared.report import Report
from kspy.replay.client.fields import replay_json
from kspy.replay.client.pacing import Pace
from kspy.replay.client.replaying import Plan, Replay, Run
from kspy.replay.client.result import Replayed, RunResult, Runs
from kspy.replay.client.stability import Stability
from kspy.replay.client.story import End, Story
from kspy.speak.connect import Target

DIED = ComparedThread("only in a", 5, None, "", "died", event="kernel_died")
THREAD = ComparedThread("same", 5, 5, "execute_request", "1")
NEW = ComparedThread("only in b", None, 9, "comm_open", "t")


def unstable(*runs: list[ComparedThread]) -> list[tuple[str, list[list[int]], list[int]]]:
    """The type of each thread that is not stable, which runs gave what, and which lack it."""
    stability = Stability(Rules.usual())
    for number, threads in enumerate(runs, 1):
        stability.begin(number)
        for thread in threads:
            stability.add(thread)
    return [
        (one.sample.msg_type or one.sample.event, [way.runs for way in one.results], [*one.missing])
        for one in stability.outcomes()
        if not one.stable
    ]


def test_an_event_is_not_the_thread_of_the_same_number() -> None:
    assert unstable([DIED, THREAD], [THREAD, DIED]) == []
    assert unstable([DIED, THREAD], [THREAD]) == [("kernel_died", [[1]], [2])]


def test_what_a_run_has_twice_and_another_once_is_not_stable() -> None:
    assert unstable([NEW, NEW], [NEW, NEW]) == []
    assert unstable([NEW, NEW], [NEW]) == [("comm_open", [[1]], [2])]


def differing(text: str) -> ComparedThread:
    """Thread 5, in which `text` was printed where the recording has "1"."""
    value = DifferingValue("content.text", "changed", "1", text)
    message = DifferingMessage(
        "differs", (7,), (7,), "iopub", "to_client", "stream", text, (value,)
    )
    return replace(THREAD, verdict="differs", messages=(message,))


def test_what_changed_alike_in_all_runs_is_told_once() -> None:
    stability = Stability(Rules.usual())
    uuids = "0b83a3f9-57bb-4b5b-8d3c-1b2f2f3a4c5d", "9c1d2e3f-57bb-4b5b-8d3c-1b2f2f3a4c5d"
    for number, uuid in enumerate(uuids, 1):
        stability.begin(number)
        stability.add(differing(f"of {uuid} at 0x7f3a5c0d2e1{number}"))
    result = Replayed(2, [run_of(1, differs=1), run_of(2, differs=1)], stability.outcomes())
    assert [way.runs for one in result.changed for way in one.results] == [[1, 2]]
    assert not result.unstable
    told = str(result).splitlines()
    assert told[-6] == "#5 execute_request  1  differs, in all 2 runs"
    assert told[-2].strip().startswith("+ of 0b83a3f9")
    assert told[-1] == "the same: 0 of 2 runs; not stable: 0 threads; changed in all: 1 thread"
    [changed] = json.loads(replay_json(result, "a.kspy", Rules.usual()))["changed"]
    assert (changed["a"], changed["ways"]) == (5, [{"verdict": "differs", "runs": [1, 2]}])


def test_a_thread_that_the_first_run_lacks_has_a_name() -> None:
    path = RECORDINGS / "hello.kspy"
    plan = Plan(Target(kernel="python3"), Rules.usual(), Pace(), repeat=2)
    with Replay(path, plan) as replay:
        runs = Runs(replay, everything=False, keep=False)
        runs.compare(Run(1, Story(), RECORDINGS / "error.kspy"))
        runs.compare(Run(2, Story(), path))
    assert any(one.sample.what == 'print("hello")' for one in runs.result.unstable)


def run_of(number: int, end: Any = "done", **counts: int) -> RunResult:
    total = Total(cast("dict[Verdict, int]", counts), (), {})
    return RunResult(number, Story(end, "it was interrupted"), Report([], total), None)


def test_only_all_runs_that_were_wanted_are_the_same() -> None:
    assert Replayed(2, [run_of(1, same=1), run_of(2, same=1)]).same
    cut_short = Replayed(10, [run_of(number, same=1) for number in (1, 2, 3)])
    assert not cut_short.same
    assert "the same: 3 of 3 runs (7 of 10 were not made)" in str(cut_short)
    never_began = Replayed(1)
    assert json.loads(replay_json(never_began, "a.kspy", Rules.usual()))["same"] is False


def test_where_nothing_was_compared_nothing_is_the_same() -> None:
    told = str(Replayed(1, [run_of(1, "interrupted")])).splitlines()
    assert told == ["interrupted: it was interrupted", "nothing was compared"]
    assert "run 1 of 2  nothing was compared" in str(Replayed(2, [run_of(1, "interrupted")]))


def test_a_run_that_was_cut_short_says_nothing_of_what_is_stable() -> None:
    path = RECORDINGS / "hello.kspy"
    plan = Plan(Target(kernel="python3"), Rules.usual(), Pace(), repeat=4)
    with Replay(path, plan) as replay:
        runs = Runs(replay)
        for number, (end, sent) in enumerate((("done", [0]), ("interrupted", []), ("hung", [])), 1):
            story = Story(cast("End", end), sent=list(sent))
            runs.compare(Run(number, story, RECORDINGS / "error.kspy" if sent else path))
    assert [[*one.missing] for one in runs.result.unstable if one.missing]
    assert not [one for one in runs.result.unstable if 2 in one.missing]
    assert "2 ways in 2 runs" in str(runs.result)


def test_what_is_told_at_once_is_not_kept() -> None:
    path = RECORDINGS / "hello.kspy"
    with Replay(path, Plan(Target(kernel="python3"), Rules.usual(), Pace())) as replay:
        for keep in (True, False):
            seen: list[ComparedThread] = []
            found = Runs(replay, keep=keep).compare(Run(1, Story(), path), seen.append)
            assert found.report.threads == (seen if keep else [])
            assert found.same


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"repeat": 0}, "repeat: 0 is no number of runs"),
        ({"timeout": float("nan")}, "timeout: is a number"),
        ({"timeout": -1}, "timeout: is a number"),
        ({"speed": float("nan")}, "speed: is a number"),
        ({"factor": float("nan")}, "factor: is a number"),
        ({"existing": "x"}, "existing and kernel do not go together"),
        ({"kernel_id": "x"}, "kernel and kernel_id do not go together"),
        ({"token": "x"}, "go with gateway"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_at_once(options: dict[str, Any], said: str) -> None:
    with pytest.raises(KspyError, match=said):
        kspy.replay_to(RECORDINGS / "hello.kspy", **{"kernel": "python3", **options})
