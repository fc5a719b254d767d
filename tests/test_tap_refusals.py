"""What a tap cannot do is one line on standard error, exit code 2, and nothing left behind."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_kernel import FakeKernel, fake_kernel
from tapping import Tap, short_folder, tapping


def refusal(*arguments: str, **environment: str) -> str:
    """The line that the tap says; it must end by itself."""
    with tapping(*arguments, **environment) as tap:
        assert tap.wait() == 2, tap.stderr
        lines = tap.stderr.splitlines()
        assert len(lines) == 1, tap.stderr
        assert tap.stdout == ""
        assert not tap.recording.exists()
        assert not tap.connection_file.exists()
        return lines[0]


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


@pytest.fixture
def kernel_file(folder: Path) -> Iterator[Path]:
    """The connection file of a kernel that is there."""
    with fake_kernel() as kernel:
        path = folder / "kernel-here.json"
        kernel.write(path)
        yield path


def test_no_such_kernel_names_those_there_are() -> None:
    line = refusal("--kernel", "klingon")
    assert "klingon" in line
    assert "python3" in line


def test_no_such_connection_file() -> None:
    assert "no-such-file" in refusal("--existing", "no-such-file")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4}',
        '{"shell_port": "1", "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5}',
        "[" * 100_000,
        "\x00\xff",
    ],
)
def test_a_file_that_is_no_connection_file(folder: Path, text: str) -> None:
    path = folder / "kernel-bad.json"
    path.write_text(text)
    assert str(path) in refusal("--existing", str(path))


@pytest.mark.parametrize(
    "change",
    [
        {"transport": "smoke"},
        {"signature_scheme": "hmac-nothing"},
        {"signature_scheme": 5},
        {"ip": 5},
        {"ip": "not an address"},
        {"key": 5},
        {"shell_port": 700_000},
        {"shell_port": -1},
        {"curve_publickey": "short", "curve_secretkey": "short"},
        {"curve_publickey": 5, "curve_secretkey": 5},
    ],
)
def test_a_connection_file_with_nonsense_in_it(kernel_file: Path, change: dict[str, Any]) -> None:
    kernel_file.write_text(json.dumps(json.loads(kernel_file.read_text()) | change))
    assert str(kernel_file) in refusal("--existing", str(kernel_file))


def test_a_dead_kernel(folder: Path) -> None:
    kernel = FakeKernel()
    path = folder / "kernel-dead.json"
    kernel.write(path)
    kernel.close()
    line = refusal("--existing", str(path))
    assert str(path) in line
    assert "dead" in line


def test_a_port_that_is_in_use(kernel_file: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        if port > 65531:
            port = 65531
        line = refusal("--existing", str(kernel_file), "--port", str(port))
    assert str(port) in line


def test_a_missing_folder_for_the_recording(kernel_file: Path) -> None:
    line = refusal("--existing", str(kernel_file), "-o", "/no/such/folder/x.kspy")
    assert "/no/such/folder/x.kspy" in line


def test_a_missing_folder_for_the_connection_file(kernel_file: Path) -> None:
    line = refusal("--existing", str(kernel_file), "--connection-file", "/no/such/folder/c.json")
    assert "/no/such/folder" in line


def test_a_client_command_that_is_not_there(kernel_file: Path) -> None:
    line = refusal("--existing", str(kernel_file), "--", "no-such-command", "{connection_file}")
    assert "no-such-command" in line


def test_an_address_too_long_for_ipc(kernel_file: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    line = refusal(
        "--existing",
        str(kernel_file),
        "--transport",
        "ipc",
        "--connection-file",
        str(deep / "c.json"),
    )
    assert "shorter" in line


def test_a_kernel_that_ends_at_once(folder: Path) -> None:
    spec = folder / "kernels" / "stillborn" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = ["python3", "-c", "raise SystemExit('cannot live')", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "Stillborn", "language": "none"}))
    with tapping("--kernel", "stillborn", JUPYTER_PATH=str(folder)) as tap:
        assert tap.wait() == 2
        assert "Traceback" not in tap.stderr
        assert "cannot live" in tap.stderr.splitlines()[-1]


def test_a_kernel_whose_command_is_not_there(folder: Path) -> None:
    spec = folder / "kernels" / "absent" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = ["/no/such/command", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "Absent", "language": "none"}))
    assert "absent" in refusal("--kernel", "absent", JUPYTER_PATH=str(folder))


@pytest.mark.parametrize("force", [False, True])
def test_it_writes_over_a_recording_only_when_told_to(
    kernel_file: Path, folder: Path, force: bool
) -> None:
    output = folder / "there.kspy"
    output.write_bytes(b"mine")
    arguments = ["--existing", str(kernel_file), "-o", str(output), *(["--force"] * force)]
    with tapping(*arguments) as tap:
        assert tap.end() == (0 if force else 2)
        assert (output.read_bytes() != b"mine") == force
        if not force:
            assert len(tap.stderr.splitlines()) == 1
            assert "--force" in tap.stderr


def test_the_recording_is_not_written_where_nobody_may(kernel_file: Path, folder: Path) -> None:
    line = refusal("--existing", str(kernel_file), "-o", str(folder / "k.kspy" / "no.kspy"))
    assert "k.kspy" in line
    with tapping("--existing", str(kernel_file), "-o", str(folder), "--force") as tap:
        assert tap.wait() == 2
        assert len(tap.stderr.splitlines()) == 1
        assert folder.is_dir()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--kernel", "python3", "--existing", "x"),
        ("--kernel", "python3", "--port", "0"),
        ("--kernel", "python3", "--transport", "smoke"),
        ("--kernel", "python3", "--", "echo", "no file"),
    ],
)
def test_bad_usage(arguments: tuple[str, ...]) -> None:
    with short_folder() as folder:
        tap = Tap(folder, arguments)
        try:
            assert tap.wait() == 2
            assert "Traceback" not in tap.stderr
            assert tap.stderr
            assert not tap.recording.exists()
        finally:
            tap.force_end()
