"""Small recordings for tests: what goes in, what comes out, and where it is in the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

import kspy
from kspy.errors import KspyError
from kspy.recording.event import Event
from kspy.recording.format import End, compress, decode_header, encode_end, encode_entry
from kspy.recording.reader import Recording
from kspy.recording.scan import Entry, File, scan
from kspy.recording.writer import Writer
from kspy.wire.frames import CHANNELS, DIRECTIONS, Channel, Direction
from kspy.wire.message import Message

IDENT = b"\x00\x01\x02\x03\x04\x05\x06\x07"


class Said(NamedTuple):
    """A message to write."""

    time_ns: int
    channel: Channel
    direction: Direction
    frames: list[bytes]
    client: int = 0
    flags: int = 0


class Happened(NamedTuple):
    """An event to write."""

    time_ns: int
    name: str
    data: dict[str, Any]


Told = tuple[Any, ...]

times = st.integers(0, (1 << 62) - 1)
frames = st.lists(st.binary(max_size=40) | st.just(b"<IDS|MSG>") | st.just(b"{}"), max_size=9)
messages = st.builds(
    Said,
    times,
    st.sampled_from(CHANNELS),
    st.sampled_from(DIRECTIONS),
    frames,
    st.integers(0, 65535),
    st.integers(0, 255),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
events = st.builds(
    Happened, times, st.text(max_size=20), st.dictionaries(st.text(), values, max_size=3)
)


def say(writer: Writer, story: Said | Happened) -> None:
    if isinstance(story, Said):
        time_ns, channel, direction, message_frames, client, flags = story
        writer.write(time_ns, channel, direction, message_frames, client=client, flags=flags)
    else:
        writer.event(*story)


def write(path: Path, chunks: Iterable[Iterable[Said | Happened]]) -> list[Told]:
    """Write a recording, a chunk for each of `chunks`; what reading it should tell."""
    told: list[Told] = []
    with Writer(path, {"kernel_name": "test"}) as writer:
        for stories in chunks:
            for story in stories:
                told.append((writer.seq, *story))
                say(writer, story)
            writer.flush()
    return told


def tell(story: Message | Event) -> Told:
    """A message or event as what `write` returns."""
    if isinstance(story, Event):
        return (story.seq, story.time_ns, story.name, dict(story.data))
    return (
        story.seq,
        story.time_ns,
        story.channel,
        story.direction,
        list(story.frames),
        story.client or 0,
        story.recorded_flags,
    )


def read(path: Path) -> list[Told]:
    with kspy.open(path) as recording:
        return list(map(tell, recording.stories()))


def only_messages(told: Iterable[Told]) -> list[Told]:
    return [story for story in told if len(story) > 4]


def read_everything(path: Path) -> list[Told]:
    """All stories, in every way that there is to read them. Without any where it is refused."""
    try:
        with kspy.open(path) as recording:
            told = [tell(story) for story in recording.stories()]
            look_at_everything(recording)
            return told
    except KspyError:
        return []


def look_at_everything(recording: Recording) -> None:
    """Every public property of a recording; never with anything but a KspyError."""
    assert recording.state in ("whole", "growing", "cut", "damaged")
    assert isinstance(recording.metadata, dict)
    for message in recording:
        _ = (message.msg_type, message.msg_id, message.parent_id, message.flags, repr(message))
        _ = (message.metadata, message.content, message.buffer_sizes, message.size)
    assert all(isinstance(event, Event) for event in recording.events)
    try:
        for thread in recording.threads():
            _ = (thread.request, thread.seqs, len(thread))
        place = 0
        while place < len(recording):
            _ = recording[place]
            place += 1
    except KspyError:
        pass
    assert recording.size >= 0


def entries(path: Path) -> list[Entry]:
    """Where the entries of an undamaged file are."""
    file = File(str(path))
    header = decode_header(file.read(0, 1 << 20))
    assert header is not None
    found = list(scan(file, header.metadata["id"], header.size))
    file.close()
    assert all(isinstance(entry, Entry) for entry in found)
    return [entry for entry in found if isinstance(entry, Entry)]


def chunk_content(seq: int, sizes: Sequence[int], data: bytes) -> dict[str, Any]:
    """A chunk of shell requests with one frame each, to be made wrong by a test."""
    n = len(sizes)
    return {
        "seq": seq,
        "time": 1,
        "steps": bytes(8 * n),
        "routes": bytes(n),
        "clients": bytes(2 * n),
        "flags": bytes(n),
        "counts": b"\x01\x00\x00\x00" * n,
        "lengths": b"".join(size.to_bytes(8, "little") for size in sizes),
        "data": data,
        "events": [],
    }


def entry(kind: str, content: dict[str, Any]) -> bytes:
    return encode_entry(kind, IDENT, compress(content))


def end(index_offset: int, seq: int) -> bytes:
    return encode_end(IDENT, End(index_offset, seq))
