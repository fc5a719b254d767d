"""Send one message and print its thread while it comes; end well whatever the user does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import click

from kspy.cli.send_input import Answers
from kspy.errors import KspyError
from kspy.export.json_lines import message_line
from kspy.export.lines import Lines
from kspy.export.printed import printed_lines
from kspy.export.style import style_of_stdout
from kspy.speak.connect import Target, open_kernel
from kspy.speak.kernel import Kernel
from kspy.speak.thread import LiveThread
from kspy.wire.frames import Channel
from kspy.wire.message import Message, text

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_INTERRUPTING_SECONDS: Final = 2.0
_HINT_SECONDS: Final = 1.0
_HINT: Final = "waiting for the server, to end the kernel; Ctrl-C gives up"

Print = Callable[[Message], None]


@dataclass(frozen=True)
class Letter:
    """The message to send; as in `kspy.speak.kernel.Kernel.request`."""

    msg_type: str
    content: Mapping[str, Any]
    channel: Channel
    metadata: Mapping[str, Any] = field(default_factory=dict)
    buffers: Sequence[bytes] = ()
    header: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None


def warn(line: str) -> None:
    click.echo(f"kspy: {line}", err=True)


def text_printer() -> Print:
    """Prints a line a message as `kspy show` does, and beneath it what the line cannot hold."""
    lines = Lines(style_of_stdout())

    def show(message: Message) -> None:
        sys.stdout.writelines(
            f"{line}\n" for line in (lines.message(message), *printed_lines(message))
        )
        sys.stdout.flush()

    return show


def print_json(message: Message) -> None:
    sys.stdout.write(message_line(message) + "\n")
    sys.stdout.flush()


class Sending:
    """One message, from connecting to the end of its thread."""

    def __init__(self, target: Target, letter: Letter, show: Print, answers: Answers) -> None:
        self._target = target
        self._letter = letter
        self._show = show
        self._answers = answers
        self._kernel: Kernel | None = None
        self._interrupting: asyncio.Task[None] | None = None
        self._exit_code: int | None = None

    async def run(self) -> int:
        """The exit code: 0, 1 where the reply is an error or did not come, 128 + a signal's."""
        # Tornado logs what it raises as well; it would be said twice.
        logging.getLogger("tornado").addHandler(logging.NullHandler())
        task = asyncio.ensure_future(self._send())
        with self._on_signals(task):
            try:
                return await task
            except asyncio.CancelledError:
                if self._exit_code is None:
                    raise
                return self._exit_code

    async def _send(self) -> int:
        letter = self._letter
        async with open_kernel(self._target) as kernel:
            if letter.channel == "stdin":  # nothing answers there
                self._show(
                    await kernel.send(
                        letter.msg_type,
                        letter.content,
                        channel=letter.channel,
                        metadata=letter.metadata,
                        buffers=letter.buffers,
                        header=letter.header,
                    )
                )
                return 0
            thread = await kernel.request(
                letter.msg_type,
                letter.content,
                channel=letter.channel,
                metadata=letter.metadata,
                buffers=letter.buffers,
                header=letter.header,
                timeout=letter.timeout,
            )
            self._kernel = kernel
            await self._follow(kernel, thread)
            self._kernel = None
            return self._verdict(thread)

    async def _follow(self, kernel: Kernel, thread: LiveThread) -> None:
        answering: asyncio.Task[None] | None = None
        try:
            async for message in thread:
                self._show(message)
                if message.msg_type == "input_request" and self._answers.possible:
                    answering = asyncio.ensure_future(self._answer(kernel, message))
        finally:
            if self._interrupting:  # its answer may come after the kernel's
                await asyncio.wait((self._interrupting,), timeout=_INTERRUPTING_SECONDS)
            for task in (answering, self._interrupting):
                if task:
                    task.cancel()
                    await asyncio.wait((task,))

    async def _answer(self, kernel: Kernel, request: Message) -> None:
        prompt = text(request.content.get("prompt"))
        secret = request.content.get("password") is True
        answer = await self._answers.next(prompt, secret=secret)
        with contextlib.suppress(KspyError):  # the thread tells of it
            await kernel.reply_input(request, answer)

    def _verdict(self, thread: LiveThread) -> int:
        late = f" within {self._letter.timeout:g} s" if thread.end == "time limit" else ""
        if not thread.answered:
            warn(f"no reply{late}" if late else "the kernel is idle, and did not reply")
            return 1
        if late:
            warn(f"there is a reply, but the kernel was not idle{late}")
        return 1 if thread.state in ("error", "aborted") else 0

    @contextlib.contextmanager
    def _on_signals(self, task: asyncio.Task[int]) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._take_signal, number, task)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _take_signal(self, number: signal.Signals, task: asyncio.Task[int]) -> None:
        kernel, ending = self._kernel, self._exit_code is not None
        interruptible = kernel is not None and kernel.owned and not self._interrupting
        if number == signal.SIGINT and kernel and interruptible and not ending:
            self._interrupting = asyncio.ensure_future(self._interrupt(kernel))
            return
        if not ending:
            self._exit_code = 128 + number
            if self._target.gateway is not None:
                asyncio.get_running_loop().call_later(_HINT_SECONDS, warn, _HINT)
        task.cancel()  # what waits for a server gives up, the second time

    async def _interrupt(self, kernel: Kernel) -> None:
        try:
            await kernel.interrupt()
        except KspyError as error:
            warn(str(error))
        else:
            warn("interrupted the kernel; Ctrl-C again to end")
