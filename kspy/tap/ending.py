"""Why a tap shall end: what signals ask for."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ending:
    """Whether the end was asked for, and why."""

    def __init__(self, *, has_client: bool) -> None:
        """`has_client`: a client has the terminal, so that Ctrl-C is not meant for the tap."""
        self._has_client = has_client
        self._asked = asyncio.Event()
        self._interrupted = False
        self.reason = ""

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    async def wait(self, seconds: float) -> None:
        """Wait until the end is asked for, at most so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._asked.wait(), seconds)

    def take_interrupt(self) -> bool:
        """Was Ctrl-C pressed, since the last time, for what the client runs?"""
        interrupted, self._interrupted = self._interrupted, False
        return interrupted

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Take signals as requests."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._note, number)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _note(self, number: signal.Signals) -> None:
        if number == signal.SIGINT and self._has_client:
            self._interrupted = True
            return
        self.reason = "interrupted" if number == signal.SIGINT else f"got {number.name}"
        self._asked.set()
