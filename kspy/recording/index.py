"""The index: the columns of all messages, so that a million of them open in about a second.

`IndexBuilder` makes it, chunk by chunk, when a recording is written, and again when a file
without one is read. A `Columns` is what both end in. See docs/format.md, section "index".
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, count, pairwise
from operator import le, lt
from typing import Any, Final

from kspy.recording.chunk import (
    KNOWN_ROUTES,
    decode_events,
    decode_times,
    encode_steps,
)
from kspy.recording.event import Event
from kspy.recording.format import pack_array, unpack_array
from kspy.recording.heads import HeadFinder, Heads
from kspy.wire.frames import CHANNELS
from kspy.wire.message import TO_CLIENT

BLOCK_MESSAGES: Final = 1 << 16
BLOCK_CHUNKS: Final = 1 << 16
BLOCK_EVENTS: Final = 1 << 14
BLOCK_NAMES: Final = 1 << 12
_FAR: Final = 1 << 32
_IOPUB: Final = CHANNELS.index("iopub") | TO_CLIENT
_STDIN: Final = CHANNELS.index("stdin")

OUTPUTS: Final = frozenset(
    (
        "stream",
        "display_data",
        "update_display_data",
        "execute_input",
        "execute_result",
        "error",
        "status",
        "clear_output",
        "debug_event",
        "iopub_welcome",
        "shutdown_reply",
    )
)
"""What the specification lets a kernel publish on iopub: nothing is ever an answer to these."""


class Columns:
    """What is known of every message without decoding it, a column a property.

    `seqs` and `offsets` have a row a chunk: the number of its first message and its place in
    the file; `sums` says how many messages it has. The others have a row a message.
    """

    __slots__ = (
        "clients", "events", "flags", "names", "offsets", "outcomes", "parents", "routes", "seqs",
        "sizes", "sums", "times", "types",
    )  # fmt: skip

    def __init__(self) -> None:
        self.offsets = array("Q")
        self.seqs = array("Q")
        self.sums = array("I")
        self.times = array("q")
        self.routes = bytearray()
        self.clients = array("H")
        self.flags = bytearray()
        self.outcomes = bytearray()
        self.types = array("I")
        self.names: list[str] = []
        self.parents = array("I")
        self.sizes = array("Q")
        self.events: list[Event] = []

    def __len__(self) -> int:
        return len(self.routes)

    def in_order(self, seq: int) -> bool:
        """Do numbers and offsets only grow, the numbers up to `seq`?"""
        stops = [a + n for a, n in zip(self.seqs, self.sums, strict=True)]
        return all(map(le, stops, [*self.seqs[1:], seq])) and all(
            map(lt, self.offsets, self.offsets[1:])
        )

    def extend(self, block: Columns) -> None:
        """Append the columns of the next block."""
        self.offsets += block.offsets
        self.seqs += block.seqs
        self.sums += block.sums
        self.times += block.times
        self.routes += block.routes
        self.clients += block.clients
        self.flags += block.flags
        self.outcomes += block.outcomes
        self.parents += block.parents
        self.sizes += block.sizes
        self.events += block.events
        places = {name: place for place, name in enumerate(self.names)}
        for name in block.names:
            if name not in places:
                places[name] = len(self.names)
                self.names.append(name)
        renumbered = [places[name] for name in block.names]
        self.types.extend(map(renumbered.__getitem__, block.types))

    def encode(self, previous: int) -> Mapping[str, Any]:
        """The content of an `index` entry."""
        return {
            "previous": previous,
            "offsets": pack_array("Q", self.offsets),
            "seqs": pack_array("Q", self.seqs),
            "sums": pack_array("I", self.sums),
            "time": self.times[0] if self.times else 0,
            "steps": pack_array("q", encode_steps(self.times)),
            "routes": bytes(self.routes),
            "clients": pack_array("H", self.clients),
            "flags": bytes(self.flags),
            "outcomes": bytes(self.outcomes),
            "names": self.names,
            "types": pack_array("I", self.types),
            "parents": pack_array("I", self.parents),
            "sizes": pack_array("Q", self.sizes),
            "events": [
                {"seq": event.seq, "time": event.time_ns, "event": event.name, "data": event.data}
                for event in self.events
            ],
        }


def decode_columns(content: Mapping[str, Any]) -> Columns | None:
    """The columns in an `index` entry's content; None where they contradict each other."""
    columns = Columns()
    routes, flags, outcomes = (content.get(key) for key in ("routes", "flags", "outcomes"))
    names = content.get("names")
    if not (isinstance(routes, bytes) and isinstance(flags, bytes) and isinstance(names, list)):
        return None
    n = len(routes)
    if not isinstance(outcomes, bytes) or len(outcomes) != n:
        return None
    chunks = unpack_array("Q", content.get("offsets"))
    time = content.get("time")
    if chunks is None or not isinstance(time, int) or not all(isinstance(x, str) for x in names):
        return None
    found = (
        unpack_array("Q", content.get("seqs"), len(chunks)),
        unpack_array("I", content.get("sums"), len(chunks)),
        decode_times(time, content.get("steps"), n),
        unpack_array("H", content.get("clients"), n),
        unpack_array("I", content.get("types"), n),
        unpack_array("I", content.get("parents"), n),
        unpack_array("Q", content.get("sizes"), n),
        decode_events(content.get("events"), "seq", 0, 0),
    )
    seqs, sums, times, clients, types, parents, sizes, events = found
    if seqs is None or sums is None or times is None or clients is None or types is None:
        return None
    if parents is None or sizes is None or events is None or sum(sums) != n or len(flags) != n:
        return None
    if routes.strip(KNOWN_ROUTES) or (types and max(types) >= len(names)):
        return None
    columns.offsets, columns.seqs, columns.sums, columns.times = chunks, seqs, sums, times
    columns.routes, columns.clients, columns.flags = bytearray(routes), clients, bytearray(flags)
    columns.outcomes = bytearray(outcomes)
    columns.names, columns.types = names, types
    columns.parents, columns.sizes = parents, sizes
    columns.events = [event for _, event in events]
    return columns


class IndexBuilder:
    """Takes the messages of one chunk after the other, and has their columns in `columns`."""

    def __init__(self) -> None:
        self.columns = Columns()
        self._places: dict[str, int] = {}
        self._seqs: dict[str, int] = {}
        self._asked: dict[int, int] = {}
        self._heads = HeadFinder()

    def take(self) -> Columns:
        """The columns since the last `take`; parents are still found across it."""
        columns, self.columns = self.columns, Columns()
        self._places = {}
        return columns

    @property
    def full(self) -> bool:
        columns = self.columns
        return (
            len(columns) >= BLOCK_MESSAGES
            or len(columns.offsets) >= BLOCK_CHUNKS
            or len(columns.events) >= BLOCK_EVENTS
            or len(columns.names) >= BLOCK_NAMES
        )

    def add_chunk(
        self,
        seq: int,
        offset: int,
        rows: Iterable[tuple[int, int, int, int, int]],
        lengths: Sequence[int],
        frames: Sequence[bytes],
        events: Iterable[Event],
    ) -> None:
        """Add a chunk: its `rows` (time, route, client, flags, count of frames), its frames."""
        columns = self.columns
        columns.offsets.append(offset)
        columns.seqs.append(seq)
        columns.events += events
        rows = list(rows)
        columns.sums.append(len(rows))
        if not rows:
            return
        times, routes, clients, flags, counts = zip(*rows, strict=True)
        columns.times.extend(times)
        columns.routes += bytes(routes)
        columns.clients.extend(clients)
        columns.flags += bytes(flags)
        firsts = list(accumulate(counts, initial=0))
        columns.sizes.extend([sum(lengths[first:stop]) for first, stop in pairwise(firsts)])
        heads = self._heads.find(routes, flags, lengths, frames, firsts)
        self._add_headers(seq, routes, clients, heads)

    def _add_headers(
        self, seq: int, routes: Iterable[int], clients: Iterable[int], heads: Heads
    ) -> None:
        """Find type and parent of each message. Once a message: what is slow here slows a tap."""
        seqs = self._seqs
        outcomes: list[int] = []
        types: list[str] = []
        distances: list[int] = []
        for number, route, client, (header, parent_id, outcome) in zip(
            count(seq), routes, clients, heads, strict=False
        ):
            msg_type, msg_id = header.get("msg_type"), header.get("msg_id")
            if not isinstance(msg_type, str):
                msg_type = ""
            types.append(msg_type)
            outcomes.append(outcome)
            parent = seqs.get(parent_id, number) if parent_id else number
            if route & 7 == _STDIN:
                if msg_type == "input_request":
                    self._asked[client] = number
                elif msg_type == "input_reply" and not parent_id:
                    parent = self._asked.get(client, number)
            distances.append(number - parent if number - parent < _FAR else 0)
            if (route != _IOPUB or msg_type not in OUTPUTS) and msg_id and isinstance(msg_id, str):
                seqs[msg_id] = number
        self.columns.parents.extend(distances)
        self.columns.outcomes += bytes(outcomes)
        self.columns.types.extend(map(self._place, types))

    def _place(self, msg_type: str) -> int:
        place = self._places.setdefault(msg_type, len(self._places))
        if place == len(self.columns.names):
            self.columns.names.append(msg_type)
        return place
