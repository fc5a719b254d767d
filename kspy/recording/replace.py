"""Putting a small file in place of another: all of it or nothing."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` where `path` is, readable for its owner alone. Raises `OSError`."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}-")  # mode 0600
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
