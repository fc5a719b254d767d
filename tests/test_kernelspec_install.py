"""`kspy install`, `kspy uninstall`, `kspy list`: what they write, show and refuse."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from installed import IPYTHON, TINY, Installed, installed, wait_dead
from jupyter_client.kernelspec import KernelSpecManager
from tapping import wait_for

from kspy.cli.keep_options import Size
from kspy.tap.wrapper import spec as spec_below
from kspy.tap.wrapper.arguments import of_kernelspec

KEPT = {
    "env": {"A": "${HOME}/x"},
    "interrupt_mode": "message",
    "kernel_protocol_version": "5.5",
    "metadata": {"debugger": True, "supported_encryption": ["curve"], "other": {"x": 1}},
    "mimetype": "text/x-thing",
    "codemirror_mode": "thing",
}


def refused(done: Any) -> str:
    """The one line that says why it could not be done."""
    assert done.returncode == 2, done.stdout
    assert re.fullmatch(r"kspy: [^\n]+\n", done.stderr)
    return str(done.stderr)


def spec_of(place: Installed, name: str) -> dict[str, Any]:
    path = place.folder / "data" / "kernels" / name / "kernel.json"
    values: dict[str, Any] = json.loads(path.read_bytes())
    return values


def test_what_frontends_read_is_kept() -> None:
    with installed(kernel="") as place:
        below = place.add_below("thing", TINY, **KEPT)
        (below / "logo-64x64.png").write_bytes(b"logo")
        (below / "kernel.js").write_text("define()")
        place.install("thing", "--keep-last", "7", "--keep-bytes", "1.5GB", "--keep-days", "30")
        values = spec_of(place, "kspy-thing")
        arguments = of_kernelspec(values.pop("argv"))
        assert values == {**KEPT, "display_name": "Thing (kspy)", "language": "python"}
        folder = place.folder / "data" / "kernels" / "kspy-thing"
        assert (folder / "logo-64x64.png").read_bytes() == b"logo"
        assert (folder / "kernel.js").read_text() == "define()"
        assert arguments is not None
        assert (arguments.kernel, arguments.folder) == ("thing", str(below))
        assert arguments.recordings == str(place.recordings)
        limits = arguments.limits
        assert (limits.last, limits.bytes, limits.days) == (7, 1_500_000_000, 30)


def test_who_may_not_read_the_kernelspec_may_not_read_the_copy() -> None:
    with installed(kernel="") as place:
        below = place.add_below("secret", TINY, env={"TOKEN": "sesame"})
        (below / "kernel.json").chmod(0o600)
        place.install("secret")
        copy = place.folder / "data" / "kernels" / "kspy-secret" / "kernel.json"
        assert b"sesame" in copy.read_bytes()
        assert copy.stat().st_mode & 0o777 == 0o600


def test_names_and_places_are_the_users() -> None:
    with installed(kernel="") as place:
        place.add_below("thing", TINY)
        done = place.kspy(
            "install", "--kernel", "thing", "--name", "Other", "--display-name", "An Other",
            "--recordings", place.folder / "r", "--prefix", place.folder / "env",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        folder = place.folder / "env" / "share" / "jupyter" / "kernels" / "other"
        assert json.loads((folder / "kernel.json").read_text())["display_name"] == "An Other"
        assert "do not look there" in done.stderr  # as it is in nobody's path


def test_one_that_exists_is_replaced_only_when_asked_to() -> None:
    with installed(kernel="") as place:
        place.add_below("thing", TINY)
        place.install("thing")
        before = spec_of(place, "kspy-thing")
        again = ("install", "--kernel", "thing", "--user", "--display-name", "New")
        assert "exists already; --replace" in refused(place.kspy(*again))
        assert spec_of(place, "kspy-thing") == before
        assert place.kspy(*again, "--replace").returncode == 0
        assert spec_of(place, "kspy-thing")["display_name"] == "New"


def test_a_tapped_kernel_may_hide_the_one_below() -> None:
    with installed(kernel="") as place:
        place.add_below("thing", TINY)
        first = place.folder / "first"
        hide = ("install", "--kernel", "thing", "--name", "thing", "--prefix", first)
        assert place.kspy(*hide).returncode == 0
        assert "thing: is tapped already" in refused(place.kspy("install", "--kernel", "thing"))
        with place.session("thing"):
            assert place.kernel().cmdline()[1] == TINY[1]


def test_what_cannot_be_installed_is_one_line() -> None:
    provisioner = {"kernel_provisioner": {"provisioner_name": "far-away"}}
    with installed(kernel="") as place:
        place.add_below("thing", TINY)
        place.add_below("remote", TINY, metadata=provisioner)
        place.add_below("odd", TINY, metadata={"kernel_provisioner": "far-away"})
        broken = place.add_below("broken", TINY)
        (broken / "kernel.json").write_text("{")
        blocked = place.folder / "blocked"
        blocked.write_text("")
        install = ("install", "--user", "--kernel")
        assert "there are: " in refused(place.kspy(*install, "nothing"))
        assert "kspy tap --kernel" not in refused(place.kspy(*install, "broken"))
        # Jupyter itself does not offer a kernel whose provisioner is not installed.
        assert "no kernel is named 'remote'" in refused(place.kspy(*install, "remote"))
        assert "odd/kernel.json: kernel_prov" in refused(place.kspy(*install, "odd"))
        assert "exclude" in refused(place.kspy(*install, "thing", "--sys-prefix"))
        assert "keep-last" in refused(place.kspy(*install, "thing", "--keep-last", "0"))
        assert "is no size" in refused(place.kspy(*install, "thing", "--keep-bytes", "much"))
        assert "Kernel name" in refused(place.kspy(*install, "thing", "--name", "a b"))
        found = refused(place.kspy("install", "--kernel", "thing", "--prefix", blocked))
        assert f"{blocked}/share/jupyter/kernels/kspy-thing: cannot be installed: " in found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_without_permission_it_is_one_line() -> None:
    with installed(kernel="") as place:
        place.add_below("thing", TINY)
        closed = place.folder / "closed"
        closed.mkdir(mode=0o755)
        for path in (place.folder, *place.folder.rglob("*")):
            path.chmod(path.stat().st_mode | 0o555)
        imports = "import os, IPython.paths, kspy.cli.install, kspy.cli.main"
        code = f"{imports}; os.setuid(65534); kspy.cli.main.run()"
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                code,
                "install",
                "--kernel",
                "thing",
                "--prefix",
                str(closed),
                "--recordings",
                "/tmp",
            ],
            env={**os.environ, **place.environment, "IPYTHONDIR": "/tmp"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Permission denied; --user installs it for you alone" in refused(done)
        assert list(closed.iterdir()) == []


def test_only_what_kspy_installed_is_uninstalled() -> None:
    with installed(kernel="") as place:
        below = place.add_below("thing", TINY)
        place.install("thing")
        assert "kspy has installed no kernel named 'thing'" in refused(
            place.kspy("uninstall", "thing")
        )
        assert below.exists()
        assert "kspy-thing" in refused(place.kspy("uninstall", "nothing"))
        done = place.kspy("uninstall", "kspy-thing")
        assert done.returncode == 0, done.stderr
        assert not (place.folder / "data" / "kernels" / "kspy-thing").exists()
        assert below.exists()


def test_one_that_another_hides_is_listed_and_uninstalled(tmp_path: Path) -> None:
    with installed(kernel="") as place:
        below = place.add_below("thing", TINY)
        done = place.kspy(
            "install", "--kernel", "thing", "--name", "thing", "--prefix", str(tmp_path)
        )
        assert done.returncode == 0, done.stderr
        assert "in its place" in done.stderr
        done = place.kspy("uninstall", "thing", "--prefix", str(tmp_path))
        assert done.returncode == 0, done.stderr
        assert not list((tmp_path / "share" / "jupyter" / "kernels").iterdir())
        assert below.exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--recordings", "/proc/nope"), "/proc/nope: cannot be made"),
        (("--recordings", "/dev/null"), "/dev/null: cannot be made"),
        (("--name", ""), "cannot be empty"),
        (("--display-name", ""), "cannot be empty"),
    ],
)
def test_what_no_session_could_use_is_refused(options: tuple[str, ...], says: str) -> None:
    with installed(kernel="") as place:
        place.add_below("thing", TINY)
        assert says in refused(place.kspy("install", "--kernel", "thing", "--user", *options))
        assert place.kspy("uninstall", "kspy-thing").returncode == 2


def test_a_python_that_lacks_what_it_is_to_run_is_refused() -> None:
    with installed(kernel="") as place:
        place.add_below("thing", ["python", "-m", "no_such_kernel", "-f", "{connection_file}"])
        said = refused(place.kspy("install", "--kernel", "thing", "--user"))
        assert "has no no_such_kernel; install kspy beside the frontend" in said


def test_the_list_has_kernels_and_recordings() -> None:
    with installed(kernel="") as place:
        assert "no kernel is tapped" in place.kspy("list").stdout
        place.add_below("tiny", TINY)
        place.install("tiny", "--keep-last", "2")
        with place.session("kspy-tiny"):
            pass
        [path] = place.files()
        text = place.kspy("list").stdout
        assert "kspy-tiny  Tiny (kspy), in front of tiny; keeps at most the last 2 in" in text
        assert f"{place.recordings}: 1 recording, " in text
        assert path.name in text
        found = json.loads(place.kspy("list", "--json").stdout)
        [kernel] = found["kernels"]
        assert (kernel["name"], kernel["kernel"]) == ("kspy-tiny", "tiny")
        assert kernel["keep"] == {"last": 2, "bytes": None, "days": None}
        [folder] = found["folders"]
        assert (folder["recordings"], folder["bytes"]) == (1, path.stat().st_size)
        assert folder["latest"][0]["path"] == str(path)


def test_old_recordings_go_when_a_session_begins_or_ends() -> None:
    with installed(kernel="") as place:
        place.add_below("tiny", TINY)
        place.install("tiny", "--keep-last", "2")
        made: list[Path] = []
        for _ in range(3):
            with place.session("kspy-tiny"):
                made.append(wait_for(lambda: set(place.files()) - set(made), "another").pop())
        assert place.files() == made[-2:]


def test_a_kernelspec_that_is_gone_is_one_line() -> None:
    def status(place: Installed) -> int:
        manager = place.manager("kspy-tiny")
        manager.start_kernel(**place.started_with(**place.environment))
        try:
            return wait_dead(manager)
        finally:
            manager.shutdown_kernel(now=True)

    with installed(kernel="") as place:
        below = place.add_below("tiny", TINY)
        place.install("tiny")
        (below / "kernel.json").unlink()
        assert status(place) == 2
        assert place.warnings() == ["kspy: no kernel is named 'tiny' any more; was it uninstalled?"]
        (below / "kernel.json").write_text(json.dumps({"argv": ["/no/such/program"]}))
        assert status(place) == 2
        assert "/no/such/program: No such file" in place.warnings()[-1]
        assert not list(place.recordings.iterdir())


@pytest.mark.parametrize(
    "argv",
    [
        IPYTHON,
        ["python3", "-f", "{connection_file}"],
        [f"python3.{sys.version_info.minor}", "{resource_dir}/x", "{prefix}", "{{connection_file}"],
        ["~/bin/kernel", "--file={connection_file}", "{unknown}", "{}", "{a b}", "~", "x~"],
        ["{resource_dir}/kernel", "{connection_file}{connection_file}"],
    ],
)
def test_the_kernel_below_is_started_as_jupyter_would(argv: list[str]) -> None:
    with installed(kernel="") as place:
        folder = place.add_below("thing", argv)
        manager = place.manager("thing")
        manager._launch_args = {}
        wanted = [os.path.expanduser(word) for word in manager.format_kernel_cmd()]  # noqa: PTH111
        found = spec_below.read(str(folder), "thing").command(
            os.path.realpath(manager.connection_file)
        )
        assert found == wanted


def test_the_kernel_that_ipykernel_brings_has_no_file() -> None:
    name = "python3"
    spec = KernelSpecManager(kernel_dirs=[]).get_kernel_spec(name)
    found = spec_below.read(str(Path(spec.resource_dir)), name)
    assert found.argv == KernelSpecManager().get_kernel_spec(name).argv


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1500", 1500), ("5k", 5000), ("500MB", 5 * 10**8), ("2.5 gb", 25 * 10**8),
     ("1T", 10**12)],
)  # fmt: skip
def test_sizes(text: str, size: int) -> None:
    assert Size().convert(text, None, None) == size
