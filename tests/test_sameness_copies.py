"""A server sends each of its WebSockets what a kernel publishes: that is no difference."""

from __future__ import annotations

from pathlib import Path

from comparing import compared, without
from websocket_recordings import payload_of

import kspy
from kspy.recording.event import Event
from kspy.recording.writer import Writer

TWO_CLIENTS = Path(__file__).parent.parent / "recordings" / "two-clients.kspy"


def through_a_server(source: Path, target: Path, *, left_out: str = "") -> Path:
    """As a tap in front of a server with two clients records it; without outputs of one type."""
    with kspy.open(source) as recording, Writer(target, {"kernel_name": "python3"}) as writer:
        for story in recording.stories():
            if isinstance(story, Event) or story.channel == "hb" or story.msg_type == left_out:
                continue
            payload, encoding = payload_of(story, "v1")
            for client in (1, 2) if story.channel == "iopub" else (story.client or 0,):
                writer.write(
                    story.time_ns,
                    story.channel,
                    story.direction,
                    [payload],
                    client=client,
                    encoding=encoding,
                )
    return target


def test_copies_for_other_clients_do_not_count(tmp_path: Path) -> None:
    copied = through_a_server(TWO_CLIENTS, tmp_path / "a.kspy")
    found = compared(TWO_CLIENTS, copied)
    assert found.same, str(found)
    assert compared(copied, TWO_CLIENTS).same
    assert not compared(TWO_CLIENTS, copied, without("copies")).same


def test_what_no_client_got_is_missing(tmp_path: Path) -> None:
    lacking = through_a_server(TWO_CLIENTS, tmp_path / "a.kspy", left_out="execute_result")
    found = compared(TWO_CLIENTS, lacking)
    assert [t.verdict for t in found.threads if t.verdict != "same"] == ["differs", "differs"]
