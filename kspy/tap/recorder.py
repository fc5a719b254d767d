"""From copies to a recording: one thread that receives, orders, checks and writes.

It is the only one that touches the writer and the capture socket. What others want recorded
reaches it through `note`.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import zmq

from kspy.tap.captures import Captures
from kspy.tap.chunks import CHUNK_MESSAGES, CHUNK_NS
from kspy.tap.clients import Clients
from kspy.tap.clock import Clock
from kspy.tap.heartbeat import Heartbeat
from kspy.tap.monitor import Change, Monitor
from kspy.tap.order import Order, Ordered
from kspy.tap.priority import give_way
from kspy.tap.proxy import Proxy
from kspy.tap.strays import Strays
from kspy.tap.welcome import SUBSCRIBE, UNSUBSCRIBE, Welcome
from kspy.wire.frames import CHANNELS
from kspy.wire.message import BAD_SIGNATURE, REDELIVERED, ROUTES, TO_CLIENT
from kspy.wire.packers import decode
from kspy.wire.signature import SignatureChecker

_WAIT_MS: Final = 20
_CHECK_NS: Final = 500_000_000

_IOPUB_TO_CLIENT: Final = ROUTES["iopub", "to_client"]
_IOPUB_TO_KERNEL: Final = ROUTES["iopub", "to_kernel"]
_HB_TO_KERNEL: Final = ROUTES["hb", "to_kernel"]
_HB_TO_CLIENT: Final = ROUTES["hb", "to_client"]
_ROUTED: Final = {CHANNELS.index(channel) for channel in ("shell", "stdin", "control")}
"""Channels on which a message begins with the identity of its client's socket."""
_CONTROL_TO_KERNEL: Final = ROUTES["control", "to_kernel"]


class Sink(Protocol):
    """What a recorder needs of a `Writer`."""

    @property
    def seq(self) -> int: ...

    @property
    def pending(self) -> bool: ...

    def write_route(
        self, time_ns: int, route: int, frames: Sequence[bytes], client: int, flags: int
    ) -> None: ...

    def event(self, time_ns: int, name: str, data: Mapping[str, Any] | None = None) -> None: ...

    def flush(self) -> None: ...


class Recorder:
    """Records what `proxy` captures with `writer`, until `stop`.

    counts            messages by channel so far
    restart_asked     did a client ask, on control, for a shutdown that precedes a restart?
    """

    def __init__(
        self, proxy: Proxy, monitor: Monitor, writer: Sink, on_failure: Callable[[str], None]
    ) -> None:
        """`on_failure` is called, from the recorder's thread, if it cannot go on."""
        self._on_failure = on_failure
        self.counts: Counter[str] = Counter()
        self.restart_asked = False
        self.clock = Clock()
        self._proxy = proxy
        self._changes = monitor.changes
        self._writer = writer
        self._check = SignatureChecker(proxy.kernel.key, proxy.kernel.signature_scheme)
        self._captures = Captures(proxy.capture, proxy.tokens, self.clock.now)
        self._order = Order()
        self._clients = Clients()
        self._heartbeat = Heartbeat()
        self._welcome = Welcome()
        self._strays = Strays()
        self._redelivered: list[list[bytes]] = []
        self._notes: deque[tuple[int, str, Mapping[str, Any]]] = deque()
        self._last_status = b""
        self._chunk_since = 0
        self._chunk_seq = 0
        self._last_check = 0
        self._idle = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kspy-recorder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def note(self, name: str, data: Mapping[str, Any] | None = None) -> None:
        """Record an event; from any thread."""
        self._notes.append((self.clock.now(), name, data or {}))

    def wait_idle(self, seconds: float) -> bool:
        """Wait until nothing more comes, for at most so long."""
        self._idle.clear()
        return self._idle.wait(seconds)

    def join(self) -> None:
        """Wait until all is handed to the writer; call it after the proxy's context ended."""
        self._thread.join()

    @property
    def kernel_state(self) -> str:
        """The last execution state that the kernel published: "idle", "busy", …, or ""."""
        decoded = decode(self._last_status) if self._last_status else None
        return str(decoded.value.get("execution_state", "")) if decoded else ""

    def _run(self) -> None:
        give_way()
        try:
            self._record_all()
        finally:
            self._proxy.capture.close()
            self._proxy.welcome.close()
            for socket in self._proxy.returns.values():
                socket.close()

    def _record_all(self) -> None:
        try:
            while True:
                self._turn()
        except zmq.ContextTerminated:
            for ordered in self._order.release(self.clock.now() + CHUNK_NS):
                self._record(ordered)
            self._record_notes()
            self._record_changes()
        except Exception as error:  # the session goes on whatever happens to the recording
            self._on_failure(f"not recording any more: {type(error).__name__}: {error}")
            with contextlib.suppress(zmq.ContextTerminated):
                while True:
                    self._proxy.capture.recv()

    def _turn(self) -> None:
        captures = self._captures.receive(_WAIT_MS)
        order = self._order
        for capture in captures:
            if self._notes and not order.holding:
                self._record_notes(capture.time_ns)
            for ordered in order.add(capture):
                self._record(ordered)
        now = self.clock.now()
        if order.holding:
            for ordered in order.release(now):
                self._record(ordered)
        if not captures:
            self._idle.set()
        if not order.holding:
            self._record_notes()
            self._record_changes()
        if now - self._last_check > _CHECK_NS:
            self._last_check = now
            self._look_at_clocks(now)
        due = now - self._chunk_since > CHUNK_NS
        if self._writer.pending and (due or self._writer.seq - self._chunk_seq >= CHUNK_MESSAGES):
            self._writer.flush()
            self._chunk_since = now
            self._chunk_seq = self._writer.seq

    def _record(self, ordered: Ordered) -> None:
        capture, at = ordered.capture, ordered.at
        frames, route = capture.frames, capture.route
        if at < 0 and self._is_no_message(capture.time_ns, route, frames):
            return
        if route & TO_CLIENT and route & 7 in _ROUTED and self._is_returned(ordered):
            return
        client = self._whose(ordered)
        flags = 0
        if at >= 0:
            self._take_notice(route, frames, at)
            if not self._check(frames, at):
                flags |= BAD_SIGNATURE
            if self._redelivered and frames in self._redelivered:
                self._redelivered.remove(frames)
                flags |= REDELIVERED
        self._writer.write_route(capture.time_ns, route, frames, client, flags)
        self.counts[CHANNELS[route & 7]] += 1

    def _whose(self, ordered: Ordered) -> int:
        """The number of the client that sent this, is addressed, or is answered; 0 if unknown."""
        route, frames = ordered.capture.route, ordered.capture.frames
        if route == _IOPUB_TO_CLIENT:
            return self._clients.asked(ordered.parent)
        if route & 7 not in _ROUTED or not frames:
            return 0
        if route & TO_CLIENT:
            stray = ordered.at == 0
            return (
                self._clients.asked(ordered.parent) if stray else self._clients.addressed(frames[0])
            )
        return self._identify(ordered)

    def _is_returned(self, ordered: Ordered) -> bool:
        """Send on what lacks its client's identity; True for that coming by once more."""
        capture, at = ordered.capture, ordered.at
        if at:
            return self._strays.seen(capture.frames)
        channel = capture.route & 7
        message = self._strays.returned(channel, ordered.parent, capture.frames)
        if message:
            self._proxy.returns[CHANNELS[channel]].send_multipart(message)
        return False

    def _take_notice(self, route: int, frames: list[bytes], at: int) -> None:
        """Notice what the tap itself must know of: states, greetings, restarts."""
        header = frames[at + 2]
        if route == _IOPUB_TO_CLIENT:
            if b"status" in header:
                self._last_status = frames[at + 5]
            elif b"iopub_welcome" in header and frames not in self._redelivered:
                self._welcome.published(frames)
        elif route == _CONTROL_TO_KERNEL and b"shutdown_request" in header:
            content = decode(frames[at + 5])
            self.restart_asked = bool(content and content.value.get("restart"))

    def _is_no_message(self, time_ns: int, route: int, frames: list[bytes]) -> bool:
        """Notice heartbeats and subscriptions; True where it became an event."""
        event = None
        if route == _HB_TO_KERNEL:
            self._heartbeat.ping(time_ns)
        elif route == _HB_TO_CLIENT:
            event = self._heartbeat.pong(time_ns)
        elif route == _IOPUB_TO_KERNEL and len(frames) == 1:
            return self._is_subscription(time_ns, frames[0])
        if event:
            self._writer.event(time_ns, *event)
        return False

    def _is_subscription(self, time_ns: int, frame: bytes) -> bool:
        kind, topic = frame[:1], frame[1:]
        if kind == SUBSCRIBE:
            self._writer.event(time_ns, "subscribed", {"topic": topic})
            welcome = self._welcome.subscribed(topic)
            if welcome is not None:
                self._redelivered.append(list(welcome))
                self._proxy.welcome.send_multipart(welcome)
            return True
        if kind == UNSUBSCRIBE:
            self._writer.event(time_ns, "unsubscribed", {"topic": topic})
            self._welcome.unsubscribed(topic)
            return True
        return False

    def _identify(self, ordered: Ordered) -> int:
        capture = ordered.capture
        identity = capture.frames[0]
        client, new = self._clients.sender(identity, ordered.session, capture.time_ns)
        if new:
            data = {"client": client, "identity": identity, "session": ordered.session}
            self._writer.event(capture.time_ns, "client_identified", data)
        if ordered.session:
            self._strays.asked(capture.route & 7, identity, ordered.session)
        return client

    def _record_notes(self, until: int | None = None) -> None:
        """What was noted by then stands behind what had come before it, as the end of a request."""
        while self._notes and (until is None or self._notes[0][0] <= until):
            self._writer.event(*self._notes.popleft())

    def _record_changes(self) -> None:
        # After the messages that came with them: they tell which client a connection was.
        while not self._changes.empty():
            change = self._changes.get()
            self._writer.event(self.clock.now(), *self._describe(change))

    def _describe(self, change: Change) -> tuple[str, dict[str, Any]]:
        side = "client" if change.client_side else "kernel"
        data: dict[str, Any] = {"channel": change.channel}
        if change.client_side:
            data["address"] = change.address
            if change.channel == "shell" and change.what == "connected":
                self._clients.connected(change.fd)
            elif change.channel == "shell" and change.what == "disconnected":
                data["client"] = self._clients.left(change.fd) or None
        return f"{side}_{change.what}", data

    def _look_at_clocks(self, now: int) -> None:
        self._clients.settle(now)
        event = self._heartbeat.check(now)
        if event:
            self._writer.event(now, *event)
        step = self.clock.check()
        if step:
            self._writer.event(self.clock.now(), "clock_changed", {"by_ns": step})
