"""A terminal as a person has it before them: a process on a pty, and what is on its screen when.

Textual begins and ends each of its frames with marks (synchronized output, mode 2026) where the
terminal says that it knows them; this one does. So it is known to the byte when a frame is whole:
its time is that of the read that brought its last byte.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from rich.cells import get_character_cell_size

ROWS: Final = 40
COLUMNS: Final = 120
_FRAME_END: Final = "\x1b[?2026l"
_QUESTION, _ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_END_SECONDS: Final = 10.0
_TOKEN: Final = re.compile(
    r"\x1b\[([<=>?]?)([\d;:]*)[ -/]*([@-~])"  # 1: private mark, 2: parameters, 3: what to do
    r"|\x1b[\]P_].*?(?:\x07|\x1b\\)"
    r"|\x1b."
    r"|([\r\n])"  # 4
    r"|([^\x1b\r\n]+)",  # 5: text
    re.DOTALL,
)


class Screen:
    """What Textual's output makes of a screen: text, and colours of the background. No more."""

    def __init__(self) -> None:
        self._text = [[" "] * COLUMNS for _ in range(ROWS)]
        self._backs = [[""] * COLUMNS for _ in range(ROWS)]
        self._x = self._y = 0
        self._back = ""

    def line(self, y: int, start: int = 0, stop: int = COLUMNS) -> str:
        return "".join(self._text[y][start:stop])

    def lines(self, start: int = 0, stop: int = COLUMNS) -> list[str]:
        return [self.line(y, start, stop) for y in range(ROWS)]

    def backs(self, y: int) -> Sequence[str]:
        """The background of each cell of a line, as the parameters that set it: `48;2;1;2;3`."""
        return self._backs[y]

    def write(self, output: str) -> None:
        for token in _TOKEN.finditer(output):
            private, parameters, action, control, text = token.groups()
            if text:
                self._put(text)
            elif control:
                self._x = 0
                self._y = min(self._y + (control == "\n"), ROWS - 1)
            elif action and not private:
                self._act(action, parameters)

    def _put(self, text: str) -> None:
        cells, backs = self._text[self._y], self._backs[self._y]
        for character in text:
            width = 1 if character.isascii() else get_character_cell_size(character)
            for x in range(self._x, min(self._x + width, COLUMNS)):
                cells[x] = character if x == self._x else ""
                backs[x] = self._back
            self._x += width

    def _act(self, action: str, parameters: str) -> None:
        if action == "H":
            row, _, column = parameters.partition(";")
            self._y = min(max(int(row or 1) - 1, 0), ROWS - 1)
            self._x = max(int(column or 1) - 1, 0)
        elif action == "m":
            self._style(parameters.split(";"))

    def _style(self, codes: list[str]) -> None:
        at = 0
        while at < len(codes):
            code = codes[at]
            length = 1
            if code in ("38", "48"):
                length = 5 if codes[at + 1] == "2" else 3
            if code in ("", "0", "49"):
                self._back = ""
            elif code == "48":
                self._back = ";".join(codes[at : at + length])
            at += length


class Terminal:
    """`command` on a pty of 120x40 cells. Times are those of `time.monotonic_ns`, in ns."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._pty, inside = os.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        look = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self.screen = Screen()
        self.started = time.monotonic_ns()
        self.process = subprocess.Popen(
            command,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
            env={**plain, **look, **environment},
        )
        os.close(inside)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._unfinished = ""
        self._read_at = 0

    def press(self, keys: str) -> int:
        """Write keys, all at once; the time just before."""
        now = time.monotonic_ns()
        os.write(self._pty, keys.encode())
        return now

    def frames(self, seconds: float) -> Iterator[int]:
        """The time of each frame that ends within so many seconds; `screen` is as it left it."""
        until = time.monotonic() + seconds
        while True:
            while _FRAME_END in self._unfinished:
                frame, _, self._unfinished = self._unfinished.partition(_FRAME_END)
                self.screen.write(frame)
                yield self._read_at
            left = until - time.monotonic()
            if left <= 0 or not self._read(left):
                return

    def wait(self, shows: Callable[[Screen], bool], seconds: float) -> int:
        """The time of the first frame from now on after which the screen `shows` it."""
        for time_ns in self.frames(seconds):
            if shows(self.screen):
                return time_ns
        shown = "\n".join(self.screen.lines())
        raise RuntimeError(f"after {seconds} s the screen does not show it:\n{shown}")

    def settle(self, quiet: float, seconds: float) -> int:
        """Wait until no frame has come for `quiet` seconds, for `seconds` at most.

        The time of the last frame, 0 where there was none.
        """
        until = time.monotonic() + seconds
        last = 0
        while time.monotonic() < until:
            frame = next(self.frames(quiet), None)
            if frame is None:
                break
            last = frame
        return last

    def peak_mib(self) -> float:
        """The most memory that the process has had resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def close(self) -> None:
        """End the process, with its own key if it listens to it."""
        with suppress(OSError):
            self.press("\x11")
        until = time.monotonic() + _END_SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            self._read(0.05)
        self.process.kill()
        self.process.wait()
        os.close(self._pty)

    def _read(self, seconds: float) -> bool:
        """Wait so long for output; False where no more will come in that time, or ever."""
        if not select.select([self._pty], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._pty, 1 << 16)
        except OSError:  # the process has ended
            return False
        self._read_at = time.monotonic_ns()
        self._unfinished += self._decoder.decode(data)
        if _QUESTION in data:
            os.write(self._pty, _ANSWER)
        return True


@contextmanager
def terminal(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Terminal]:
    opened = Terminal(command, environment)
    try:
        yield opened
    finally:
        opened.close()
