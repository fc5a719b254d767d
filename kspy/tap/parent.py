"""Notice the frontend's death, as ipykernel does.

A frontend that wants its kernels to end with it sets `JPY_PARENT_PID`. A wrapped kernel has the
wrapper for a parent, so the wrapper has to look; a served one has nobody else to look for it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Final

VARIABLE: Final = "JPY_PARENT_PID"
_POLL_SECONDS: Final = 1.0


def watch_parent(on_death: Callable[[], None]) -> None:
    """Call `on_death`, from a thread, when the frontend is gone; never if it does not want that."""
    expected = frontend()
    if expected is not None:
        threading.Thread(
            target=_watch, args=(expected, on_death), name="kspy-parent", daemon=True
        ).start()


def frontend() -> int | None:
    """The process id of the frontend that wants its kernels to end with it."""
    named = os.environ.get(VARIABLE, "")
    return int(named) if named.isdecimal() and int(named) > 1 else None


def _watch(expected: int, on_death: Callable[[], None]) -> None:
    # A frontend may start kernels through another process; that one's end is no sign.
    direct = os.getppid() == expected
    while os.getppid() == expected if direct else os.getppid() != 1:
        time.sleep(_POLL_SECONDS)
    on_death()
