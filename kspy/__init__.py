"""kspy records what Jupyter clients and kernels say to each other, and reads it back.

``kspy.open(path)`` is the whole API of a recording:

    with kspy.open("session.kspy") as recording:
        for message in recording:
            print(message.seq, message.channel, message.msg_type, message.content)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kspy.recording.reader import Recording

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(path: str | os.PathLike[str]) -> Recording:  # noqa: A001 (the API's fixed name)
    """Open the recording at `path` for reading; use it as a context manager.

    Works on finished recordings, on ones still being written and on ones cut short.
    Raises `kspy.errors.KspyError` (one line) if the file cannot be read as a recording.
    """
    from kspy.recording.reader import Recording

    return Recording(path)
