"""How a message is shown wherever one is: the arrow of its way, and what is not worth a colour."""

from __future__ import annotations

from typing import Final

ARROWS: Final = {"to_kernel": "→", "to_client": "←"}
NOISE: Final = frozenset(("status", "iopub_welcome"))
"""Types that say little; so do heartbeats, which have no type."""
HARMLESS: Final = frozenset(("msgpack", "redelivered"))
"""Flags that say how something was sent, not that anything is wrong."""
