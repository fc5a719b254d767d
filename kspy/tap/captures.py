"""Receive the copies that the relays make, many at a time, and stamp them.

One `recv` a frame in a Python loop, asking libzmq after each whether more follows, costs 6 us a
message; letting C iterate and finding the beginnings by their tokens costs 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

import zmq

from kspy.tap.proxy import TOKEN_SIZE, Socket

_BATCH_FRAMES: Final = 2048


class Capture(NamedTuple):
    """A message as it passed."""

    time_ns: int
    route: int
    frames: list[bytes]


class Captures:
    """Receives from the capture socket. `now` gives Unix time in ns."""

    def __init__(self, socket: Socket, tokens: Mapping[bytes, int], now: Callable[[], int]) -> None:
        self._socket = socket
        self._tokens = tokens
        self._now = now
        self._receive = partial(socket.recv, zmq.NOBLOCK)
        self._begun: list[bytes] = []
        self._wait_ms = -1

    def receive(self, wait_ms: int) -> list[Capture]:
        """What has come, or comes within `wait_ms`; [] if nothing did."""
        frames, self._begun = self._begun, []
        if not frames and not self._wait(frames, wait_ms):
            return []
        start = self._now()
        drained = self._drain(frames)
        took = self._now() - start
        begins = self._begins(frames)
        end = len(frames)
        if not drained:
            # The last message may have more frames; it is kept for the next time.
            end = begins.pop()
            self._begun = frames[end:]
        return (
            [
                Capture(
                    start + took * begin // len(frames),
                    self._tokens[frames[begin]],
                    frames[begin + 1 : stop],
                )
                for begin, stop in zip(begins, [*begins[1:], end], strict=True)
            ]
            if begins
            else []
        )

    def _wait(self, frames: list[bytes], wait_ms: int) -> bool:
        """Append the next frame; False where none came. Polling first would cost 2 us."""
        if wait_ms != self._wait_ms:
            self._socket.setsockopt(zmq.RCVTIMEO, wait_ms)
            self._wait_ms = wait_ms
        try:
            frames.append(self._socket.recv())
        except zmq.Again:
            return False
        return True

    def _drain(self, frames: list[bytes]) -> bool:
        """Append frames that are there, to a limit; True where that was all."""
        try:
            frames.extend(islice(iter(self._receive, None), _BATCH_FRAMES))
        except zmq.Again:
            return True
        return False

    def _begins(self, frames: Sequence[bytes]) -> list[int]:
        tokens = self._tokens
        return [
            place
            for place, frame in enumerate(frames)
            if len(frame) == TOKEN_SIZE and frame in tokens
        ]
