"""What a recording's header says of where it was made."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import zmq

from kspy.version import __version__


def describe(kernel_name: str, kernel: Mapping[str, Any]) -> dict[str, Any]:
    """Header fields of docs/format.md: never a key, an environment, or a home's path."""
    return {
        "kernel_name": kernel_name,
        "kernel": dict(kernel),
        "versions": {
            "kspy": __version__,
            "python": platform.python_version(),
            "jupyter_client": version("jupyter_client"),
            "pyzmq": zmq.__version__,
            "libzmq": zmq.zmq_version(),
        },
        "platform": f"{platform.system()} {platform.machine()}",
    }


def describe_kernel(
    display_name: str, language: str, interrupt_mode: str, argv: Sequence[str]
) -> dict[str, Any]:
    """What a recording says of a kernelspec: never its environment, `~` for the user's home."""
    home = str(Path.home())
    return {
        "display_name": display_name,
        "language": language,
        "interrupt_mode": interrupt_mode,
        "argv": [argument.replace(home, "~") for argument in argv],
    }
