"""How a kernel's process ended, as recordings say it, and people."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any


def describe_status(status: int) -> Mapping[str, Any]:
    """{"exit_status": n} or {"signal": name} of what `subprocess` has: negative for a signal."""
    if status >= 0:
        return {"exit_status": status}
    try:
        return {"signal": signal.Signals(-status).name}
    except ValueError:
        return {"signal": str(-status)}


def in_words(ended: Mapping[str, Any]) -> str:
    """What `describe_status` gave, for a person: `exit status 3`, `signal SIGKILL`."""
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in ended.items())
