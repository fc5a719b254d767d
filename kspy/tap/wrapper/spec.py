"""The kernelspec of the kernel below: what is started, and how.

jupyter_client would do this, but takes longer to import than all of it takes; a test compares
what both make of a kernelspec.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kspy.errors import KspyError
from kspy.tap.wrapper.arguments import of_kernelspec

_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z0-9_]+)\}")
_HANDSHAKE: Final = (5, 6)
"""The protocol that brought registration files (messaging specification, "Handshake")."""
_PLACE: Final = ("share", "jupyter", "kernels")
PYTHONS: Final = {
    "python",
    f"python{sys.version_info.major}",
    f"python{sys.version_info.major}.{sys.version_info.minor}",
}


def python_of(folder: str) -> str:
    """The Python of the environment that a kernelspec's folder is in; "" where it is in none.

    A kernelspec that says `python` means that of the frontend, which is in the kernelspec's own
    environment as a rule. The wrapper's may be another, where kspy is installed by itself.
    """
    path = Path(folder)
    if path.parts[-4:-1] != _PLACE:
        return ""
    python = path.parents[3] / "bin" / "python"
    return str(python) if os.access(python, os.X_OK) else ""


@dataclass(frozen=True)
class Spec:
    """A kernelspec, as far as the wrapper needs it."""

    folder: str
    argv: Sequence[str]
    display_name: str
    language: str
    interrupt_mode: str
    protocol: str

    @property
    def shakes_hands(self) -> bool:
        """Does it say that it takes a registration file?"""
        numbers = re.match(r"(\d+)\.(\d+)", self.protocol)
        return (
            bool(numbers) and tuple(map(int, numbers.groups())) >= _HANDSHAKE if numbers else False
        )

    def command(self, connection_file: str) -> list[str]:
        """What to run, as jupyter_client's `format_kernel_cmd` and `launch_kernel` make it."""
        values = {
            "connection_file": connection_file,
            "prefix": sys.prefix,
            "resource_dir": self.folder,
        }
        words = [
            _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), word)
            for word in self.argv
        ]
        if words[0] in PYTHONS:
            words[0] = python_of(self.folder) or sys.executable
        return [str(Path(word).expanduser()) if word.startswith("~") else word for word in words]


def read(folder: str, name: str) -> Spec:
    """The kernelspec in `folder`, or where that has none, the one of that name.

    Raises `KspyError` if there is none, or if it cannot be used.
    """
    try:
        values = json.loads((Path(folder) / "kernel.json").read_bytes())
    except FileNotFoundError:
        folder, values = _find(name)
    except (OSError, ValueError) as error:
        raise KspyError(f"kernel {name}: {folder}/kernel.json: cannot be read: {error}") from error
    argv = values.get("argv") if isinstance(values, dict) else None
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
        raise KspyError(f"kernel {name}: {folder}/kernel.json: has no argv")
    if of_kernelspec(argv):
        raise KspyError(f"kernel {name}: {folder}: is tapped itself; install it again")
    return Spec(
        folder,
        argv,
        str(values.get("display_name", "")),
        str(values.get("language", "")),
        str(values.get("interrupt_mode", "signal")),
        str(values.get("kernel_protocol_version", "")),
    )


def _find(name: str) -> tuple[str, dict[str, Any]]:
    """A kernelspec that has moved, or the one that ipykernel has without installing it."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel as error:
        raise KspyError(f"no kernel is named {name!r} any more; was it uninstalled?") from error
    return spec.resource_dir, spec.to_dict()
