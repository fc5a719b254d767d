"""Write what was found of one kernel as a recording."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kspy.analysis.units import plural
from kspy.errors import KspyError
from kspy.export.json_lines import utc
from kspy.export.target import whole_file
from kspy.imports.captured import Origin
from kspy.imports.spool import Conversation, Kept, Spool
from kspy.recording.writer import Writer
from kspy.version import __version__
from kspy.wire.websocket import channel_of


def write(
    path: Path, conversation: Conversation, spool: Spool, origin: Origin, *, overwrite: bool
) -> None:
    """Write a recording, mode 0600, that is there whole or not at all. Raises `KspyError`."""
    failures: list[str] = []
    with whole_file(path, overwrite=overwrite) as temporary:

        def failed(why: str | None) -> None:
            if why:
                failures.append(why.removeprefix(f"{temporary}: not recording: "))

        metadata = _metadata(conversation, origin)
        with Writer(temporary, metadata, overwrite=True, on_error=failed) as writer:
            for story in conversation.in_order():
                if not isinstance(story, Kept):
                    writer.event(story.time_ns, story.name, story.data)
                    continue
                payload = spool.payload(story)
                channel = channel_of(payload, story.encoding)
                writer.write(
                    story.time_ns,
                    channel,
                    story.direction,
                    [payload],
                    client=story.client,
                    encoding=story.encoding,
                )
        if failures:
            raise KspyError(f"{os.fspath(path)}: cannot be written: {failures[0]}")


def missing_of(conversation: Conversation) -> list[str]:
    """What the file lacks of this very kernel."""
    missing = []
    if "to_kernel" not in conversation.directions:
        missing.append("everything that was sent to the kernel")
    if "to_client" not in conversation.directions:
        missing.append("everything that the kernel sent")
    if conversation.lost:
        missing.append(f"the bytes of {plural(conversation.lost, 'message')}")
    if conversation.timeless:
        count = plural(conversation.timeless, "message")
        missing.append(f"the time of {count} (shown: that of the one before)")
    return missing


def _metadata(conversation: Conversation, origin: Origin) -> Mapping[str, Any]:
    """The header: when it was captured, whence it comes, and what it lacks."""
    start = next(iter(conversation.in_order()))
    imported = {
        "from": origin.source,
        "creator": origin.creator,
        "kernel_id": conversation.kernel_id,
        "at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "missing": [*missing_of(conversation), *origin.missing],
    }
    return {
        "created": utc(start.time_ns),
        "kernel_name": "",
        "versions": {"kspy": __version__},
        "imported": imported,
    }
