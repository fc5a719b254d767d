"""Forward in C: five relays between the client's sockets and the kernel's.

Theory of operation: each channel has a socket that clients connect to, a socket that connects to
the kernel, and a thread in libzmq (`monitored_queue`) that holds no interpreter lock, moves
messages between the two, and sends a copy of each to the capture socket. What is special:

- shell, stdin and control use one routing id towards the kernel, because a kernel sends an
  `input_request` on stdin to the identity that asked on shell (messaging specification, "stdin").
- iopub is XPUB/XSUB, and the tap subscribes to everything before any client does, so that nothing
  is missed. `XPUB_VERBOSER` shows every client's subscription and the end of it.
- No high-water marks: a message is never dropped here, however slow a client is.
- Each copy begins with a frame that tells channel and direction. It is 16 random bytes that never
  leave the process, so the recorder can tell where a message begins without asking libzmq, which
  would cost more than all the rest.
- A kernel that answers without the client's identity is helped (see `kspy.tap.strays`): into the
  socket that connects to the kernel leads a way from `returns`, too.
- A socket of libzmq belongs to one thread at a time, or messages get stuck. Clients are let in
  late, once the kernel listens, and to bind its sockets while relays use them would be such a
  mistake. So the relays begin with `bind`; until then nobody could be forwarded anything, and a
  thread of Python copies what the kernel already says (see `kspy.tap.lull`).
"""

from __future__ import annotations

import contextlib
import secrets
import signal
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import zmq
from zmq.devices import monitored_queue

from kspy.errors import KspyError
from kspy.tap.connection import Connection, CurveKeys
from kspy.tap.listening import listen
from kspy.tap.lull import Lull
from kspy.wire.frames import CHANNELS, Channel
from kspy.wire.message import ROUTES

Socket = zmq.Socket[bytes]

CAPTURE_ADDRESS: Final = "inproc://kspy-capture"
WELCOME_ADDRESS: Final = "inproc://kspy-welcome"
TOKEN_SIZE: Final = 16

_LINGER_MS: Final = 1000
_RECONNECT_MS: Final = 5
_RECONNECT_LIMIT_MS: Final = 20


class Proxy:
    """The relays of one kernel.

    client     where clients connect to, once `bind` was called
    tokens     the frame that begins a copy, and the route that it stands for
    returns    what is sent there reaches the client as if the kernel had sent it, by channel
    """

    def __init__(self, kernel: Connection) -> None:
        self.kernel = kernel
        self.client = kernel
        self.tokens: dict[bytes, int] = {}
        self.context: zmq.Context[Socket] = zmq.Context()
        self.context.set(zmq.MAX_SOCKETS, 4096)
        self.capture = self._socket(zmq.PULL)
        self.capture.bind(CAPTURE_ADDRESS)
        self.welcome = self._socket(zmq.PUB)
        self.welcome.bind(WELCOME_ADDRESS)
        self.returns: dict[Channel, Socket] = {}
        self._fronts: dict[Channel, Socket] = {}
        self._backs: dict[Channel, Socket] = {}
        self._lull: Lull | None = None
        self._kernel_gone = False
        self._bound: dict[Channel, int] = {}
        self._tokens: dict[Channel, tuple[bytes, bytes]] = {}
        routing_id = b"kspy-" + secrets.token_hex(8).encode()
        for channel in CHANNELS:
            iopub = channel == "iopub"
            self._fronts[channel] = self._socket(zmq.XPUB if iopub else zmq.ROUTER)
            back = self._backs[channel] = self._socket(zmq.XSUB if iopub else zmq.DEALER)
            back.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
            back.setsockopt(zmq.RECONNECT_IVL_MAX, _RECONNECT_LIMIT_MS)
            if channel in ("shell", "stdin", "control"):
                back.setsockopt(zmq.ROUTING_ID, routing_id)
                self.returns[channel] = self._one_way(back, f"inproc://kspy-return-{channel}")
            tokens = secrets.token_bytes(TOKEN_SIZE), secrets.token_bytes(TOKEN_SIZE)
            self._tokens[channel] = tokens
            self.tokens[tokens[0]] = ROUTES[channel, "to_kernel"]
            self.tokens[tokens[1]] = ROUTES[channel, "to_client"]

    def _socket(self, kind: int) -> Socket:
        socket = self.context.socket(kind)
        socket.setsockopt(zmq.LINGER, _LINGER_MS)
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.RCVHWM, 0)
        if kind == zmq.ROUTER:
            socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        if kind == zmq.XPUB:
            socket.setsockopt(zmq.XPUB_VERBOSER, 1)
        return socket

    def _one_way(self, back: Socket, address: str) -> Socket:
        """A socket that sends to `back`, a DEALER, and is sent nothing by it.

        A DEALER shares out what it sends among its peers, leaving out those that are full. So this
        one is filled before there is any other, and never reads.
        """
        socket = self._socket(zmq.DEALER)
        socket.setsockopt(zmq.RCVHWM, 1)
        socket.bind(address)
        back.setsockopt(zmq.SNDHWM, 1)
        back.connect(address)
        with contextlib.suppress(zmq.Again):
            while True:
                back.send(b"", zmq.NOBLOCK)
        back.setsockopt(zmq.SNDHWM, 0)
        return socket

    def monitors(self) -> Mapping[tuple[Channel, bool], Socket]:
        """Sockets that tell of connections, by channel and whether it is the client's side."""
        events = (
            zmq.EVENT_ACCEPTED
            | zmq.EVENT_CONNECTED
            | zmq.EVENT_DISCONNECTED
            | zmq.EVENT_HANDSHAKE_SUCCEEDED
            | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
            | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
            | zmq.EVENT_HANDSHAKE_FAILED_AUTH
        )
        found: dict[tuple[Channel, bool], Socket] = {}
        for channel in CHANNELS:
            found[channel, True] = self._fronts[channel].get_monitor_socket(events)
            found[channel, False] = self._backs[channel].get_monitor_socket(events)
        return found

    def bind(self, client: Connection) -> Connection:
        """Open the client's side, choosing ports that are 0. Raises `KspyError`.

        Forwarding begins. May be called again after an error: what is open already stays open.
        """
        if self._lull is None:
            raise RuntimeError("start comes before bind")
        self._lull.end()
        try:
            for channel in CHANNELS:
                if channel not in self._bound:
                    self._bound[channel] = listen(self._fronts[channel], channel, client)
        except KspyError:
            self._begin_lull()
            raise
        self.client = replace(client, ports=self._bound)
        for channel in CHANNELS:
            copies = self._copies()
            threading.Thread(
                target=self._relay, args=(channel, copies), name=f"kspy-{channel}", daemon=True
            ).start()
        return self.client

    def start(self) -> None:
        """Connect to the kernel, and copy what it says. Raises `KspyError` for no address."""
        for channel in CHANNELS:
            back = self._backs[channel]
            if self.kernel.curve:
                use_curve(back, self.kernel.curve)
            endpoint = self.kernel.endpoint(channel)
            try:
                back.connect(endpoint)
            except zmq.ZMQError as error:
                raise KspyError(f"{endpoint}: is no kernel's address") from error
        iopub = self._backs["iopub"]
        iopub.connect(WELCOME_ADDRESS)
        # Twice, because only some kernels greet a subscription that they have already: by the
        # number of greetings the recorder knows what this one does.
        iopub.send(b"\x01")
        iopub.send(b"\x01")
        self._begin_lull()

    def _begin_lull(self) -> None:
        backs = {self._backs[channel]: self._tokens[channel][1] for channel in CHANNELS}
        self._lull = Lull(backs, self._copies(), also_close=tuple(self._fronts.values()))

    def _copies(self) -> Socket:
        """Made before the thread that uses it: where the end comes at once, that could not."""
        copies = self._socket(zmq.PUSH)
        copies.connect(CAPTURE_ADDRESS)
        return copies

    def _relay(self, channel: Channel, copies: Socket) -> None:
        # A signal that interrupts libzmq here could break a message in two.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        front, back = self._fronts[channel], self._backs[channel]
        try:
            monitored_queue(front, back, copies, *self._tokens[channel])
        except zmq.ContextTerminated:
            pass
        finally:
            front.close()
            copies.close()
            back.close(linger=0 if self._kernel_gone else _LINGER_MS)

    def abandon(self) -> None:
        """Close where nobody uses `capture`, `welcome` and `returns` yet."""
        for socket in (self.capture, self.welcome, *self.returns.values()):
            socket.close()
        if self._lull is None:
            for socket in (*self._fronts.values(), *self._backs.values()):
                socket.close()
        self.close()

    def close(self, *, kernel_gone: bool = False) -> None:
        """Stop forwarding; what is on its way still has a second to arrive.

        To a kernel that is gone nothing can arrive, and so nothing is waited for.
        `capture`, `welcome`, `returns` and the monitors must be closed by those who use them.
        """
        self._kernel_gone = kernel_gone
        self.context.term()
        if self.client.transport == "ipc":
            for channel in CHANNELS:
                path = self.client.endpoint(channel).removeprefix("ipc://")
                Path(path).unlink(missing_ok=True)


def use_curve(socket: Any, keys: CurveKeys) -> None:
    """Let a socket that connects encrypt, as a client of a kernel with these keys."""
    socket.curve_publickey = keys.public.encode()
    socket.curve_secretkey = keys.secret.encode()
    socket.curve_serverkey = keys.public.encode()
