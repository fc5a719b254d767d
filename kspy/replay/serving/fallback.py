"""A real kernel for the requests that nobody recorded; it is started when the first one comes.

Between it and the client messages pass as they are, signed anew. As the client's routing prefix
travels with its request, the kernel's answers, and its questions on stdin, find the client by it.
It has none of the state that the recorded cells would have left.

Theory of operation: the kernel is launched, and spoken to, by a thread with an event loop of its
own; what comes from it is handed to the main thread, which alone knows what the clients wait for.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from kspy.errors import KspyError
from kspy.recording.outcome import IDLE, OutcomeFinder
from kspy.replay.serving.request import Request, delimiter_of
from kspy.replay.serving.speaker import Speaker
from kspy.speak.compose import Outgoing, new_header, new_session
from kspy.speak.link import Wire
from kspy.speak.local import Launched
from kspy.speak.thread import REPLIED
from kspy.speak.zeromq import ZeroMQLink
from kspy.wire.frames import DELIMITER, Channel
from kspy.wire.message import ROUTES, text
from kspy.wire.packers import decode_header, encode
from kspy.wire.signature import SignatureChecker

_ASK_SECONDS: Final = 1.0
_WATCH_SECONDS: Final = 0.2
_IOPUB: Final = ROUTES["iopub", "to_client"]

Call = Callable[[Callable[[], None]], None]


class _Asked:
    """A request that the kernel works on."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.replied = request.msg_type not in REPLIED
        self.idle = False


class Fallback:
    """`relieved` is told when a request is done, and why not where it failed."""

    def __init__(
        self,
        name: str,
        speaker: Speaker,
        emit: Callable[[Channel, Sequence[bytes]], None],
        relieved: Callable[[Request, str], None],
        call: Call,
        say: Callable[[str], None],
    ) -> None:
        """Raises `KspyError` where no kernel has that name. `call`: let the main thread do it."""
        self._name, self._speaker, self._emit = name, speaker, emit
        self._relieved, self._call, self._say = relieved, call, say
        self._outcomes = OutcomeFinder()
        self._asked: dict[str, _Asked] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="kspy-fallback", daemon=True
        )
        self._thread.start()
        # In the loop's thread:
        self._host: Launched | None = None
        self._link: ZeroMQLink | None = None
        self._pending: list[Request] = []
        self._session: asyncio.Task[None] | None = None
        try:
            self._do(self._describe())
        except BaseException:
            self.close()
            raise

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # For the main thread

    def ask(self, request: Request) -> None:
        """Let the kernel answer; on stdin: hand on what a client answered."""
        if request.channel != "stdin":
            same = self._asked.pop(request.message.msg_id, None)
            if same is not None:  # whose answers cannot be told from this one's
                self._relieved(same.request, "")
            self._asked[request.message.msg_id] = _Asked(request)
        self._loop.call_soon_threadsafe(self._take, request)

    def interrupt(self) -> None:
        asyncio.run_coroutine_threadsafe(self._interrupt(), self._loop)

    def restart(self) -> None:
        """End the kernel; another one is started when it is needed."""
        self._asked.clear()
        self._do(self._end())
        self._do(self._describe())

    def close(self) -> None:
        with contextlib.suppress(KspyError):
            self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _heard(self, wire: Wire) -> None:
        frames = list(wire.frames)
        at = delimiter_of(frames)
        if at is None:
            return
        header = decode_header(frames[at + 2]) or {}
        parent_id = text((decode_header(frames[at + 3]) or {}).get("msg_id"))
        asked = self._asked.get(parent_id)
        msg_type = text(header.get("msg_type"))
        if msg_type == "iopub_welcome" or (msg_type == "status" and asked is None):
            return  # about itself
        frames[at + 1] = self._speaker.sign(frames[at + 2 : at + 6])
        self._emit(wire.channel, frames)
        if asked is None:
            return
        if wire.channel == "iopub":
            outcome = self._outcomes.find(_IOPUB, msg_type, frames[at + 5])
            asked.idle = asked.idle or outcome == IDLE
        elif wire.channel == asked.request.channel:
            asked.replied = True
        if asked.replied and asked.idle:
            del self._asked[parent_id]
            self._relieved(asked.request, "")

    def _lost(self, why: str) -> None:
        waiting, self._asked = list(self._asked.values()), {}
        for asked in waiting:
            self._relieved(asked.request, f"the fallback failed: {why}")

    # In the loop's thread

    async def _describe(self) -> None:
        """Take hold of the kernelspec; nothing is started."""
        self._host = Launched(self._name, self._say)
        await self._host.describe()

    def _take(self, request: Request) -> None:
        if self._link is not None:
            self._send(self._link, request)
        elif request.channel != "stdin":
            self._pending.append(request)
            if self._session is None:
                self._session = self._loop.create_task(self._converse())

    def _send(self, link: ZeroMQLink, request: Request) -> None:
        assert self._host is not None
        connection = self._host.connection
        checker = SignatureChecker(connection.key, connection.signature_scheme)
        parts = list(request.frames[len(request.identities) + 2 :])
        header = request.message.header
        if "subshell_id" in header:  # which is one of the served kernel
            parts[0] = encode({name: header[name] for name in header if name != "subshell_id"})
        frames = [*request.identities, DELIMITER, checker.sign(parts[:4]), *parts]
        self._loop.create_task(link.send(Wire(request.channel, frames)))

    async def _converse(self) -> None:
        """Start the kernel, and pass on what it says, until it ends."""
        assert self._host is not None
        self._call(lambda: self._say(f"starting {self._name} for what was not recorded"))
        try:
            link = await self._host.open()
            assert isinstance(link, ZeroMQLink)
            await self._be_heard(link)
            self._link = link
            for request in self._pending:
                self._send(link, request)
            self._pending.clear()
            await self._pass_on(link)
        except Exception as error:
            why = str(error)
            self._call(lambda: self._lost(why))
        self._session = None
        await self._end()
        await self._describe()

    async def _be_heard(self, link: ZeroMQLink) -> None:
        """Ask until what the kernel publishes arrives."""
        heard = False
        while not heard:
            header = new_header("kernel_info_request", new_session(), {})
            await link.send(link.encode(Outgoing("shell", header, {}, {}, {}, [])))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ASK_SECONDS):
                    while not heard:
                        heard = any(wire.channel == "iopub" for wire in await link.receive())
            await self._check()

    async def _pass_on(self, link: ZeroMQLink) -> None:
        receiving = asyncio.ensure_future(link.receive())
        try:
            while True:
                await asyncio.wait([receiving], timeout=_WATCH_SECONDS)
                if not receiving.done():
                    await self._check()
                    continue
                for wire in receiving.result():
                    self._call(lambda wire=wire: self._heard(wire))  # type: ignore[misc]
                receiving = asyncio.ensure_future(link.receive())
        finally:
            receiving.cancel()

    async def _check(self) -> None:
        if self._host and (why := await self._host.ended()):
            raise KspyError(why)

    async def _interrupt(self) -> None:
        if self._host and self._link:
            try:
                await self._host.interrupt()
            except KspyError as error:
                why = str(error)
                self._call(lambda: self._say(why))

    async def _end(self) -> None:
        session, self._session = self._session, None
        link, self._link = self._link, None
        host, self._host = self._host, None
        self._pending.clear()
        if session is not None:
            session.cancel()
            await asyncio.wait([session])
        if link is not None:
            await link.close()
        if host is not None:
            await host.close()
