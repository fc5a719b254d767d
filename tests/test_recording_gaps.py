"""An index tells of missing messages just as walking the file does."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from piloting import piloted
from viewing import viewing

import kspy
from kspy.recording.writer import Writer

_STEPS = st.lists(
    st.sampled_from(["message", "event", "lost", "lost and said", "flush"]),
    max_size=25,
)


def _write(path: Path, steps: list[str]) -> None:
    with Writer(path) as writer:
        for time_ns, step in enumerate(steps, 1_000):
            if step.startswith("lost"):
                writer.skip(3)
            if step == "message":
                writer.write(time_ns, "hb", "to_kernel", [b"ping"])
            elif step == "event":
                writer.event(time_ns, "subscribed")
            elif step == "lost and said":
                writer.event(time_ns, "gap", {"lost": 3})
            elif step == "flush":
                writer.flush()


@given(_STEPS)
def test_the_index_has_the_events_that_walking_finds(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.kspy"
        _write(path, steps)
        with kspy.open(path) as recording:
            assert recording.columns.events == recording.events


@piloted
async def test_the_viewer_shows_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.kspy"
    _write(path, ["message", "lost", "message", "message", "lost"])
    async with viewing(path) as viewer:
        assert [row.split()[0] for row in viewer.rows] == ["0.000", "≈", "0.000", "0.000", "≈"]
        assert "3 messages missing" in viewer.rows[-1]
