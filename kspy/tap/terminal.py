"""Put the terminal in order after a program that took it all and ended without giving it back."""

from __future__ import annotations

import contextlib
import sys
import termios
from collections.abc import Callable
from typing import Final

_MODES: Final = ("1000", "1002", "1003", "1004", "1006", "1015", "2004", "2026")
"""Reports of mouse and focus, bracketed paste, synchronised output."""
_PLAIN: Final = (
    "".join(f"\x1b[?{mode}l" for mode in _MODES)
    + "\x1b[<u"  # the keyboard as it was
    + "\x1b[?1049l"  # leave the alternate screen
    + "\x1b[?25h\x1b[0m"  # the cursor is there, in no colour
)


def remember() -> Callable[[], None]:
    """What puts the terminal back to how it is now; does nothing where there is none."""
    try:
        settings = termios.tcgetattr(sys.stdin.fileno())
    except (termios.error, ValueError, OSError):
        return lambda: None

    def restore() -> None:
        with contextlib.suppress(termios.error, ValueError, OSError):
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, settings)
        with contextlib.suppress(ValueError, OSError):
            if sys.stderr.isatty():
                sys.stderr.write(f"{_PLAIN}\n")
                sys.stderr.flush()

    return restore
