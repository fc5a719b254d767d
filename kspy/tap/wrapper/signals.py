"""Signals that a frontend sends to its kernel reach the kernel below, each once.

jupyter_client signals the kernel's process group, others the process alone; the kernel below is
in a group of its own, so either way the signal comes here once, and goes from here to the group
below. One that comes before the kernel runs waits for it.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

_FORWARDED: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTSTP,
    signal.SIGCONT,
)


class Signals:
    """Takes signals from the beginning. Only the main thread may have them delivered."""

    def __init__(self) -> None:
        self.on_signal: Callable[[signal.Signals], None] = lambda _: None
        self._group = 0
        self._waiting: list[int] = []
        for number in _FORWARDED:
            if signal.getsignal(number) != signal.SIG_IGN:  # which the kernel inherits
                signal.signal(number, self._take)

    def forward_to(self, group: int) -> None:
        """Forward to this process group; 0: to nobody, as it has ended."""
        self._group = group
        while group and self._waiting:
            self._send(self._waiting.pop(0))

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._group:
            self._send(number)
        else:
            self._waiting.append(number)

    def _send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._group, number)
        self.on_signal(signal.Signals(number))


@contextlib.contextmanager
def kept_from_threads() -> Iterator[None]:
    """Threads that are started meanwhile get no signal: it would not wake the main thread."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def die_as(status: int) -> None:
    """End this process as one ended that has this status: negative where a signal ended it."""
    if status < 0:
        number = -status
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
        _leave_no_core()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
        status = 128 + number  # still here: it is a signal that ends nobody
    os._exit(status)


def _leave_no_core() -> None:
    """The kernel has dumped its core; one of the wrapper would be taken for it."""
    import resource

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
