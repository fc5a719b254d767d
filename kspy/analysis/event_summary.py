"""One line about an event of a recording, as `kspy.analysis.summary` has about a message."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from kspy.analysis.fields import compact, listed, number, shown
from kspy.analysis.summary import safe_line
from kspy.analysis.units import duration, plural
from kspy.recording.event import Event
from kspy.wire.message import Message

NANOSECONDS: Final = "_ns"

_CONNECTIONS: Final = frozenset(
    f"{side}_{what}" for side in ("client", "kernel") for what in ("connected", "disconnected")
)
_LEFT_OUT: Final = {
    "kernel_started": {"display_name", "language", "interrupt_mode", "argv"},
    "kernel_restarted": {"kernel_name", "display_name", "language", "interrupt_mode", "argv"},
}
"""What the recording's header says already."""


def summarize_event(event: Event) -> str:
    """One line about `event`, safe for a terminal: its name, then its data.

    Events of later versions and data of any type are shown as they are.
    """
    if event.name == "gap":
        return safe_line(_gap(event))
    left_out = _LEFT_OUT.get(event.name, set())
    details = ", ".join(
        _detail(key, value) for key, value in event.data.items() if key not in left_out
    )
    name = event.name.replace("_", " ")
    if event.name == "kernel_died" and event.data.get("exit_status") == 0:
        name = "kernel ended"
    return safe_line(f"{name}: {details}" if details else name)


def merge_connections(stories: Iterable[Message | Event]) -> Iterator[Message | Event]:
    """The same stories, with connections that come or go together told as one event.

    A client has five; its data then has all their channels, in one string, and no address.
    """
    for key, group in groupby(stories, connection_kind):
        if key is None:
            yield from group
            continue
        events = [story for story in group if isinstance(story, Event)]
        first = events[0]
        data = {"channel": ", ".join(shown(event.data.get("channel")) for event in events)}
        clients = [event.data["client"] for event in events if event.data.get("client")]
        if clients:
            data["client"] = shown(clients[0])
        yield replace(first, data=first.data if len(events) == 1 else data)


def connection_kind(story: Message | Event) -> str | None:
    """What kind of connection to a channel came or went; None for other stories.

    A WebSocket has all channels in one.
    """
    if not isinstance(story, Event) or "channel" not in story.data:
        return None
    return story.name if story.name in _CONNECTIONS else None


def _gap(event: Event) -> str:
    lost = number(event.data, "lost")
    what = "messages missing, how many is unknown" if lost is None else _missing(lost)
    why = shown(event.data.get("why"))
    return f"gap: {what} ({why})" if why else f"gap: {what}"


def _missing(lost: int) -> str:
    return f"{plural(lost, 'message')} missing"


def _detail(key: str, value: Any) -> str:
    """`key` and `value` as words: `waited 3.0 s`, `signal SIGKILL`, `pid 4711`."""
    count = number({key: value}, key)
    if count is not None and key.endswith(NANOSECONDS):
        return f"{key.removesuffix(NANOSECONDS)} {duration(count)}"
    if count is not None and key == "signal":
        return f"signal {_signal_name(count)}"
    name = key.replace("_", " ")
    if key == "topic" and value == b"":
        return "everything"
    if isinstance(value, dict):
        return f"{name} {', '.join(_detail(str(k), v) for k, v in value.items())}"
    if isinstance(value, bytes):
        value = value.decode("ascii", "backslashreplace")
    if isinstance(value, list):
        return f"{name} {listed(value)}"
    return f"{name} {compact(value) if value == '' else shown(value)}".rstrip()


def _signal_name(number_: int) -> str:
    try:
        return signal.Signals(number_).name
    except ValueError:
        return str(number_)
