"""The requests that wait for their turn: a queue for each channel and subshell.

Rules, as ipykernel has them: behind an execute_request that fails, and has `stop_on_error`, those
execute_requests are aborted that have come by then (messaging specification, "Execution results";
ipykernel's `_abort_queues`). What comes when the client may know of the failure is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from kspy.replay.serving.performance import Performance
from kspy.replay.serving.request import Request
from kspy.wire.frames import Channel

Key = tuple[Channel, str]


@dataclass(eq=False, slots=True)
class Queue:
    """`running` is what is done with the first; so many that wait are `doomed`."""

    key: Key
    waiting: deque[Request] = field(default_factory=deque)
    running: Performance | Request | None = None
    doomed: int = 0

    def fails(self, request: Request) -> None:
        """Its reply will be an error: what waits behind it is aborted, where that is to be."""
        content = request.content
        stops = content.get("stop_on_error", True) and not content.get("silent")
        if request.msg_type == "execute_request" and stops:
            self.doomed = len(self.waiting)

    def next(self) -> tuple[Request, bool]:
        """Take the first that waits; is it to be aborted?"""
        request = self.waiting.popleft()
        doomed, self.doomed = self.doomed > 0, max(0, self.doomed - 1)
        return request, doomed and request.msg_type == "execute_request"


class Queues:
    """They are made when they are needed, and forgotten when they are empty."""

    def __init__(self) -> None:
        self._queues: dict[Key, Queue] = {}

    def __iter__(self) -> Iterator[Queue]:
        return iter(self._queues.values())

    @property
    def main(self) -> Queue:
        """That of the main shell."""
        return self._of(("shell", ""))

    def add(self, request: Request) -> Queue:
        """The queue that it waits in now."""
        queue = self._of((request.channel, request.subshell))
        queue.waiting.append(request)
        return queue

    def _of(self, key: Key) -> Queue:
        return self._queues.setdefault(key, Queue(key))

    def tidy(self, queue: Queue) -> None:
        """Forget it if nothing is left in it: clients may invent subshells for ever."""
        empty = queue.running is None and not queue.waiting
        if empty and self._queues.get(queue.key) is queue:
            del self._queues[queue.key]

    def doing(self, request: Request) -> Queue | None:
        """The queue in which it is done now."""
        return next((queue for queue in self if queue.running is request), None)

    def clear(self) -> None:
        for queue in self._queues.values():
            queue.waiting.clear()
            queue.running = None
            queue.doomed = 0
        self._queues.clear()
