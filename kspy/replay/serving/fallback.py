"""A real kernel for the requests that nobody recorded; it is started when the first one comes.

Between it and the client messages pass as they are, signed anew. As the client's routing prefix
travels with its request, the kernel's answers, and its questions on stdin, find the client by it,
or else by what they answer.
It has none of the state that the recorded cells would have left.

Theory of operation: the kernel is launched, and spoken to, by a thread with an event loop of its
own; what comes from it is handed to the main thread, which alone knows what the clients wait for.
A kernel has a *life*, from the first request for it till it is put away, processes and all. When it
ends by itself the main thread is told, and answers with `_renew`: as calls arrive in order, what
was asked before that is refused, and what is asked after it goes to a new kernel.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final

from kspy.errors import KspyError
from kspy.recording.outcome import ERROR, IDLE, OutcomeFinder
from kspy.replay.serving.comms import Comms
from kspy.replay.serving.packing import pack
from kspy.replay.serving.request import Request, delimiter_of
from kspy.replay.serving.speaker import Speaker
from kspy.speak.compose import Outgoing, new_header, new_session
from kspy.speak.hearing import until_heard
from kspy.speak.link import Link, Wire
from kspy.speak.local import Launched
from kspy.speak.thread import REPLIED
from kspy.speak.whole import whole
from kspy.speak.zeromq import ZeroMQLink
from kspy.wire.frames import Channel
from kspy.wire.message import ROUTES, text
from kspy.wire.packers import decode_header

_WATCH_SECONDS: Final = 0.2

Call = Callable[[Callable[[], None]], None]


class _Asked:
    """A request that the kernel works on."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.replied = request.msg_type not in REPLIED
        self.idle = False


class Fallback:
    """`relieved` is told when a request is done, and why not; `fails` when it will be an error."""

    def __init__(
        self,
        name: str,
        speaker: Speaker,
        emit: Callable[[Channel, Sequence[bytes]], None],
        relieved: Callable[[Request, str], None],
        fails: Callable[[Request], None],
        call: Call,
        say: Callable[[str], None],
        comms: Comms,
    ) -> None:
        """Raises `KspyError` where no kernel has that name. `call`: let the main thread do it."""
        self._name, self._speaker, self._emit = name, speaker, emit
        self._relieved, self._fails = relieved, fails
        self._call, self._say = call, say
        self._comms, self._opened = comms, set[str]()
        self._outcomes = OutcomeFinder()
        self._asked: dict[str, _Asked] = {}
        self._life = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="kspy-fallback", daemon=True
        )
        self._thread.start()
        # In the loop's thread:
        self._host: Launched | None = None
        self._open = False
        self._pending: deque[tuple[int, Request]] = deque()
        self._more = asyncio.Event()
        self._session: asyncio.Task[None] | None = None
        try:
            self._do(self._host_of_that_name())
        except BaseException:
            self.close()
            raise

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # For the main thread

    def ask(self, request: Request) -> None:
        """Let the kernel answer; on stdin: hand on what a client answered."""
        if request.channel != "stdin":
            same = self._asked.pop(request.message.msg_id, None)
            if same is not None:  # whose answers cannot be told from this one's
                self._relieved(same.request, "")
            self._asked[request.message.msg_id] = _Asked(request)
        self._loop.call_soon_threadsafe(self._take, self._life, request)

    def interrupt(self) -> None:
        asyncio.run_coroutine_threadsafe(self._interrupt(), self._loop)

    def restart(self) -> None:
        """End the kernel; another one is started when it is needed."""
        self._asked.clear()
        self._life += 1
        self._loop.call_soon_threadsafe(self._break_off)

    def close(self) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _heard(self, life: int, wire: Wire) -> None:
        frames = list(wire.frames)
        at = delimiter_of(frames)
        if at is None or life != self._life:
            return
        header = decode_header(frames[at + 2]) or {}
        parent_id = text((decode_header(frames[at + 3]) or {}).get("msg_id"))
        asked = self._asked.get(parent_id)
        msg_type = text(header.get("msg_type"))
        if msg_type == "iopub_welcome" or (msg_type == "status" and asked is None):
            return  # about itself
        frames[at + 1] = self._speaker.sign(frames[at + 2 : at + 6])
        route = ROUTES[wire.channel, "to_client"]
        outcome = self._outcomes.find(route, msg_type, frames[at + 5])
        replies = asked is not None and wire.channel == asked.request.channel
        if asked and replies and outcome == ERROR:
            self._fails(asked.request)
        # Some kernels return only the first frame of the prefix (see `kspy.tap.strays`).
        prefix = asked.request.identities if asked and not at and wire.channel != "iopub" else []
        self._emit(wire.channel, [*prefix, *frames])
        if msg_type in ("comm_open", "comm_close"):
            self._see_comm(msg_type, frames[at + 5])
        if asked is None:
            return
        asked.idle = asked.idle or outcome == IDLE
        asked.replied = asked.replied or replies
        if asked.replied and asked.idle:
            del self._asked[parent_id]
            self._relieved(asked.request, "")

    def _see_comm(self, msg_type: str, packed: bytes) -> None:
        """A comm that it opens is one of the served kernel, for as long as it lives."""
        content = decode_header(packed) or {}
        self._comms.see(msg_type, content)
        self._opened.add(text(content.get("comm_id")))

    def _lost(self, life: int, why: str) -> None:
        if life != self._life:
            return
        self._loop.call_soon_threadsafe(self._renew)
        for comm_id in self._opened:
            self._comms.see("comm_close", {"comm_id": comm_id})
        self._opened.clear()
        waiting, self._asked = list(self._asked.values()), {}
        for asked in waiting:
            self._relieved(asked.request, f"the fallback failed: {why}")

    # In the loop's thread

    async def _host_of_that_name(self) -> Launched:
        """Take hold of the kernelspec; nothing is started."""
        host = Launched(self._name, self._say)
        await host.describe()
        return host

    def _take(self, life: int, request: Request) -> None:
        if self._open or request.channel != "stdin":
            self._pending.append((life, request))
            self._begin()

    def _begin(self) -> None:
        """Go on with what is pending: there may be a kernel, one that ends, or none."""
        self._more.set()
        free = self._session is None or self._session.cancelled()
        if self._pending and free:
            self._session = self._loop.create_task(self._live(self._pending[0][0]))
            self._session.add_done_callback(lambda _: self._begin())

    def _renew(self) -> None:
        """All that was asked till now is refused."""
        self._pending.clear()
        self._session = None

    def _break_off(self) -> None:
        """Let the kernel end; what is asked from now on goes to the next one."""
        self._pending.clear()
        self._open = False
        if self._session is not None and self._session.done():
            self._session = None
        elif self._session is not None:
            self._session.cancel()

    async def _end(self) -> None:
        self._break_off()
        if self._session is not None:
            await asyncio.wait([self._session])

    async def _live(self, life: int) -> None:
        """Start a kernel, converse with it, and put it away."""
        self._call(lambda: self._say(f"starting {self._name} for what was not recorded"))
        why = await self._converse(life)
        self._call(lambda: self._lost(life, why))

    async def _converse(self, life: int) -> str:
        """Why it ended."""
        why = ""
        link: Link | None = None
        try:
            self._host = await self._host_of_that_name()
            link = await self._host.open()
            assert isinstance(link, ZeroMQLink)
            await self._be_heard(link)
            self._open = True
            await _first_of(self._hand_on(link), self._pass_on(life, link))
        except Exception as error:
            why = str(error) or type(error).__name__
        finally:
            self._open = False
            host, self._host = self._host, None
            await whole(_put_away(link, host))
        return why

    async def _hand_on(self, link: ZeroMQLink) -> None:
        """Send what is asked, as it comes."""
        while True:
            self._more.clear()
            while self._pending:
                _, request = self._pending.popleft()
                await link.send(_wire(link, request))
            await self._more.wait()

    async def _be_heard(self, link: ZeroMQLink) -> None:
        """Wait until what the kernel publishes arrives."""
        found = False

        async def heard(seconds: float) -> bool:
            nonlocal found
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while not found:
                        found = any(wire.channel == "iopub" for wire in await link.receive())
            await self._check()
            return found

        async def nudge(channel: Channel) -> None:
            header = new_header("kernel_info_request", new_session(), {})
            await link.send(link.encode(Outgoing(channel, header, {}, {}, {}, [])))

        await until_heard(heard, nudge, owned=True)
        if not found:
            raise KspyError(f"kernel {self._name}: it publishes nothing")

    async def _pass_on(self, life: int, link: ZeroMQLink) -> None:
        receiving = asyncio.ensure_future(link.receive())
        try:
            while True:
                await asyncio.wait([receiving], timeout=_WATCH_SECONDS)
                if not receiving.done():
                    await self._check()
                    continue
                for wire in receiving.result():
                    self._call(partial(self._heard, life, wire))
                receiving = asyncio.ensure_future(link.receive())
        finally:
            receiving.cancel()

    async def _check(self) -> None:
        if self._host and (why := await self._host.ended()):
            raise KspyError(why)

    async def _interrupt(self) -> None:
        if self._host and self._open:
            try:
                await self._host.interrupt()
            except KspyError as error:
                why = str(error)
                self._call(lambda: self._say(why))


def _wire(link: ZeroMQLink, request: Request) -> Wire:
    """The request as the kernel gets it: signed with its key, behind the client's prefix."""
    parts = list(request.frames[len(request.identities) + 2 :])
    header = request.message.header
    if "subshell_id" in header:  # which is one of the served kernel
        kept = {name: header[name] for name in header if name != "subshell_id"}
        parts[0] = pack(kept, msgpack=request.speaks_msgpack)
    wire = link.pack(request.channel, parts[:4], parts[4:])
    return wire._replace(frames=[*request.identities, *wire.frames])


async def _first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Do all until the first one ends, and fail as it does."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _put_away(link: Link | None, host: Launched | None) -> None:
    if link is not None:
        await link.close()
    if host is not None:
        await host.close()
