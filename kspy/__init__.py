"""kspy records what Jupyter clients and kernels say to each other, and reads it back.

``kspy.open(path)`` is the whole API of a recording:

    with kspy.open("session.kspy") as recording:
        for message in recording:
            print(message.seq, message.channel, message.msg_type, message.content)

``kspy.select(recording, filter)`` gives the messages that a filter lets through, in the language
of docs/filter.md:

        for message in kspy.select(recording, "type:execute_* error"):
            print(message.content["ename"])
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kspy.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kspy.recording.reader import Recording
    from kspy.wire.message import Message

__all__ = ["__version__", "open", "select"]


def open(path: str | os.PathLike[str]) -> Recording:  # noqa: A001 (the API's fixed name)
    """Open the recording at `path` for reading; use it as a context manager.

    Works on finished recordings, on ones still being written and on ones cut short.
    Raises `kspy.errors.KspyError` (one line) if the file cannot be read as a recording.
    """
    from kspy.recording.reader import Recording

    return Recording(path)


def select(recording: Recording, filter: str) -> Iterator[Message]:  # noqa: A002 (what it is)
    """The messages of `recording` that `filter` lets through, in order; all for "".

    Of a recording that is still being written: those that are there now. They are found while
    they are taken, so what matches early comes early. Raises `kspy.errors.KspyError` if there is
    a mistake in the filter, at once; the exception's `start` and `stop` say where.
    """
    from kspy.analysis.filter import parse
    from kspy.analysis.filter.select import messages

    return messages(recording, parse(filter))
