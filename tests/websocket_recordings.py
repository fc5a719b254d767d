"""Recordings as a WebSocket would have carried them, made of those that came over ZeroMQ."""

from __future__ import annotations

from pathlib import Path

from jupyter_server.services.kernels.connection.base import serialize_msg_to_ws_v1

import kspy
from kspy.recording.event import Event
from kspy.recording.writer import Writer
from kspy.wire.message import Message
from kspy.wire.websocket import Encoding, encoding_of, pack


def over_websocket(source: Path, target: Path, encoding: Encoding) -> None:
    """Write the messages of `source` as `encoding`; heartbeats stay what they are.

    The default protocol is text for messages without buffers, and binary for the others.
    """
    with kspy.open(source) as recording, Writer(target, {"kernel_name": "python3"}) as writer:
        for story in recording.stories():
            if isinstance(story, Event):
                writer.event(story.time_ns, story.name, story.data)
                continue
            frames, its = list(story.frames), encoding
            if story.channel == "hb":
                its = "zmq"
            else:
                payload, its = payload_of(story, encoding)
                frames = [payload]
            writer.write(
                story.time_ns,
                story.channel,
                story.direction,
                frames,
                client=story.client or 0,
                flags=story.recorded_flags,
                encoding=its,
            )


def payload_of(message: Message, encoding: Encoding) -> tuple[bytes, Encoding]:
    if encoding == "v1":
        parts = message.parts
        assert parts is not None
        return serialize_msg_to_ws_v1([*parts[2:6], *parts.buffers], message.channel), "v1"
    payload, text = pack(
        message.channel,
        message.header,
        message.parent_header,
        message.metadata,
        message.content,
        message.buffers,
        None,
    )
    return payload, encoding_of(text=text, subprotocol=None)
