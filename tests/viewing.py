"""The viewer under a pilot: waits that know when there is nothing more to come."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from textual.events import Paste
from textual.pilot import Pilot

from kspy.tui.app import KspyApp
from kspy.tui.main_screen import MainScreen

_QUIET_SECONDS = 0.2
"""Longer than any pause that the viewer makes before it does something by itself."""

LIST_SECONDS = 0.04


async def settled(pilot: Pilot[Any], pause: float = _QUIET_SECONDS) -> None:
    """Wait until all work is done and drawn; with a shorter pause, until the list is."""
    app = cast("KspyApp", pilot.app)
    quiet = 0
    while quiet < 2:
        await asyncio.sleep(pause / 2)
        quiet = 0 if app.desk.busy else quiet + 1
    await pilot.pause()


async def enter(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys, one after the other; `=text` is pasted. The list is drawn after each."""
    for key in keys:
        if key.startswith("="):
            pilot.app.post_message(Paste(key[1:]))
        else:
            await pilot.press(key)
        await settled(pilot, LIST_SECONDS)


@asynccontextmanager
async def viewing(
    path: Path, *, size: tuple[int, int] = (120, 40), **options: Any
) -> AsyncIterator[tuple[MainScreen, Pilot[Any]]]:
    """The main screen on a recording, with all of it read; settings go beside the recording."""
    os.environ.setdefault("KSPY_CONFIG_DIR", str(path.parent / "settings"))
    app = KspyApp(path, **options)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield cast("MainScreen", app.screen), pilot
    assert app.failures == []
