"""What an index does not say: where messages are missing. Walking the file tells it by the way."""

from __future__ import annotations

from bisect import bisect_right

from kspy.recording.event import Event
from kspy.recording.index import Columns


def add_gaps(columns: Columns, end_seq: int) -> None:
    """Add an event "gap" wherever numbers are missing and no event says so already.

    `end_seq`: the number that the next message would have had. As `kspy.recording.walk` does it.
    """
    gaps = _gaps(columns, end_seq)
    if gaps:
        before = [(gap.seq, 0, gap) for gap in gaps]
        others = [(event.seq, 1, event) for event in columns.events]
        columns.events = [
            event for *_, event in sorted([*before, *others], key=lambda row: row[:2])
        ]


def _gaps(columns: Columns, end_seq: int) -> list[Event]:
    said = {event.seq for event in columns.events if event.name == "gap"}
    seqs = [event.seq for event in columns.events]
    gaps = []
    expected = place = 0
    for seq, n in zip(columns.seqs, columns.sums, strict=True):
        if seq > expected and seq not in said:
            gaps.append(_gap(columns, seqs, expected, seq, place))
        expected = seq + n
        place += n
    if end_seq > expected:
        gaps.append(_gap(columns, seqs, expected, end_seq, place))
    return gaps


def _gap(columns: Columns, seqs: list[int], first: int, seq: int, place: int) -> Event:
    """What is missing from number `first` to `seq`, before the message in `place`.

    `seqs`: those of the columns' events.
    """
    after = bisect_right(seqs, first)
    earlier = columns.events[max(after - 1, 0) : after]
    times = [*columns.times[max(place - 1, 0) : place], *(event.time_ns for event in earlier)]
    data = {"lost": seq - first, "bytes": 0, "why": "not recorded"}
    return Event(seq, max(times, default=0), "gap", data)
