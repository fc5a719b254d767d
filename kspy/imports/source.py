"""Which kind of file it is that somebody captured, and what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kspy.errors import KspyError
from kspy.imports import har, jupyter_spy
from kspy.imports.captured import Origin
from kspy.imports.json_events import read
from kspy.imports.spool import Spool

HEADER: Final = b"\xa4kspy"
"""How the map begins that is a recording's header."""


def read_source(path: Path, spool: Spool) -> tuple[Origin, int]:
    """Read all of a file into the spool.

    Returns where it comes from, and how many connections to kernels it has without messages.
    Raises `KspyError` where it cannot be read, is damaged, or is neither of the two.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise KspyError(f"{path}: cannot be read: {error.strerror}") from error
    with file:
        if HEADER in file.read(len(HEADER) + 1):
            raise KspyError(f"{path}: is a recording already; kspy view shows it")
        file.seek(0)
        events = read(file, path)
        first = next(events)[0]
        survey = har.Survey()
        if first == "start_array":
            spool.take(jupyter_spy.read(events))
        elif first == "start_map":
            spool.take(har.read(events, survey))
        for _ in events:  # is there nothing behind it?
            pass
        if first == "start_array":
            return jupyter_spy.ORIGIN, 0
        if not survey.is_har:
            raise KspyError(f"{path}: is neither a HAR file nor what jupyter-spy writes")
        return har.origin(survey), survey.silent
