"""Serve a recording: wait for clients and for the time, and let the stage do the rest."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kspy.analysis.sanitize import one_line
from kspy.analysis.table import Table
from kspy.errors import KspyError
from kspy.recording.reader import Recording
from kspy.replay.serving.book import Book, open_book
from kspy.replay.serving.comms import Comms
from kspy.replay.serving.fallback import Fallback
from kspy.replay.serving.performance import FAST
from kspy.replay.serving.request import Request
from kspy.replay.serving.sockets import Sockets, subscription
from kspy.replay.serving.speaker import Speaker
from kspy.replay.serving.stage import Stage
from kspy.replay.serving.wake import Wake
from kspy.tap.client_side import connection_file, default_path
from kspy.tap.connection import Connection, load
from kspy.tap.parent import frontend, watch_parent
from kspy.wire.frames import CHANNELS
from kspy.wire.message import text
from kspy.wire.signature import SignatureChecker

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Options:
    """What to serve, and how.

    connection_file   where the clients' connection file goes; one that is there already says
                      where to listen. None: a new one in Jupyter's runtime folder
    speed             how many times as fast as recorded; `FAST`: without pauses
    fallback          the kernelspec's name of a kernel for what was not recorded
    say               gets lines for the user
    ready             gets the number of requests and the connection file, when clients can connect;
                      not where a frontend started it, which knows
    """

    recording: str
    say: Callable[[str], None]
    ready: Callable[[int, str], None]
    connection_file: str | None = None
    speed: float = FAST
    fallback: str | None = None


def serve(options: Options) -> str:
    """Serve until the end; why it ended. Raises `KspyError`."""
    with Recording(options.recording) as recording, ExitStack() as stack:
        book = open_book(Table(recording))
        if not len(book.table):
            raise KspyError(f"{options.recording}: has no messages that could be served")
        book.prepare("execute_request")
        path = options.connection_file or default_path()
        given = Path(path).exists()
        connection = load(path) if given else _new_connection(recording)
        wake = Wake()
        stack.callback(wake.close)
        sockets = Sockets(connection)
        stack.callback(sockets.close)
        if not given:
            stack.enter_context(connection_file(sockets.connection, path))
        owned = given and started_by_frontend(path)
        return _Server(options, book, sockets, wake, stack, owned=owned).run(path)


def started_by_frontend(path: str | None) -> bool:
    """It has a parent that says so, and has written the connection file."""
    return path is not None and Path(path).exists() and frontend() is not None


def _new_connection(recording: Recording) -> Connection:
    """On loopback, with a key of its own, and ports that are still to be chosen."""
    name = text(recording.metadata.get("kernel_name"))
    ports = dict.fromkeys(CHANNELS, 0)
    key = secrets.token_hex(16).encode()
    return Connection("tcp", "127.0.0.1", ports, key, "hmac-sha256", extra={"kernel_name": name})


class _Server:
    """`owned`: did a frontend start it? Then it ends with that, and where that restarts it."""

    def __init__(
        self,
        options: Options,
        book: Book,
        sockets: Sockets,
        wake: Wake,
        stack: ExitStack,
        *,
        owned: bool,
    ) -> None:
        self._options, self._sockets, self._wake = options, sockets, wake
        self._book = book
        self._owned = owned
        connection = sockets.connection
        checker = SignatureChecker(connection.key, connection.signature_scheme)
        speaker = Speaker(book.table, checker)
        comms, fallback = Comms(), None
        if options.fallback is not None:
            fallback = Fallback(
                options.fallback,
                speaker,
                sockets.send,
                self._relieved,
                self._fails,
                wake.call,
                self._say,
                comms,
            )
            stack.callback(fallback.close)
        self._stage = Stage(
            book,
            speaker,
            sockets.send,
            self._say,
            name=one_line(Path(options.recording).name),
            speed=options.speed,
            ports={f"{channel}_port": connection.ports[channel] for channel in CHANNELS},
            understudy=fallback,
            comms=comms,
        )

    def run(self, path: str) -> str:
        sockets, stage, wake = self._sockets, self._stage, self._wake
        sockets.watch(wake.fd)
        now = time.monotonic
        with wake.on_signals(_SIGNALS, self._on_signal):
            if self._owned:
                watch_parent(lambda: wake.call(self._on_parent_death))
            else:
                self._options.ready(len(self._book.scripts.cues), path)
            stage.start(now())
            while True:
                for channel, frames in sockets.receive(stage.wait(now())):
                    if channel != "iopub":
                        stage.receive(channel, frames, now())
                    elif (topic := subscription(frames)) is not None:
                        stage.subscribed(topic)
                wake.run()
                stage.wake(now())
                if stage.restarts and not self._owned:
                    self._say("restarted by a client")
                    stage.restart(now())
                if stage.ended:
                    return stage.ended

    def _relieved(self, request: Request, why: str) -> None:
        self._stage.relieved(request, why, time.monotonic())

    def _fails(self, request: Request) -> None:
        self._stage.fails(request)

    def _say(self, line: str) -> None:
        self._options.say(one_line(line))

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGINT and self._owned:
            self._wake.call(lambda: self._stage.interrupt(time.monotonic()))
        else:
            self._wake.call(lambda: self._end("interrupted"))

    def _on_parent_death(self) -> None:
        self._end("the frontend is gone")

    def _end(self, why: str) -> None:
        self._stage.ended = why
