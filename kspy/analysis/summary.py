"""What a person would say about a message in eight words, on one line.

Each type's own words are in `kspy.analysis.summary_table`; here is what is common to all, and
what is said about messages that cannot be read.
"""

from __future__ import annotations

from typing import Final

from kspy.analysis.fields import compact, listed
from kspy.analysis.sanitize import ELLIPSIS, one_line
from kspy.analysis.summary_table import SUMMARIES, buffers
from kspy.analysis.units import plural, size
from kspy.wire.message import DECODE_LIMIT, Message

LONGEST: Final = 10_000
"""Characters of a summary: nobody reads a line of a hundred megabytes, and it has to be made."""


def summarize(message: Message) -> str:
    """One line about `message`, safe for a terminal; "" where its type says everything.

    Not cut to a width (but to `LONGEST` characters): callers know theirs.
    """
    return safe_line(_says(message))


def safe_line(text: str) -> str:
    return one_line(text if len(text) <= LONGEST else text[: LONGEST - 1] + ELLIPSIS)


def _says(message: Message) -> str:
    if message.channel == "hb":
        return _heartbeat(message)
    return _undecoded(message) or SUMMARIES.get(message.msg_type, _unknown)(message)


def _heartbeat(message: Message) -> str:
    name = "ping" if message.direction == "to_kernel" else "pong"
    if message.size > DECODE_LIMIT:
        return f"{name} {size(message.size)}"
    return f"{name} {_preview(message.frames[-1] if message.frames else b'')}"


def _undecoded(message: Message) -> str:
    """What there is of a message whose header or content cannot be read; "" if both can."""
    parts = message.parts
    if parts is None:
        sizes = message.frame_sizes
        inside = f" of {listed(sizes)} bytes" if sizes else ""
        what = "incomplete" if "truncated" in message.flags else "not a Jupyter message"
        return f"{what}: {plural(len(sizes), 'frame')}{inside}"
    for name in ("header", "content"):
        if message.decodes(name):
            continue
        on_the_wire = message.part_size(name)
        if on_the_wire > DECODE_LIMIT:
            return f"{name} of {size(on_the_wire)} is too large to decode"
        frame: bytes = getattr(parts, name)
        if message.size > DECODE_LIMIT and not frame:
            return f"message of {size(message.size)} is too large to decode"
        return f"{name} does not decode: {_preview(frame)}"
    return ""


def _preview(frame: bytes) -> str:
    start = repr(frame[:40])[2:-1]
    return f"{size(len(frame))} {start}{ELLIPSIS if len(frame) > 40 else ''}".rstrip()


def _unknown(message: Message) -> str:
    return (compact(message.content) if message.content else "") + buffers(message)
