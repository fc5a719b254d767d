"""The served kernel without sockets: a recording made by a test, its stage, and a clock of one's
own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conversation import Conversation, of_frames
from jupyter_client.session import Session

import kspy
from kspy.analysis.table import Table
from kspy.replay.serving.book import open_book
from kspy.replay.serving.performance import FAST
from kspy.replay.serving.request import Request
from kspy.replay.serving.speaker import Speaker
from kspy.replay.serving.stage import Stage
from kspy.wire.frames import Channel
from kspy.wire.message import Message
from kspy.wire.signature import SignatureChecker

KEY = b"the-key-of-the-served-kernel"


class Understudy:
    """Notes what it is given."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.done: list[str] = []

    def ask(self, request: Request) -> None:
        self.asked.append(request)

    def interrupt(self) -> None:
        self.done.append("interrupt")

    def restart(self) -> None:
        self.done.append("restart")


class Staged:
    """`said`: what the user is told. `now` is only changed by the test."""

    def __init__(self, table: Table, speed: float, understudy: Understudy | None) -> None:
        self.now = 1000.0
        self.said: list[str] = []
        self._session = Session(key=KEY)
        self._emitted: list[tuple[Channel, list[bytes]]] = []
        self.frames: list[list[bytes]] = []
        self.stage = Stage(
            open_book(table),
            Speaker(table, SignatureChecker(KEY)),
            lambda channel, frames: self._emitted.append((channel, list(frames))),
            self.said.append,
            name="made.kspy",
            speed=speed,
            understudy=understudy,
        )
        self.stage.start(self.now)

    def ask(
        self,
        msg_type: str,
        content: Mapping[str, Any] | None = None,
        channel: Channel = "shell",
        client: bytes = b"one",
        parent: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> str:
        """A client's request; its msg_id."""
        message = self._session.msg(msg_type, dict(content or {}), parent=parent)
        message["header"].update(header or {})
        frames = self._session.serialize(message, ident=client)
        self.stage.receive(channel, frames, self.now)
        return str(message["header"]["msg_id"])

    def receive_raw(self, channel: Channel, frames: Sequence[bytes]) -> None:
        """A client sends what it says in `frames`, with a right signature."""
        at = list(frames).index(b"<IDS|MSG>")
        signature = SignatureChecker(KEY).sign(frames[at + 2 : at + 6])
        self.stage.receive(channel, [*frames[: at + 1], signature, *frames[at + 2 :]], self.now)

    def run(self, code: str, **more: Any) -> str:
        return self.ask("execute_request", {"code": code, "silent": False, **more})

    def wait(self, seconds: float) -> None:
        """Let time pass, and what is due happen."""
        end = self.now + seconds
        while (left := self.stage.wait(self.now)) is not None and self.now + left <= end:
            self.now += left
            self.stage.wake(self.now)
        self.now = end

    def heard(self) -> list[Message]:
        """What was said since this was last called; with right signatures all of it."""
        emitted, self._emitted = self._emitted, []
        self.frames = [frames for _, frames in emitted]
        return [of_frames(frames, channel) for channel, frames in emitted]


@contextmanager
def staged(
    path: Path, speed: float = FAST, understudy: Understudy | None = None
) -> Iterator[Staged]:
    """The stage of a recording, that nobody has asked anything yet."""
    with kspy.open(path) as recording:
        found = Staged(Table(recording), speed, understudy)
        found.heard()
        yield found


class Cell(Conversation):
    """A conversation in which cells are run."""

    def execute(self, code: str, *printed: str, count: int = 1, client: int = 1) -> dict[str, Any]:
        """A cell that prints, whole; its request."""
        request = self.ask("execute_request", {"code": code, "silent": False}, client=client)
        self.status("busy", request)
        for text in printed:
            self.publish("stream", {"name": "stdout", "text": text}, request)
        self.reply(request, {"execution_count": count}, client=client)
        self.status("idle", request)
        return request


def brief(messages: Sequence[Message]) -> list[str]:
    """A word a message: what it says, where that is short."""
    return [_word(message) for message in messages]


def _word(message: Message) -> str:
    content = message.content
    for name in ("execution_state", "text", "prompt", "ename", "status"):
        if name in content:
            return str(content[name])
    return message.msg_type


def is_signed(frames: Sequence[bytes]) -> bool:
    return SignatureChecker(KEY)(frames, list(frames).index(b"<IDS|MSG>"))
