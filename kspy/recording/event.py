"""Events: what is no message but belongs in the story of a recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

EVENTS: Final[Mapping[str, str]] = {
    "tap_started": "the tap began to record (kernel: launched, existing or gateway)",
    "tap_stopped": "the tap ended (reason)",
    "kernel_started": "the tap started the kernel (kernel_name, pid, argv)",
    "kernel_restarted": "the tap started the kernel again (pid, after: how the old one ended), or"
    " a server did as a client asked (by)",
    "kernel_died": "the kernel's process ended (exit_status or signal)",
    "kernel_shut_down": "the tap asks the kernel to end, by a message of its own, not recorded;"
    " or a server did as a client asked (by)",
    "kernel_interrupted": "the tap's user, or the frontend, interrupted the kernel (by)",
    "kernel_signalled": "the frontend sent the kernel a signal, which was passed on (signal)",
    "kernel_connected": "the tap is connected to the kernel (channel)",
    "kernel_disconnected": "the connection to the kernel broke (channel, or why)",
    "client_connected": "a client's connection came (channel, address), or its WebSocket"
    " (client, address, subprotocol, extensions)",
    "client_identified": "a client's first message told who it is (client, identity, session)",
    "client_disconnected": "a client's connection ended (channel, address, client), or its"
    " WebSocket (client, and code, reason, closed_by, or without a close frame cut_by)",
    "subscribed": "a client subscribed to iopub (topic)",
    "unsubscribed": "a client ended a subscription to iopub (topic)",
    "heartbeat_lost": "a client's ping went unanswered (waited_ns)",
    "heartbeat_back": "the kernel answers pings again (waited_ns)",
    "clock_changed": "the computer's clock was set (by_ns)",
    "gap": "messages are missing here (lost: how many, where known; why)",
}
"""Every event a tap or a reader makes: its name, and what it says with which data."""


@dataclass(frozen=True, slots=True)
class Event:
    """`seq` is the number of the message that it came before; `time_ns` is Unix epoch, ns.

    `data` holds strings, numbers, bytes, None, lists and maps of them, by the keys that
    `EVENTS` names. A recording may hold events with names that this version does not know.
    """

    seq: int
    time_ns: int
    name: str
    data: Mapping[str, Any] = field(default_factory=dict)
