"""Run the real `kspy` command, as a shell would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

KSPY = str(Path(sys.executable).with_name("kspy"))


def kspy(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Its output comes through pipes, as text."""
    return subprocess.run(
        [KSPY, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )
