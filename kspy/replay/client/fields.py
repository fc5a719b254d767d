"""What a replay gave as one JSON object, for scripts. The keys are fixed: docs/replay.md."""

from __future__ import annotations

from typing import Any

from kspy.analysis.sameness.rules import Rules
from kspy.export.compared.fields import report_fields
from kspy.export.json_lines import dumps
from kspy.replay.client.result import Replayed, RunResult
from kspy.replay.client.stability import Outcome


def replay_json(result: Replayed, name: str, rules: Rules) -> str:
    """`name`: of the recording that was replayed."""
    return dumps(
        {
            "same": result.same,
            "runs": [_run(run, name, rules) for run in result.runs],
            "unstable": [_outcome(outcome) for outcome in result.unstable],
            "changed": [_outcome(outcome) for outcome in result.changed],
            "notes": list(result.notes),
        }
    )


def _run(run: RunResult, name: str, rules: Rules) -> dict[str, Any]:
    story, recording = run.story, None if run.recording is None else str(run.recording)
    return {
        "same": run.same,
        "end": story.end,
        "why": story.why,
        "at": story.seq,
        "sent": len(story.sent),
        "left": story.left,
        "left_at": story.left_at,
        "unsent": dict(story.unsent),
        "recording": recording,
        "compared": report_fields(run.report, (name, recording or ""), rules),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    sample = outcome.sample
    return {
        "a": sample.old,
        "msg_type": sample.msg_type,
        "what": sample.what,
        "ways": [
            {"verdict": result.sample.verdict, "runs": result.runs} for result in outcome.results
        ],
        "missing": list(outcome.missing),
    }
