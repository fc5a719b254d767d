"""Kernelspecs of kspy's own: install them, remove them, find them.

A tapped kernelspec, which puts a tap in front of a kernel, is a copy of the one below it with
another `argv`, which runs `kspy.tap.wrapper`, and another name. What frontends read stays as it is:
language, logos, metadata, environment, interrupt mode, protocol version. A served one has no kernel
below it: its `argv` runs `kspy serve` with a recording.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_core.paths import SYSTEM_JUPYTER_PATH

from kspy.errors import KspyError
from kspy.tap import served_spec
from kspy.tap.served_spec import Served
from kspy.tap.spec_of import spec_of
from kspy.tap.wrapper.arguments import MODULE, Arguments, of_kernelspec
from kspy.tap.wrapper.spec import PYTHONS, python_of

_FILE: Final = "kernel.json"
_LOCAL: Final = "local-provisioner"


@dataclass(frozen=True)
class Installed:
    """A kernelspec of kspy's: its name, its folder, what it tells the wrapper or `kspy serve`.

    hidden_by   the folder of a kernelspec of the same name that frontends find in its place;
                "" where frontends look elsewhere
    """

    name: str
    display_name: str
    folder: str
    arguments: Arguments | Served
    hidden_by: str | None = None


def below(kernel: str) -> tuple[str, dict[str, Any]]:
    """The folder and the contents of the kernelspec that is to be tapped. Raises `KspyError`."""
    spec = spec_of(kernel)
    folder = str(spec.resource_dir)
    values: dict[str, Any] = spec.to_dict()
    if (Path(folder) / _FILE).exists():
        values = json.loads((Path(folder) / _FILE).read_bytes())
    _check_python(kernel, folder, spec.argv)
    if of_kernelspec(spec.argv):
        raise KspyError(f"kernel {kernel}: is tapped already ({folder})")
    told = spec.metadata.get("kernel_provisioner") or {}
    if not isinstance(told, dict):
        raise KspyError(f"kernel {kernel}: {folder}/{_FILE}: kernel_provisioner is no JSON object")
    provisioner = told.get("provisioner_name", _LOCAL)
    if provisioner != _LOCAL:
        raise KspyError(
            f"kernel {kernel}: is started by {provisioner}, not on this machine;"
            f" record it with: kspy tap --kernel {kernel}"
        )
    return folder, values


def _check_python(kernel: str, folder: str, argv: list[str]) -> None:
    """A kernelspec that says `python` must mean one that has what it is to run."""
    module = argv[2] if argv[1:2] == ["-m"] and len(argv) > 2 else ""
    if not argv:
        raise KspyError(f"kernel {kernel}: {folder}: has no argv")
    if argv[0] not in PYTHONS or python_of(folder) or not module:
        return
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        raise KspyError(
            f"kernel {kernel}: is run by whichever Python the frontend has, and that of kspy"
            f" ({sys.executable}) has no {module}; install kspy beside the frontend"
        )


def install(
    arguments: Arguments | Served,
    values: dict[str, Any],
    *,
    name: str,
    display_name: str,
    user: bool = False,
    prefix: str | None = None,
    replace: bool = False,
) -> Installed:
    """Install a tap in front of the kernelspec that `below` gave, or a recording.

    `user` and `prefix` as `jupyter kernelspec install` has them; neither: for everybody. Raises
    `KspyError`.
    """
    manager = KernelSpecManager()
    folder = _destination(manager, user, prefix) / name.lower()
    if os.path.lexists(folder) and not replace:
        raise KspyError(f"{folder}: exists already; --replace replaces it")
    tapped = arguments.folder if isinstance(arguments, Arguments) else None
    if tapped is not None and folder == Path(tapped):
        raise KspyError(f"{folder}: is the kernelspec that is to be tapped; choose another --name")
    words = [MODULE, *arguments.command()] if tapped is not None else arguments.command()
    values = {**values, "argv": [*_python(), *words], "display_name": display_name}
    with tempfile.TemporaryDirectory(prefix="kspy-") as temporary:
        source = Path(temporary) / "kernelspec"
        try:
            _write(source, values, tapped)
            manager.install_kernel_spec(str(source), name, user=user, prefix=prefix)
        except ValueError as error:
            raise KspyError(f"{name}: {error}") from error
        except (OSError, shutil.Error) as error:
            why = getattr(error, "strerror", None) or error
            hint = "" if user else "; --user installs it for you alone"
            raise KspyError(f"{folder}: cannot be installed: {why}{hint}") from error
    hidden_by = _hidden_by(folder, manager.find_kernel_specs().get(name.lower(), ""))
    return Installed(name.lower(), display_name, str(folder), arguments, hidden_by)


def _write(folder: Path, values: dict[str, Any], copied: str | None) -> None:
    """Write a kernelspec's folder, with what else is in the one that it is made from."""
    if copied is None:
        folder.mkdir()
    else:
        shutil.copytree(copied, folder, ignore=shutil.ignore_patterns(_FILE))
    (folder / _FILE).write_text(json.dumps(values, indent=1), encoding="utf-8")
    if copied is not None and (original := Path(copied) / _FILE).exists():
        shutil.copymode(original, folder / _FILE)  # there may be secrets in its environment


def uninstall(name: str, prefix: str | None = None) -> str:
    """Remove a kernelspec of kspy's; the folder that it was in. Raises `KspyError`.

    One that frontends find goes before one of the same name that they do not. `prefix` as for
    `install`; None: wherever frontends look.
    """
    found = [tapped for tapped in installed(prefix) if tapped.name == name.lower()]
    found.sort(key=lambda tapped: tapped.hidden_by is not None)
    if not found:
        names = ", ".join(spec.name for spec in installed(prefix)) or "none"
        raise KspyError(f"kspy has installed no kernel named {name!r} (it has: {names})")
    folder = found[0].folder
    try:
        if Path(folder).is_symlink():
            Path(folder).unlink()
        else:
            shutil.rmtree(folder)
    except OSError as error:
        raise KspyError(f"{folder}: cannot be removed: {error.strerror}") from error
    return folder


def installed(prefix: str | None = None) -> Iterator[Installed]:
    """The kernelspecs of kspy's where frontends look, by name; also one that another hides."""
    manager = KernelSpecManager()
    first = manager.find_kernel_specs()
    places = [str(_destination(manager, False, prefix))] if prefix else manager.kernel_dirs
    folders = {folder for place in places for folder in _folders(place)}
    for folder in sorted(folders, key=lambda folder: (folder.name.lower(), str(folder))):
        tapped = _read(folder.name.lower(), str(folder))
        if tapped:
            yield replace(tapped, hidden_by=_hidden_by(folder, first.get(tapped.name, "")))


def _hidden_by(folder: Path, found: str) -> str | None:
    """`Installed.hidden_by` of what is in `folder`, where frontends find what is in `found`."""
    same = bool(found) and Path(found).resolve() == folder.resolve()
    return None if same else found


def _folders(place: str) -> list[Path]:
    try:
        return list(Path(place).iterdir())
    except OSError:
        return []


def _read(name: str, folder: str) -> Installed | None:
    try:
        values = json.loads((Path(folder) / _FILE).read_bytes())
        argv = values["argv"]
        arguments = of_kernelspec(argv) or served_spec.of_kernelspec(argv)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if arguments is None:
        return None
    return Installed(name, str(values.get("display_name", "")), folder, arguments)


def _destination(manager: KernelSpecManager, user: bool, prefix: str | None) -> Path:
    if user:
        return Path(manager.user_kernel_dir)
    if prefix:
        return Path(prefix).absolute() / "share" / "jupyter" / "kernels"
    return Path(SYSTEM_JUPYTER_PATH[0]) / "kernels"


def _python() -> list[str]:
    """The interpreter, so that neither what lies in a notebook's folder nor the environment that
    a kernelspec sets for its kernel (PYTHONPATH, PYTHONHOME) gets into the wrapper. Nor does the
    wrapper write bytecode: where the disk is full, Python leaves files that are cut short."""
    packages = str(Path(__file__).parents[2])
    path = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    needed = packages in (str(Path(entry).absolute()) for entry in path)
    return [sys.executable, "-B", "-P", *([] if needed else ["-E"]), "-m"]
