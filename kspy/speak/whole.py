"""Do a thing whole, even where it is to be given up meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def whole(work: Coroutine[Any, Any, Result], *, patient: bool = True) -> Result:
    """Await `work` to its end; a cancellation that comes meanwhile takes effect after it.

    So a kernel that was being started is known, and can be ended. Where it is not `patient`, as
    with servers that may never answer, a further cancellation cancels `work` as well. One counts
    as further, too, if the first one is why `work` is done at all.
    """
    task = asyncio.ensure_future(work)
    current = asyncio.current_task()
    again = current is not None and current.cancelling() > 0
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            if again and not patient:
                task.cancel()
            cancelled, again = error, True
    if cancelled:
        if not task.cancelled():
            task.exception()  # nobody asks for it any more
        raise cancelled
    return task.result()
