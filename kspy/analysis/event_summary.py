"""One line about an event of a recording, as `kspy.analysis.summary` has about a message."""

from __future__ import annotations

import signal
from typing import Any, Final

from kspy.analysis.fields import compact, listed, number, shown
from kspy.analysis.summary import safe_line
from kspy.analysis.units import duration, plural
from kspy.recording.event import Event

NANOSECONDS: Final = "_ns"


def summarize_event(event: Event) -> str:
    """One line about `event`, safe for a terminal: its name, then its data.

    Events of later versions and data of any type are shown as they are.
    """
    if event.name == "gap":
        return safe_line(_gap(event))
    details = ", ".join(_detail(key, value) for key, value in event.data.items())
    name = event.name.replace("_", " ")
    return safe_line(f"{name}: {details}" if details else name)


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
