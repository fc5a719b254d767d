"""Which Python a kernelspec means that just says `python`."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

from kspy.tap.wrapper.spec import read


def _kernelspec(folder: Path, argv: list[str]) -> str:
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "x"}))
    return str(folder)


def test_it_is_that_of_the_environment_that_the_kernelspec_is_in(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", symlinks=True)
    argv = ["python", "-c", "import sys; print(sys.prefix)"]
    folder = _kernelspec(tmp_path / "env" / "share" / "jupyter" / "kernels" / "thing", argv)
    command = read(folder, "thing").command("file.json")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "env")


def test_elsewhere_it_is_the_wrappers(tmp_path: Path) -> None:
    folder = _kernelspec(tmp_path / "share" / "jupyter" / "kernels" / "thing", ["python3"])
    assert read(folder, "thing").command("file.json") == [sys.executable]
