"""Sessions made by hand, and what comparing two of them finds."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from conversation import Conversation

import kspy
from kspy.analysis.filter.select import whole_table
from kspy.analysis.sameness.rules import RULES, Rules
from kspy.analysis.sameness.threads import Verdict
from kspy.export.compared.report import Report, report

Result = TypeVar("Result")
Talk = Callable[[Conversation], object]
MIRRORED: Mapping[str, Verdict] = {
    "only in a": "only in b",
    "only in b": "only in a",
    "slower": "faster",
    "faster": "slower",
}


def finished(work: Generator[Any, None, Result]) -> Result:
    """What long work returns."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: Result = stop.value
            return result


def stream(text: str, name: str = "stdout") -> tuple[str, dict[str, Any]]:
    return "stream", {"name": name, "text": text}


def display(text: str, **transient: Any) -> tuple[str, dict[str, Any]]:
    return "display_data", {"data": {"text/plain": text}, "metadata": {}, "transient": transient}


def cell(
    talk: Conversation,
    code: str,
    *outputs: tuple[str, dict[str, Any]],
    client: int = 1,
    reply_last: bool = False,
) -> dict[str, Any]:
    """A cell that runs: busy, input, what it outputs, idle, and the reply."""
    request = talk.ask("execute_request", {"code": code, "silent": False}, client=client)
    talk.status("busy", request)
    talk.publish("execute_input", {"code": code, "execution_count": 1}, request)
    for msg_type, content in outputs:
        talk.publish(msg_type, content, request)
    if not reply_last:
        talk.reply(request, {"execution_count": 1}, client=client)
    talk.status("idle", request)
    if reply_last:
        talk.reply(request, {"execution_count": 1}, client=client)
    return request


def cells(*codes: str) -> Talk:
    def talk(to: Conversation) -> None:
        for code in codes:
            cell(to, code, stream(f"{code}\n"))

    return talk


def record(path: Path, talk: Talk, metadata: Mapping[str, Any] | None = None) -> Path:
    path.unlink(missing_ok=True)
    with Conversation(path, metadata) as to:
        talk(to)
    return path


def compared(old: Path, new: Path, rules: Rules | None = None, **options: Any) -> Report:
    with kspy.open(old) as a, kspy.open(new) as b:
        return report(whole_table(a), whole_table(b), rules or Rules.usual(), **options)


def without(*names: str) -> Rules:
    """The usual rules but these."""
    return Rules([rule for rule in RULES if rule.name not in names and not rule.optional])


def verdicts(found: Report) -> list[Verdict]:
    return [thread.verdict for thread in found.threads]


def both_ways(folder: Path, old: Talk, new: Talk, rules: Rules | None = None) -> list[Verdict]:
    """The verdicts that are not "same"; looking the other way must say the same mirrored."""
    a, b = record(folder / "a.kspy", old), record(folder / "b.kspy", new)
    there = compared(a, b, rules)
    back = compared(b, a, rules)
    assert compared(a, a, rules).same
    found: list[Verdict] = sorted(verdict for verdict in verdicts(there) if verdict != "same")
    mirrored = sorted(verdict for verdict in verdicts(back) if verdict != "same")
    assert sorted(MIRRORED.get(verdict, verdict) for verdict in mirrored) == found
    assert there.same == back.same == (not found)
    return found
