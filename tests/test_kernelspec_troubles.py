"""A kernel works whatever happens to its recording; and what a session leaves behind: nothing."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import tempfile
from pathlib import Path

import psutil
import pytest
from installed import TINY, alive, installed, open_ports, run_cell, wait_dead
from jupyter_client.manager import AsyncKernelManager
from tapping import PATIENCE, wait_for

from kspy.tap.connection import Connection
from kspy.tap.guardian import Guardian
from kspy.tap.wrapper.frontend import Frontend
from kspy.tap.wrapper.inner import InnerKernel
from kspy.tap.wrapper.spec import Spec


def test_a_folder_that_cannot_be_made_costs_the_recording_alone() -> None:
    with installed() as place:
        place.recordings.rmdir()
        place.recordings.write_text("in the way")
        with place.session() as (_, client):
            assert run_cell(client, "print(1)")["text"] == "1\n"
        [line] = place.warnings()
        assert line.startswith(f"kspy: {place.recordings}: cannot be made: ")
        assert line.endswith("; the kernel works all the same")


def test_a_folder_without_permission_costs_the_recording_alone() -> None:
    with installed() as place:
        file = place.folder / "data" / "kernels" / "kspy-python3" / "kernel.json"
        file.write_text(file.read_text().replace(str(place.recordings), "/proc/kspy"))
        with place.session() as (manager, client):
            assert run_cell(client, "print(1)")["text"] == "1\n"
            client.execute("import os; os._exit(3)")
            assert wait_dead(manager) == 3
        assert len(place.warnings()) == 1


def full_disk() -> None:
    """No file may grow beyond so many bytes: writing fails as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))


def test_a_disk_that_is_full_is_told_of_once() -> None:
    # A kernel that writes no file of its own.
    with installed(kernel="") as place:
        place.add_below("tiny", TINY)
        place.install("tiny")
        with place.session("kspy-tiny", preexec_fn=full_disk) as (_, client):
            for _ in range(50):
                client.kernel_info()
                reply = client.get_shell_msg(timeout=PATIENCE)
                assert reply["content"]["status"] == "ok"
            wait_for(place.warnings, "the warning")
        [line] = place.warnings()
        assert ".kspy: not recording: " in line
        assert place.kspy("info", place.files()[0]).returncode == 0


def test_a_disk_that_is_full_from_the_beginning_leaves_no_file() -> None:
    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, resource.RLIM_INFINITY))

    with installed(kernel="") as place:
        place.add_below("tiny", TINY)
        place.install("tiny")
        manager = place.manager("kspy-tiny")
        manager.start_kernel(**place.started_with(), preexec_fn=no_room)
        # Not even the kernel's connection file has room, so there is no kernel either.
        assert wait_dead(manager) == 2
        manager.shutdown_kernel(now=True)
        assert len(place.stderr.read_bytes()) <= 20
        assert not place.files()


def test_a_recording_that_is_removed_meanwhile_is_told_of() -> None:
    with installed() as place:
        with place.session() as (_, client):
            wait_for(place.files, "the recording")
            shutil.rmtree(place.recordings)
            assert run_cell(client, "print(1)")["text"] == "1\n"
        [line] = place.warnings()
        assert "was removed while it was being recorded" in line


def test_a_guardian_that_is_killed_changes_nothing() -> None:
    waits = "until [ -e $TMPDIR/go ]; do sleep 0.05; done; exit 7"
    with installed(kernel="") as place:
        place.add_below("waits", ["/bin/sh", "-c", waits, "-", "{connection_file}"])
        place.install("waits")
        manager = place.manager("kspy-waits")
        manager.start_kernel(**place.started_with())
        place.kernel()
        wrapper = psutil.Process(manager.provisioner.pid)
        [guardian] = [p for p in wrapper.children() if "kspy-guardian" in p.cmdline()]
        guardian.kill()
        wait_for(lambda: guardian.status() == psutil.STATUS_ZOMBIE, "the guardian's end")
        (place.folder / "go").touch()
        assert wait_dead(manager) == 7
        manager.shutdown_kernel(now=True)
        assert place.warnings() == []


def test_a_kernel_does_not_outlive_a_wrapper_that_cannot_watch_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(self: Guardian, group: int) -> None:
        kernels.append(psutil.Process(group))
        raise MemoryError

    kernels: list[psutil.Process] = []
    monkeypatch.setattr(Guardian, "watch", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spec = Spec("", ["sleep", "600"], "", "", "signal", "")
    client = Connection("tcp", "127.0.0.1", {}, b"key", "hmac-sha256")
    with pytest.raises(MemoryError):
        InnerKernel(spec, Frontend(client))
    kernels[0].wait(PATIENCE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(400)
def test_fifty_restarts_leave_nothing() -> None:
    with installed("--keep-last", "3", kernel="") as place:
        place.add_below("tiny", TINY)
        place.install("tiny", "--keep-last", "3")
        with place.session("kspy-tiny") as (manager, client):
            for n in range(50):
                manager.restart_kernel(now=bool(n % 2))
                client.kernel_info()
                assert client.get_shell_msg(timeout=PATIENCE)["msg_type"] == "kernel_info_reply"
            wait_for(lambda: len(place.running()) == 3, "wrapper, kernel and guardian alone")
            kernel = place.kernel()
        assert not alive(kernel)
        assert open_ports(manager, place.folder) == []
        assert len(place.files()) <= 4  # the last to end may have found another still growing
        assert place.warnings() == []
        names = {path.name for path in place.folder.iterdir()}
        assert names <= {"below", "data", "recordings", "stdout.txt", "stderr.txt", "ipython"}


def test_an_asynchronous_frontend() -> None:
    async def session(path: Path) -> None:
        sync = place.manager()
        manager = AsyncKernelManager(
            kernel_name="kspy-python3",
            kernel_spec_manager=sync.kernel_spec_manager,
            connection_file=str(path),
        )
        await manager.start_kernel(**place.started_with())
        client = manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=PATIENCE)
            reply = await client.execute_interactive("1", timeout=PATIENCE)
            assert reply["content"]["status"] == "ok"
            await manager.restart_kernel()
            await client.wait_for_ready(timeout=PATIENCE)
            await manager.interrupt_kernel()
        finally:
            client.stop_channels()
            await manager.shutdown_kernel()

    with installed() as place:
        asyncio.run(session(place.folder / "kernel-async.json"))
        assert len(place.files()) == 2


def test_ports_that_are_taken_end_the_kernel_in_one_line() -> None:
    import socket

    with installed(kernel="") as place, socket.socket() as taken:
        place.add_below("tiny", TINY)
        place.install("tiny")
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        manager = place.manager("kspy-tiny")
        manager.cache_ports = False  # which would choose all of them
        manager.stdin_port = port = taken.getsockname()[1]
        manager.start_kernel(**place.started_with())
        assert wait_dead(manager) == 2
        manager.shutdown_kernel(now=True)
        [line] = place.warnings()
        assert f":{port}: cannot listen there" in line
        assert os.listdir(place.recordings)  # noqa: PTH208 (what was recorded until then)
