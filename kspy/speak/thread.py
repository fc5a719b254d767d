"""A thread while it happens: a request that was sent, and what answers it as it arrives.

Theory of operation: messages are put in by the connection, whether anybody looks or not. Who
iterates reads them from the list, and waits at its end. So nothing is lost between sending and
looking, and several may look.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final, Literal

from kspy.analysis.timing import State, ThreadClock, reply_state
from kspy.wire.message import Message

End = Literal["", "done", "time limit", "lost"]

REPLIED: Final = frozenset(
    f"{name}_request"
    for name in (
        "execute", "inspect", "complete", "history", "is_complete", "comm_info", "kernel_info",
        "shutdown", "interrupt", "debug", "create_subshell", "delete_subshell", "list_subshell",
    )
)  # fmt: skip
"""Requests that a kernel always replies to: messaging specification, protocol 5.5."""

LATE_REPLY_SECONDS: Final = 5.0
"""How long after idle a reply is waited for. It is sent first, but on another channel."""

UNKNOWN_REPLY_SECONDS: Final = 0.5
"""The same for types of which it is not known whether they have a reply."""


class LiveThread:
    """A request, and the messages that answer it as they arrive: `async for message in thread`.

    request    the message that was sent
    messages   all of the thread so far, the request first
    reply      the reply, once it came
    end        why nothing more is added: "done" (all came that was to come), "time limit", "lost"
               (the connection broke or the kernel died first); "" as long as it goes on
    """

    def __init__(self, request: Message, on_end: Callable[[LiveThread], None]) -> None:
        self.request = request
        self.messages: list[Message] = [request]
        self.reply: Message | None = None
        self.end: End = ""
        self._clock = ThreadClock(request)
        self._has_reply = request.msg_type in REPLIED
        self._has_no_reply = request.msg_type.startswith("comm_")
        self._error: Exception | None = None
        self._news = asyncio.Event()
        self._on_end = on_end
        self._timer: asyncio.TimerHandle | None = None
        self._limit: asyncio.TimerHandle | None = None

    @property
    def state(self) -> State | None:
        """ "ok", "error" or "aborted", as the reply says; "waiting" while it has not come.

        None for a message that needs no reply, and got none.
        """
        state = self._clock.timing.state
        return reply_state(self.reply) if state is None and self.reply else state

    @property
    def answered(self) -> bool:
        """Did the reply come, or, for a type that has none, the kernel's idle?"""
        return self.reply is not None or (self._has_no_reply and self._clock.done)

    async def done(self) -> LiveThread:
        """Wait for the end. Raises `KspyError` if it is that the connection broke."""
        async for _ in self:
            pass
        return self

    async def __aiter__(self) -> AsyncIterator[Message]:
        """The messages from the first on, each when it comes, until the end.

        Raises `KspyError` after the last one if the connection broke or the kernel died.
        """
        place = 0
        while True:
            while place < len(self.messages):
                yield self.messages[place]
                place += 1
            if self.end:
                break
            await self._news.wait()
        if self._error:
            raise self._error

    # What follows is for the connection.

    def limit(self, seconds: float | None) -> None:
        """End after so long, whatever has come by then."""
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._limit = loop.call_later(seconds, self._finish, "time limit")

    def add(self, message: Message) -> None:
        """Take in a message that answers, or belongs to, this thread."""
        if self.end:
            return
        self.messages.append(message)
        self._clock.see(message)
        if (
            self.reply is None
            and message.msg_type.endswith("_reply")
            and message.direction == "to_client"
            and message.channel == self.request.channel
            and message.parent_id == self.request.msg_id
        ):
            self.reply = message
        self._announce()
        if self._clock.timing.idle_ns is not None:
            self._see_idle()

    def _see_idle(self) -> None:
        if self.reply or self._has_no_reply:
            self._finish("done")
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            seconds = LATE_REPLY_SECONDS if self._has_reply else UNKNOWN_REPLY_SECONDS
            self._timer = loop.call_later(seconds, self._finish, "done")

    def fail(self, error: Exception) -> None:
        """Nothing more will come. With the reply there, that is no error: so kernels shut down."""
        if self.reply is not None or self._clock.done:
            self._finish("done")
        elif not self.end:
            self._error = error
            self._finish("lost")

    def close(self) -> None:
        """Nobody waits for it any more."""
        self._finish("lost")

    def _finish(self, end: End) -> None:
        if self.end:
            return
        self.end = end
        for timer in (self._timer, self._limit):
            if timer:
                timer.cancel()
        self._on_end(self)
        self._announce()

    def _announce(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
