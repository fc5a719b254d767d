"""What the ZeroMQ frames of one Jupyter message are.

Rules: messaging specification, "The Wire Protocol". A message on shell, control, stdin and
iopub is

    identity*  <IDS|MSG>  signature  header  parent_header  metadata  content  buffer*

where the identities are routing prefixes (on iopub: the topic). Heartbeats are bare
bytestrings, so nothing here applies to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

DELIMITER = b"<IDS|MSG>"

Channel = Literal["shell", "iopub", "stdin", "control", "hb"]
Direction = Literal["to_kernel", "to_client"]
CHANNELS: tuple[Channel, ...] = ("shell", "iopub", "stdin", "control", "hb")
DIRECTIONS: tuple[Direction, ...] = ("to_kernel", "to_client")


class Parts(NamedTuple):
    """The frames of a message by their meaning; each still as it was on the wire."""

    identities: Sequence[bytes]
    signature: bytes
    header: bytes
    parent_header: bytes
    metadata: bytes
    content: bytes
    buffers: Sequence[bytes]


def split(frames: Sequence[bytes]) -> Parts | None:
    """Sort `frames` into their parts, or None where they are no Jupyter message."""
    try:
        at = frames.index(DELIMITER)
    except ValueError:
        return None
    if len(frames) < at + 6:
        return None
    return Parts(
        frames[:at],
        frames[at + 1],
        frames[at + 2],
        frames[at + 3],
        frames[at + 4],
        frames[at + 5],
        frames[at + 6 :],
    )
