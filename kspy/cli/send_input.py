"""What answers a kernel's `input_request`: lines that were given, a pipe, or who sits here."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import sys
import termios
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

import click

from kspy.analysis.sanitize import one_line

END_OF_INPUT: Final = "\x04"
"""What `jupyter console` answers at the end of its input; ipykernel raises EOFError for it."""

_READ: Final = 1 << 16


class Answers:
    """Lines for a kernel that asks.

    given   lines to answer with, in order; () for those of standard input
    taken   standard input has been read for something else
    """

    def __init__(self, given: Sequence[str], *, taken: bool) -> None:
        self._lines = deque(line for text in given for line in text.split("\n"))
        self._given = bool(given)
        self._taken = taken
        self._read = b""

    @property
    def possible(self) -> bool:
        """Is there anything that could answer? A kernel that is told no does not ask."""
        return self._given or (not self._taken and _holds_lines())

    async def next(self, prompt: str, *, secret: bool) -> str:
        """The next line. On a terminal with `prompt`, and without echo where it is `secret`."""
        if self._lines:
            return self._lines.popleft()
        if self._given or self._taken:
            return END_OF_INPUT
        if sys.stdin.isatty():
            click.echo(one_line(prompt), err=True, nl=False)
            with _without_echo() if secret else contextlib.nullcontext():
                return await self._line()
        return await self._line()

    async def _line(self) -> str:
        while b"\n" not in self._read:
            more = await _read_more()
            if not more:
                break
            self._read += more
        line, newline, self._read = self._read.partition(b"\n")
        if not line and not newline:
            return END_OF_INPUT
        return line.decode(errors="replace").removesuffix("\r")


def _holds_lines() -> bool:
    """Is standard input a terminal, a pipe or a file, and not closed or /dev/null?"""
    if sys.stdin is None:
        return False
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return sys.stdin.isatty() or stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


async def _read_more() -> bytes:
    loop, file = asyncio.get_running_loop(), sys.stdin.fileno()
    ready = asyncio.Event()
    try:
        loop.add_reader(file, ready.set)
    except PermissionError:  # a regular file is always ready
        return os.read(file, _READ)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(file)
    return os.read(file, _READ)


@contextlib.contextmanager
def _without_echo() -> Iterator[None]:
    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    silent = termios.tcgetattr(file)
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(file, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(file, termios.TCSADRAIN, before)
        click.echo(err=True)
