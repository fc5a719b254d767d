"""Until what a kernel publishes arrives, and until it ends: the same for whoever speaks to one."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

from kspy.speak.link import Host
from kspy.speak.log import Log
from kspy.wire.frames import Channel
from kspy.wire.message import Message

_WELCOME_SECONDS: Final = 1.0
_NUDGE_SECONDS: Final = 1.0
_BUSY_SECONDS: Final = 4.0
_START_SECONDS: Final = 60.0
_NUDGES: Final[tuple[Channel, ...]] = ("control", "shell")
_WATCH_SECONDS: Final = 0.1
_LAST_WORDS_SECONDS: Final = 0.3


async def until_heard(
    heard: Callable[[float], Awaitable[bool]],
    nudge: Callable[[Channel], Awaitable[object]],
    *,
    owned: bool,
    limit: float | None = None,
) -> None:
    """Wait until what the kernel publishes arrives, so that no output is missed.

    Kernels greet a new subscription since protocol 5.5. Others are asked what they are, as
    jupyter_client does it, until a status comes. One that is busy may be silent; a subscription
    has long reached it by then.

    heard   waits so many seconds at most; True: it was heard, or there is nothing to wait for
    nudge   sends a `kernel_info_request`
    owned   a kernel that was started just now may need its time
    limit   seconds after which it is not waited for, whatever it is
    """
    seconds = _START_SECONDS if owned else _BUSY_SECONDS
    deadline = time.monotonic() + (seconds if limit is None else min(seconds, limit))

    def left(most: float) -> float:
        return max(min(most, deadline - time.monotonic()), 0.0)

    if await heard(left(_WELCOME_SECONDS)):
        return
    for channel in itertools.cycle(_NUDGES):
        if time.monotonic() >= deadline:
            return
        await nudge(channel)
        if await heard(left(_NUDGE_SECONDS)):
            return


async def until_ended(
    host: Host, log: Log, life: Callable[[], Hashable | None] = lambda: True
) -> str:
    """Wait until the kernel has ended, and has had time for its last words; why. It is recorded.

    life   which of its lives is watched; None: none now, as it is being started again
    """
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        log.flush()
        watched = life()
        if watched is None or not (why := await host.ended()):
            continue
        await asyncio.sleep(_LAST_WORDS_SECONDS)
        if life() == watched:
            log.event("kernel_died", host.how)
            return why


def told_end(message: Message) -> str:
    """A server says on iopub when the kernel behind it died: why nothing comes, or ""."""
    if message.channel != "iopub" or message.msg_type != "status":
        return ""
    state = message.content.get("execution_state")
    if state not in ("restarting", "dead"):
        return ""
    return f"the kernel ended; the server says that it is {state}"
