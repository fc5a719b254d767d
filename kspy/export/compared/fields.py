"""What differs between two sessions as one JSON object, for scripts. The keys are fixed.

docs/diff.md describes them. Values are written as `kspy.export.json_lines` writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kspy.analysis.sameness.rules import Rules
from kspy.export.compared.entry import ComparedThread, DifferingMessage, DifferingValue
from kspy.export.compared.report import Report
from kspy.export.json_lines import dumps

_A_MILLISECOND = 1e6


def report_json(report: Report, names: tuple[str, str], rules: Rules) -> str:
    """`names`: what a and b are."""
    return dumps(report_fields(report, names, rules))


def report_fields(report: Report, names: tuple[str, str], rules: Rules) -> dict[str, Any]:
    return {
        "same": report.same,
        "a": names[0],
        "b": names[1],
        "counts": dict(report.counts),
        "threads": [_thread(thread) for thread in report.threads],
        "notes": list(report.notes),
        "left_out": {name: count for name, count in report.left_out.items() if count},
        "rules": [rule.name for rule in rules.active],
    }


def _thread(thread: ComparedThread) -> dict[str, Any]:
    pace = thread.pace
    return {
        "verdict": thread.verdict,
        "a": thread.old,
        "b": thread.new,
        "msg_type": thread.msg_type,
        "event": thread.event,
        "what": thread.what,
        "order_changed": thread.moved,
        "a_ms": _milliseconds(pace.old_ns),
        "b_ms": _milliseconds(pace.new_ns),
        "messages": [_message(message) for message in thread.messages],
        "more": thread.more,
    }


def _message(message: DifferingMessage) -> dict[str, Any]:
    return {
        "verdict": message.verdict,
        "a": list(message.old),
        "b": list(message.new),
        "channel": message.channel,
        "direction": message.direction,
        "msg_type": message.msg_type,
        "what": message.what,
        "differences": _values(message.differences),
        "more": message.more,
    }


def _values(values: Sequence[DifferingValue]) -> list[dict[str, Any]]:
    return [
        {
            "path": value.path,
            "kind": value.kind,
            "a": _writable(value.old),
            "b": _writable(value.new),
            "cut": value.cut,
        }
        for value in values
    ]


def _writable(value: Any) -> Any:
    """`value`, or what can be said of it where it is nested too deep to be written."""
    try:
        dumps(value)
    except RecursionError:
        return f"<{type(value).__name__}>"
    return value


def _milliseconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / _A_MILLISECOND
