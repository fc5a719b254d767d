"""What a recording's header says of where it was made."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import jupyter_client
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
            "jupyter_client": jupyter_client.__version__,
            "pyzmq": zmq.__version__,
            "libzmq": zmq.zmq_version(),
        },
        "platform": f"{platform.system()} {platform.machine()}",
    }
