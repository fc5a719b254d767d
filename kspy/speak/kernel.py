"""A kernel that one speaks to: what `kspy.connect` gives.

One task receives, numbers and hands out what comes, whoever looks at it; another one watches
whether the kernel lives. A message is recorded before it is sent, so it precedes its answers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final
from weakref import WeakValueDictionary

from kspy.errors import KspyError
from kspy.speak.compose import Outgoing, new_header, usual_channel
from kspy.speak.hearing import told_end, until_ended
from kspy.speak.link import Host, Link, LinkLostError, Wire
from kspy.speak.log import Log
from kspy.speak.thread import LiveThread
from kspy.wire.frames import Channel
from kspy.wire.message import Message

TIME_LIMIT: Final = 60.0
"""Seconds that a request waits for its answers, unless told otherwise."""

_SENDABLE: Final = ("shell", "control", "stdin")


class Kernel:
    """A connection to a kernel, open as long as `kspy.connect`'s block."""

    def __init__(self, host: Host, link: Link, log: Log, session: str) -> None:
        self._host = host
        self._link = link
        self._log = log
        self._session = session
        self._lost: Exception | None = None
        self._waiting: set[LiveThread] = set()
        self._threads: WeakValueDictionary[str, LiveThread] = WeakValueDictionary()
        self._heard_iopub = asyncio.Event()
        self._tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._watch())]

    @property
    def lost(self) -> bool:
        """Is nothing more to be had: did the connection break, or the kernel die?"""
        return self._lost is not None

    @property
    def owned(self) -> bool:
        """Was the kernel started for this connection? Then it ends with it."""
        return self._host.owned

    async def request(
        self,
        msg_type: str,
        content: Mapping[str, Any] | None = None,
        *,
        channel: Channel | None = None,
        metadata: Mapping[str, Any] | None = None,
        buffers: Sequence[bytes] = (),
        header: Mapping[str, Any] | None = None,
        timeout: float | None = TIME_LIMIT,
    ) -> LiveThread:
        """Send a message, and give its thread, which grows while the answers arrive.

        content    exactly what is sent: nothing is added to it
        channel    default: the one that the specification has for this type
        header     fields to add to the header, as "subshell_id", or to put in place of its own
        timeout    seconds after which the thread ends, whatever has come; None: no limit

        Iterate over the thread for the messages as they come, the request first, or `await` its
        `done()` for the whole. Raises `KspyError` if the connection broke, for what JSON has no
        words for, and for a `timeout` that is no number of seconds.
        """
        if timeout is not None and not timeout >= 0:
            raise KspyError(f"timeout: {timeout:g} is no number of seconds; None: no limit")
        outgoing = self._compose(msg_type, content, channel, metadata, buffers, header, None)
        wire = self._encode(outgoing)
        message = self._log.add(wire, "to_kernel")
        thread = LiveThread(message, self._waiting.discard)
        self._waiting.add(thread)
        self._threads[message.msg_id] = thread
        thread.limit(timeout)
        try:
            await self._link.send(wire)
        except BaseException:
            thread.close()
            raise
        return thread

    async def send(
        self,
        msg_type: str,
        content: Mapping[str, Any] | None = None,
        *,
        parent: Message | None = None,
        channel: Channel | None = None,
        metadata: Mapping[str, Any] | None = None,
        buffers: Sequence[bytes] = (),
        header: Mapping[str, Any] | None = None,
    ) -> Message:
        """Send a message without waiting for answers; what was sent.

        `parent` is the message that it answers; the others, and errors, are as in `request`.
        """
        outgoing = self._compose(msg_type, content, channel, metadata, buffers, header, parent)
        wire = self._encode(outgoing)
        message = self._log.add(wire, "to_kernel")
        thread = self._threads.get(message.parent_id)
        if thread is not None:
            self._threads[message.msg_id] = thread
            thread.add(message)
        await self._link.send(wire)
        return message

    async def reply_input(self, request: Message, text: str) -> Message:
        """Answer an `input_request`."""
        return await self.send("input_reply", {"status": "ok", "value": text}, parent=request)

    async def interrupt(self) -> None:
        """Interrupt what a kernel that is `owned` runs. Raises `KspyError` where it is not."""
        self._log.event("kernel_interrupted", {"by": await self._host.interrupt()})

    # What follows is for kspy.speak.connect.

    async def heard(self, seconds: float) -> bool:
        """Wait until anything came on iopub, so that what is published is known to arrive."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._heard_iopub.wait(), seconds)
        return self._heard_iopub.is_set() or self._lost is not None

    async def close(self) -> None:
        """Let go of the kernel; threads that still wait end as lost."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        for thread in list(self._waiting):
            thread.close()
        await self._link.close()

    def _compose(
        self,
        msg_type: str,
        content: Mapping[str, Any] | None,
        channel: Channel | None,
        metadata: Mapping[str, Any] | None,
        buffers: Sequence[bytes],
        header: Mapping[str, Any] | None,
        parent: Message | None,
    ) -> Outgoing:
        channel = channel or usual_channel(msg_type)
        if channel not in _SENDABLE:
            raise KspyError(f"nothing is sent on {channel}; channels are {', '.join(_SENDABLE)}")
        return Outgoing(
            channel,
            new_header(msg_type, self._session, header or {}),
            parent.header if parent else {},
            metadata or {},
            content or {},
            list(map(bytes, buffers)),
        )

    def _encode(self, outgoing: Outgoing) -> Wire:
        if self._lost:
            raise self._lost
        try:
            return self._link.encode(outgoing)
        except (ValueError, TypeError, RecursionError) as error:
            kind = outgoing.header["msg_type"]
            raise KspyError(f"{kind}: cannot be written as JSON: {error}") from error

    async def _receive(self) -> None:
        try:
            while True:
                for wire in await self._link.receive():
                    self._take(self._log.add(wire, "to_client"))
                await asyncio.sleep(0)  # who looks gets a turn even where there is always more
        except Exception as error:  # who waits learns of it, whatever it is
            self._log.event("kernel_disconnected", {"why": str(error)})
            self._fail(error)

    def _take(self, message: Message) -> None:
        if message.channel == "iopub":
            self._heard_iopub.set()
            if why := told_end(message):
                self._log.event("kernel_died")
                self._fail_waiting(LinkLostError(why))
        thread = self._threads.get(message.parent_id)
        if thread is None:
            return
        if message.channel == "stdin" and message.msg_id:
            self._threads[message.msg_id] = thread
        thread.add(message)

    async def _watch(self) -> None:
        self._fail(LinkLostError(await until_ended(self._host, self._log)))

    def _fail(self, error: Exception) -> None:
        self._lost = self._lost or error
        self._heard_iopub.set()
        self._fail_waiting(error)

    def _fail_waiting(self, error: Exception) -> None:
        for thread in list(self._waiting):
            thread.fail(error)
