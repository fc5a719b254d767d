"""The desk: one background thread that does all long work on a recording, a step at a time.

Long work is a generator that yields `Progress` at least every few milliseconds and returns its
result. The desk takes a step of each job in turn, so a search over a million messages and a
recording that grows do not wait for each other, and a job that is cancelled ends at its next
step. As it is one thread, what only jobs touch (a `Table` that grows) needs no lock. Results go
to the user interface by `call_soon_threadsafe`, in order.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Final

from kspy.analysis.progress import Progress

Work = Generator[Progress | None, None, Any]

_PROGRESS_SECONDS: Final = 0.1
_CLOSING_SECONDS: Final = 2.0
_NAP_SECONDS: Final = 0.0005
"""Between steps the interpreter is let go, so that a key press never waits for a whole job."""


class Job:
    """Work in hand. `cancel` is called from the user interface; after it, nothing is reported."""

    __slots__ = ("_told", "cancelled", "on_done", "on_error", "on_progress", "urgent", "work")

    def __init__(
        self,
        work: Work,
        on_done: Callable[[Any], None] | None,
        on_progress: Callable[[Progress], None] | None,
        on_error: Callable[[Exception], None] | None,
        urgent: bool,
    ) -> None:
        self.work = work
        self.on_done = on_done
        self.on_progress = on_progress
        self.on_error = on_error
        self.urgent = urgent
        self.cancelled = False
        self._told = 0.0

    def cancel(self) -> None:
        self.cancelled = True

    def due(self) -> bool:
        """Is it time to tell of progress again?"""
        now = time.monotonic()
        if now - self._told < _PROGRESS_SECONDS:
            return False
        self._told = now
        return True


class Desk:
    """Started within the app's event loop; `close` ends it and all its jobs."""

    def __init__(self, failed: Callable[[Exception], None] | None = None) -> None:
        """`failed` is told, in the user interface, of errors that nobody else asked to be."""
        self._failed = failed or _raise
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()  # Textual keeps there which app it is
        self._jobs: deque[Job] = deque()
        self._wake = threading.Condition()
        self._open = True
        self._ended = False
        self._then: Callable[[], None] | None = None
        self._thread = threading.Thread(target=self._work, name="kspy-desk", daemon=True)
        self._thread.start()

    def run(
        self,
        work: Work,
        on_done: Callable[[Any], None] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        *,
        urgent: bool = False,
    ) -> Job:
        """Do `work`; the callbacks come in the user interface's thread.

        Without `on_error`, what the work raises is raised there. `urgent` work (what the screen
        waits for) goes before all other.
        """
        job = Job(work, on_done, on_progress, on_error, urgent)
        with self._wake:
            if urgent:
                self._jobs.appendleft(job)
            else:
                self._jobs.append(job)
            self._wake.notify()
        return job

    @property
    def busy(self) -> bool:
        """Is there any work in hand?"""
        return bool(self._jobs)

    def close(self, then: Callable[[], None] | None = None) -> None:
        """End all work, and call `then`, which may close what jobs read: none reads any more.

        Waits for a step that is being taken, but not for long: one that takes longer ends in its
        own time, and `then` is called after it, on the desk's thread.
        """
        with self._wake:
            self._open = False
            self._then = then
            self._wake.notify()
            ended = self._ended
        if ended and then:
            then()
        self._thread.join(_CLOSING_SECONDS)

    # On the desk's thread

    def _work(self) -> None:
        while True:
            with self._wake:
                while self._open and not self._jobs:
                    self._wake.wait()
                if not self._open:
                    break
                job = self._jobs[0]
            finished = self._step(job)
            with self._wake:
                self._jobs.remove(job)
                if not finished:
                    self._put_back(job)
            if not job.urgent:
                time.sleep(_NAP_SECONDS)
        for job in self._jobs:
            job.work.close()
        self._jobs.clear()
        with self._wake:
            self._ended = True
            then = self._then
        if then:
            then()

    def _put_back(self, job: Job) -> None:
        """Urgent work stays before the rest; the others take turns."""
        if not job.urgent:
            self._jobs.append(job)
            return
        place = 0
        while place < len(self._jobs) and self._jobs[place].urgent:
            place += 1
        self._jobs.insert(place, job)

    def _step(self, job: Job) -> bool:
        """Take one step; True when the job has ended."""
        if job.cancelled:
            job.work.close()
            return True
        try:
            progress = next(job.work)
        except StopIteration as stop:
            self._report(job, job.on_done, stop.value)
            return True
        except Exception as error:
            self._report(job, job.on_error or self._failed, error)
            return True
        if progress is not None and job.on_progress is not None and job.due():
            self._report(job, job.on_progress, progress)
        return False

    def _report(self, job: Job, callback: Callable[[Any], None] | None, value: Any) -> None:
        if callback is None:
            return
        told = callback

        def tell() -> None:
            if job.cancelled or not self._open:
                return
            try:
                told(value)
            except Exception as error:
                self._failed(error)

        try:
            self._loop.call_soon_threadsafe(tell, context=self._context)
        except RuntimeError:  # the app has ended meanwhile
            self._open = False


def _raise(error: Exception) -> None:
    raise error
