"""What `kspy install` installs: a kernel with a tap in front of it, or a recording in its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kspy.analysis.sanitize import one_line
from kspy.analysis.table import Table
from kspy.errors import KspyError
from kspy.recording.reader import Recording
from kspy.replay.serving.book import open_book
from kspy.replay.serving.wording import kernel_info
from kspy.tap.kernelspecs import below
from kspy.tap.limits import Limits
from kspy.tap.recordings_folder import default_folder, make_folder
from kspy.tap.served_spec import Served
from kspy.tap.wrapper.arguments import Arguments
from kspy.wire.message import text


@dataclass(frozen=True)
class ToInstall:
    """What the command of a kernelspec is told, its other values, and how it is called."""

    arguments: Arguments | Served
    values: dict[str, Any]
    name: str
    display_name: str


def tapped(kernel: str, recordings: Path | None, limits: Limits) -> ToInstall:
    """The kernelspec `kernel` with a tap in front. Raises `KspyError`."""
    folder, values = below(kernel)
    place = (recordings or default_folder()).absolute()
    make_folder(place)
    return ToInstall(
        Arguments(kernel=kernel, folder=folder, recordings=str(place), limits=limits),
        values,
        f"kspy-{kernel}",
        f"{values.get('display_name') or kernel} (kspy)",
    )


def served(path: Path, *, fast: bool, fallback: str | None) -> ToInstall:
    """A kernel that plays a recording. Raises `KspyError` where that cannot be."""
    if fallback is not None:
        below(fallback)
    with Recording(path) as recording:
        book = open_book(Table(recording))
        if not len(book.scripts.cues):
            raise KspyError(f"{path}: has no requests that could be answered")
        info = kernel_info(book, recording.metadata)
        language, display_name = _of_kernel(recording, info)
    stem = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-") or "recording"
    return ToInstall(
        Served(str(path.absolute()), fast, fallback),
        {
            "language": language,
            "interrupt_mode": "message",
            "metadata": {"supported_encryption": ["curve"], **_debugger(info)},
        },
        f"kspy-{stem}",
        f"{display_name or path.stem} (recorded)",
    )


def _debugger(info: dict[str, Any]) -> dict[str, Any]:
    """What frontends read to know whether there is a debugger, before they ask the kernel."""
    features = info.get("supported_features")
    told = isinstance(features, list) and "debugger" in features
    return {"debugger": True} if told or info.get("debugger") is True else {}


def _of_kernel(recording: Recording, info: dict[str, Any]) -> tuple[str, str]:
    """Language and display name: the kernelspec's, or else what the kernel said of itself."""
    spec, about = recording.metadata.get("kernel"), info.get("language_info")
    spec, about = (value if isinstance(value, dict) else {} for value in (spec, about))
    language = text(spec.get("language")) or text(about.get("name"))
    display_name = text(spec.get("display_name")) or text(recording.metadata.get("kernel_name"))
    return one_line(language), one_line(display_name)
