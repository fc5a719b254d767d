"""Pictures of the viewer's screens: the app itself, on a recording, after some keys.

The same recordings give the same pictures.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Final, NamedTuple

from svg import cleaned
from textual.events import Paste
from textual.pilot import Pilot

from kspy.tui.app import KspyApp

_PAUSE_SECONDS: Final = 0.1
WIDE: Final = (120, 36)
NARROW: Final = (80, 24)


class Picture(NamedTuple):
    """`keys` are pressed one after the other; `=text` is pasted."""

    name: str
    recording: str
    keys: tuple[str, ...]
    theme: str = "kspy-dark"
    size: tuple[int, int] = WIDE
    diff: str = ""


PICTURES: Final = (
    Picture("view", "rich.kspy", ("t", "n", "l")),
    Picture("view-stream", "two-clients.kspy", ("colon", "=25", "enter")),
    Picture("view-image", "rich.kspy", ("slash", "=type:display_data", "enter")),
    Picture(
        "view-tree",
        "widget.kspy",
        ("slash", "=comm:c0ffee", "enter", "j", "2", "enter", "j", "j", "j", "l"),
    ),
    Picture("view-times", "rich.kspy", ("t", "colon", "=14", "enter", "5"), "kspy-light"),
    Picture("view-filter", "rich.kspy", ("slash", "=type:execute_* and la")),
    Picture(
        "view-compare",
        "two-clients.kspy",
        ("slash", "=type:execute_request", "enter", "D", "j", "j", "D"),
    ),
    Picture("view-diff", "rich.kspy", (), diff="changed.kspy"),
    Picture("view-waiting", "kernel-dies.kspy", ("t", "G"), size=NARROW),
    Picture("view-play", "rich.kspy", ("g", *["full_stop"] * 29)),
    Picture("view-folder", ".", ()),
)


def pictures(recordings: Path) -> Iterator[tuple[str, str]]:
    """The name of each picture, and its SVG."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    for picture in PICTURES:
        with tempfile.TemporaryDirectory() as folder:
            # What the viewer keeps goes beside a copy.
            os.environ["KSPY_CONFIG_DIR"] = f"{folder}/settings"
            copies = Path(folder, "recordings")
            shutil.copytree(recordings, copies)
            with chdir(copies):
                yield picture.name, cleaned(asyncio.run(_draw(picture)))


async def _draw(picture: Picture) -> str:
    diff = Path(picture.diff) if picture.diff else None
    app = KspyApp(Path(picture.recording), theme=picture.theme, diff=diff)
    async with app.run_test(size=picture.size) as pilot:
        await _drawn(pilot, app)
        for key in picture.keys:
            if key.startswith("="):
                app.post_message(Paste(key[1:]))
            else:
                await pilot.press(key)
            await _drawn(pilot, app)
        more = f" --diff {picture.diff}" if picture.diff else ""
        return app.export_screenshot(title=f"kspy view {picture.recording}{more}")


async def _drawn(pilot: Pilot[int], app: KspyApp) -> None:
    """Wait until all that was asked for is on the screen."""
    quiet = 0
    while quiet < 3:
        await asyncio.sleep(_PAUSE_SECONDS)
        quiet = 0 if app.desk.busy else quiet + 1
    await pilot.pause()
