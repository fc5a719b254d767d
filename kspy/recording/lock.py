"""Who is writing this file? A writer holds an exclusive lock on it for as long as it lives.

The system releases the lock when the process ends, however it ends: so a reader can tell a
recording that grows from one that was cut short.
"""

from __future__ import annotations

import sys
import time
from typing import Final

_PATIENCE_SECONDS: Final = 0.2
"""Far longer than `is_being_written` holds a lock."""

_PAUSE_SECONDS: Final = 0.001

if sys.platform == "win32":

    def lock_for_writing(file: int) -> bool:
        return True

    def is_being_written(file: int) -> bool:
        return False

else:
    import fcntl

    def lock_for_writing(file: int) -> bool:
        """Lock an open file until it is closed; False where somebody else writes to it.

        Whoever asks `is_being_written` holds the lock for a moment: so this tries again.
        """
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    return False
                time.sleep(_PAUSE_SECONDS)
            except OSError:
                return True  # a file system without locks
            else:
                return True

    def is_being_written(file: int) -> bool:
        """Does somebody else hold the lock of `lock_for_writing`?"""
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        fcntl.flock(file, fcntl.LOCK_UN)
        return False
