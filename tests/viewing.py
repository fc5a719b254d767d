"""The viewer under a pilot: waits that know when there is nothing more to come."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast
from unittest.mock import patch

from tapping import PATIENCE
from textual.app import App
from textual.events import Key, Paste
from textual.keys import key_to_character
from textual.pilot import Pilot
from textual.widgets import Input, Static

from kspy.tui.app import KspyApp
from kspy.tui.detail.rendered_view import RenderedView
from kspy.tui.main_screen import MainScreen

RECORDINGS: Final = Path(__file__).parent.parent / "recordings"

QUIET_SECONDS = 0.2
"""Longer than any pause that the viewer makes before it does something by itself."""

LIST_SECONDS = 0.04

_SAID_SECONDS = 600
"""On a busy machine, what was said would be gone before a test reads it."""


async def until(
    seen: Callable[[], object], what: str = "it", lines: Callable[[], list[str]] = list
) -> None:
    """Wait until it is seen; `lines` are told of if it never is."""
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline, "\n".join([f"waited in vain for {what}:", *lines()])
        await asyncio.sleep(0.005)


async def settled(pilot: Pilot[Any], pause: float = QUIET_SECONDS) -> None:
    """Wait until all work is done and drawn; with a shorter pause, until the list is."""
    app = cast("KspyApp", pilot.app)
    quiet = 0
    while quiet < 2:
        await asyncio.sleep(pause / 2)
        quiet = 0 if app.desk.busy else quiet + 1
    await pilot.pause()


async def enter(pilot: Pilot[Any], *keys: str, pause: float = LIST_SECONDS) -> None:
    """Press keys, one after the other; `=text` is pasted. The list is drawn after each.

    pause   how long it is quiet then, in seconds; see `settled`
    """
    for key in keys:
        if key.startswith("="):
            await _paste(pilot.app, key[1:])
        else:
            await pilot.press(key)
        await settled(pilot, pause)


async def _paste(app: App[Any], text: str) -> None:
    """It goes from the app to the screen to the entry, each in its own time."""
    entry = app.focused
    before = entry.value if isinstance(entry, Input) else None
    app.post_message(Paste(text))
    if text and isinstance(entry, Input):
        await until(lambda: entry.value != before, f"the paste of {text}")


async def hurry(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys as fast as they are taken, animations or not; several times faster."""
    for key in keys:
        pilot.app.post_message(Key(key, key_to_character(key)))
        await pilot.pause(0)


@asynccontextmanager
async def viewing(
    path: Path,
    *keys: str,
    size: tuple[int, int] = (120, 40),
    toasts: bool = False,
    **options: Any,
) -> AsyncIterator[Viewer]:
    """The viewer on a recording, all of it read, the keys pressed. Settings are its own.

    `toasts`: what is notified is on the screen, too.
    """
    with (
        TemporaryDirectory() as settings,
        patch.dict(os.environ, KSPY_CONFIG_DIR=settings),
        patch.object(KspyApp, "NOTIFICATION_TIMEOUT", _SAID_SECONDS),
    ):
        app = KspyApp(path, **options)
        async with app.run_test(size=size, notifications=toasts) as pilot:
            viewer = Viewer(app, pilot)
            await viewer.settle()
            await viewer.enter(*keys)
            yield viewer
        if app.failures:
            raise app.failures[0]


class Viewer:
    """The app, and what a person sees of it."""

    def __init__(self, app: KspyApp, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def main(self) -> MainScreen:
        return cast("MainScreen", self.app.screen_stack[1])

    @property
    def rows(self) -> list[str]:
        """The lines of the list that are on the screen."""
        stream = self.main.stream
        shown = range(1, min(stream.rows, len(self.main.viewing.lines)) + 1)
        return [stream.render_line(y).text.rstrip() for y in shown]

    @property
    def row(self) -> str:
        """The line with the cursor."""
        stream = self.main.stream
        return stream.render_line(stream.cursor - stream.scroll_offset.y + 1).text.rstrip()

    @property
    def inspected(self) -> str:
        """The inspector's first tab."""
        view = self.main.query_one(RenderedView)
        lines = (view.render_line(y).text for y in range(view.virtual_size.height))
        return "\n".join(line[1:].rstrip() for line in lines)

    @property
    def screen(self) -> list[str]:
        """All lines of the screen that is on top."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def status(self) -> str:
        """The two lines at the top: what is known of the recording, and the filter."""
        return "\n".join(self.screen[:2])

    @property
    def prompt(self) -> str:
        """What the line that asks says; "" where it is hidden."""
        bar = self.main.prompt
        if not bar.display:
            return ""
        return " ".join(str(part.render()) for part in bar.query(Static)).strip()

    @property
    def said(self) -> list[str]:
        """What was notified, the last one last."""
        return [note.message for note in self.app._notifications]

    async def settle(self) -> None:
        await settled(self.pilot)

    async def enter(self, *keys: str) -> None:
        await enter(self.pilot, *keys)
        await self.settle()

    async def hurry(self, *keys: str) -> None:
        """Press keys without a wait, and wait for the list and the inspector in the end."""
        await hurry(self.pilot, *keys)
        await settled(self.pilot, LIST_SECONDS)

    async def wait_for(self, seen: Callable[[], bool], what: str) -> None:
        """Wait until it is seen."""
        await until(seen, what, lambda: self.rows)
