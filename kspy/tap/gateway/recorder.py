"""From copies of what passed to recordings, a file a kernel, in a thread of its own.

The relay hands over bytes and what happened, each with its time, and never waits. All that takes
time is done here: frames, decompression, finding channels, writing.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kspy.errors import KspyError
from kspy.recording.writer import Writer
from kspy.tap.gateway.kernel_file import KernelFile
from kspy.tap.gateway.options import GatewayStatus
from kspy.tap.gateway.web_socket import (
    Closing,
    Compression,
    NotWebSocketError,
    Payload,
    WebSocketReader,
    compression,
)
from kspy.tap.limits import Limits
from kspy.tap.priority import give_way
from kspy.tap.recordings_folder import new_recording, tidy
from kspy.wire.message import ROUTES, encoding_bits
from kspy.wire.websocket import V1, channel_of, encoding_of

COPIES_LIMIT: Final = 1 << 30
"""Bytes that passed and were not looked at yet."""
_BATCH_SECONDS: Final = 0.01
_IDLE_SECONDS: Final = 0.05
_BATCH_NOTES: Final = 1_000
_UNUSED: Final = "nobody spoke with the kernel for some minutes"


@dataclass(eq=False)
class Connection:
    """A WebSocket between a client and a kernel's channels. `session` tells clients apart."""

    kernel_id: str
    session: str = field(repr=False)
    address: str
    subprotocol: str
    extensions: str
    copied: bool = True


class _Watched:
    """What the recorder knows of a connection; `file` is the last it was recorded in."""

    def __init__(self, kernel_name: str, agreed: Compression | None) -> None:
        self.kernel_name = kernel_name
        self.agreed = agreed
        self.file: KernelFile | None = None
        self.client = 0
        self.closing: dict[str, Any] | None = None
        self.readers: dict[bool, WebSocketReader] = {}
        if agreed:
            for to_client in (False, True):
                self.readers[to_client] = WebSocketReader(agreed, from_client=not to_client)


class Recorder:
    """The methods up to `stop` are for the relay's thread; they only take a note."""

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        describe: Callable[[str, str], Mapping[str, Any]],
        now: Callable[[], int],
        warn: Callable[[str], None],
    ) -> None:
        """`describe` makes the header of a recording from a kernel's id and name."""
        self.status = GatewayStatus()
        self.lost = 0
        self.failed = False
        self._folder = folder
        self._limits = limits
        self._describe = describe
        self._now = now
        self._warn = warn
        self._notes: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]] | None] = (
            queue.SimpleQueue()
        )
        self._given = self._taken = 0
        self._files: dict[str, KernelFile] = {}
        self._watched: dict[Connection, _Watched] = {}
        self._thread = threading.Thread(target=self._run, name="kspy-recorder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def opened(self, connection: Connection, kernel_name: str) -> None:
        self._note(self._open, self._now(), connection, kernel_name)

    def passed(self, connection: Connection, data: bytes, *, to_client: bool) -> None:
        if not connection.copied:
            return
        if self._given - self._taken > COPIES_LIMIT:
            connection.copied = False
            self._note(self._fall_behind, self._now(), connection)
            return
        self._given += len(data)
        self._note(self._read, self._now(), connection, data, to_client)

    def ended(self, connection: Connection, by: str) -> None:
        """The connection is over; `by` is who ended it: client, server or tap."""
        self._note(self._close, self._now(), connection, by)

    def happened(self, kernel_id: str, event: str) -> None:
        """A client had something done to a kernel by a request."""
        self._note(self._happen, self._now(), kernel_id, event)

    def clock_changed(self, by_ns: int) -> None:
        self._note(self._tell_all, self._now(), "clock_changed", {"by_ns": by_ns})

    def stop(self, reason: str) -> None:
        """Write what there is, close all files, and end. Waits for that."""
        self._note(self._tell_all, self._now(), "tap_stopped", {"reason": reason})
        self._notes.put(None)
        self._thread.join()

    def _note(self, what: Callable[..., None], *arguments: Any) -> None:
        self._notes.put((what, arguments))

    # What follows runs in the recorder's thread.

    def _run(self) -> None:
        give_way()
        going_on = True
        while going_on:
            going_on = self._turn()
            self._look_after_files()
            if going_on and self._notes.empty():
                # To be woken once for all that comes in a while costs the relay less than each
                # time.
                time.sleep(_BATCH_SECONDS)
        for kernel_id in list(self._files):
            self._close_file(kernel_id)

    def _turn(self) -> bool:
        """Do what there is to do, some of it; False where that was all there will ever be."""
        wait = _IDLE_SECONDS
        for _ in range(_BATCH_NOTES):
            try:
                note = self._notes.get(timeout=wait)
            except queue.Empty:
                break
            if note is None:
                return False
            self._do(*note)
            wait = 0.0
        return True

    def _look_after_files(self) -> None:
        now = self._now()
        for kernel_id, file in list(self._files.items()):
            file.tick(now)
            if file.is_idle(now):
                file.event(now, "tap_stopped", {"reason": _UNUSED})
                self._close_file(kernel_id)
        failing = any(file.writer.failing for file in self._files.values())
        self.status.failing = self.failed or failing

    def _do(self, what: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        try:
            what(*arguments)
        except Exception as error:  # the sessions go on whatever happens to the recording
            self._fail(f"not recorded: {type(error).__name__}: {error}")

    def _fail(self, line: str) -> None:
        if not self.failed:
            self._warn(f"{line}; the sessions go on")
        self.failed = True

    def _open(self, time_ns: int, connection: Connection, kernel_name: str) -> None:
        watched = _Watched(kernel_name, compression(connection.extensions))
        if self._file_of(time_ns, connection, watched):
            self.status.connections += 1
            self._watched[connection] = watched

    def _file_of(
        self, time_ns: int, connection: Connection, watched: _Watched
    ) -> KernelFile | None:
        """Its kernel's file, a new one where there is none; None where none can be made."""
        if watched.file and not watched.file.closed:
            return watched.file
        file = self._files.get(connection.kernel_id)
        if file is None:
            try:
                file = self._new_file(time_ns, connection.kernel_id, watched.kernel_name)
            except KspyError as error:
                self._warn(f"{error}; kernel {connection.kernel_id} is not recorded, but works")
                self.failed = True
                watched.readers.clear()
                return None
        watched.file = file
        watched.client = file.client(connection.session)
        agreed = watched.agreed
        data = {
            "client": watched.client,
            "address": connection.address,
            "subprotocol": _known(connection.subprotocol),
            "extensions": agreed.text if agreed else "unknown",
        }
        file.event(time_ns, "client_connected", data)
        file.connections += 1
        if not agreed:
            why = "both sides agreed on WebSocket extensions that kspy does not know"
            self._tell_gap(time_ns, connection, watched, why)
        return file

    def _new_file(self, time_ns: int, kernel_id: str, kernel_name: str) -> KernelFile:
        path = new_recording(self._folder, kernel_name, kernel_id)
        writer = Writer(
            path, self._describe(kernel_id, kernel_name), on_error=self._say, on_start=give_way
        )
        file = self._files[kernel_id] = KernelFile(writer)
        file.event(time_ns, "tap_started", {"kernel": "gateway"})
        self.status.files += 1
        tidy(self._folder, self._limits)
        return file

    def _say(self, error: str | None) -> None:
        self._warn(f"{error}; the sessions go on" if error else "recording again")

    def _read(self, time_ns: int, connection: Connection, data: bytes, to_client: bool) -> None:
        self._taken += len(data)
        watched = self._watched.get(connection)
        reader = watched.readers.get(to_client) if watched else None
        if watched is None or reader is None:
            return
        try:
            for found in reader.feed(data):
                if isinstance(found, Payload):
                    self._record(time_ns, connection, watched, found, to_client=to_client)
                else:
                    self._take_closing(time_ns, connection, found, to_client=to_client)
        except NotWebSocketError as error:
            del watched.readers[to_client]
            side = "server" if to_client else "client"
            why = f"what the {side} sends on this WebSocket cannot be read on: {error}"
            self._tell_gap(time_ns, connection, watched, why)

    def _tell_gap(self, time_ns: int, connection: Connection, watched: _Watched, why: str) -> None:
        file = self._file_of(time_ns, connection, watched)
        if file:
            file.event(time_ns, "gap", {"why": why, "client": watched.client})

    def _record(
        self,
        time_ns: int,
        connection: Connection,
        watched: _Watched,
        payload: Payload,
        *,
        to_client: bool,
    ) -> None:
        file = self._file_of(time_ns, connection, watched) if watched.readers else None
        if file is None:
            return
        encoding = encoding_of(text=payload.is_text, subprotocol=connection.subprotocol)
        channel = channel_of(payload.data, encoding)
        route = ROUTES[channel, "to_client" if to_client else "to_kernel"]
        flags = encoding_bits(encoding)
        file.message(time_ns, route, payload.data, watched.client, flags)
        self.status.messages += 1

    def _take_closing(
        self, time_ns: int, connection: Connection, frame: Closing, *, to_client: bool
    ) -> None:
        """The first close frame tells why; the other side's answers it, and that was all."""
        watched = self._watched.get(connection)
        if watched is None:
            return
        by = "server" if to_client else "client"
        if watched.closing is None:
            watched.closing = {"code": frame.code, "reason": frame.reason, "closed_by": by}
        elif watched.closing["closed_by"] != by:
            self._close(time_ns, connection, by)

    def _fall_behind(self, time_ns: int, connection: Connection) -> None:
        watched = self._watched.get(connection)
        if watched:
            watched.readers.clear()
            why = "too much passed at once: the rest of this WebSocket is not recorded"
            self._tell_gap(time_ns, connection, watched, why)

    def _close(self, time_ns: int, connection: Connection, by: str) -> None:
        watched = self._watched.pop(connection, None)
        if watched is None:
            return
        self.status.connections -= 1
        file = watched.file
        if file is None or file.closed:
            return
        how = watched.closing or {"cut_by": by}
        file.event(time_ns, "client_disconnected", {"client": watched.client, **how})
        file.connections -= 1
        if file.over and not file.connections:
            self._close_file(connection.kernel_id)

    def _happen(self, time_ns: int, kernel_id: str, event: str) -> None:
        file = self._files.get(kernel_id)
        if file is None:
            return
        file.event(time_ns, event, {"by": "HTTP request"})
        file.over = event == "kernel_shut_down"
        if file.over and not file.connections:
            self._close_file(kernel_id)

    def _tell_all(self, time_ns: int, event: str, data: Mapping[str, Any]) -> None:
        for file in self._files.values():
            file.event(time_ns, event, data)

    def _close_file(self, kernel_id: str) -> None:
        file = self._files.pop(kernel_id)
        file.close()
        self.lost += file.lost + file.writer.lost


def _known(subprotocol: str) -> str:
    """Some proxies take a token for a subprotocol: only the kernels' own is ever told."""
    return subprotocol if subprotocol in ("", V1) else "another"
