"""`kspy view` and `kspy tap --view` as users run them: in a terminal, in a browser, in neither."""

from __future__ import annotations

import contextlib
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pexpect
import psutil
import pytest
from aiohttp import web
from command import KSPY, kspy
from piloting import piloted
from tapping import PATIENCE, answer, connected, short_folder, surroundings, wait_for

from kspy.cli.view import view_command
from kspy.cli.web import HOST, LoopbackServer

RECORDINGS = Path(__file__).parent.parent / "recordings"
HELLO = RECORDINGS / "hello.kspy"
LEFT_SCREEN = "\x1b[?1049l"


# Where it cannot be done


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([HELLO], f"the viewer needs a terminal; where there is none: kspy show {HELLO}"),
        (["/nonexistent"], "/nonexistent: cannot be read: No such file or directory"),
        ([__file__], f"{__file__}: is not a kspy recording"),
        (["--web", "/nonexistent"], "/nonexistent: cannot be read: No such file or directory"),
        (["--port", "80", HELLO], "--port is for --web (kspy view --help says how)"),
        (["--diff", "/nonexistent", HELLO], "/nonexistent: cannot be read: No such file or"),
        (["--diff", HELLO, RECORDINGS], f"{RECORDINGS}: is a folder; --diff compares one"),
        (["--ignore", "counts", HELLO], "--ignore is for --diff (kspy view --help says how)"),
        (["--diff", HELLO, "--ignore", "x", HELLO], "x: is no path"),
        (["--theme", "pink", HELLO], "Invalid value for '--theme'"),
        ([], "Missing argument 'FILE|FOLDER' (kspy view --help says how)"),
    ],
)
def test_one_line_and_exit_code_2(arguments: list[str], complaint: str) -> None:
    refused = kspy("view", *arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"kspy: {complaint}")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--view"], "--view needs a terminal; without it, look with: kspy view FILE"),
        (["--view", "--", "x", "{connection_file}"], "--view and a client command both need the"),
    ],
)
def test_a_tap_that_cannot_show_does_not_begin(
    tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    path = tmp_path / "s.kspy"
    refused = kspy("tap", "--kernel", "python3", "-o", path, *arguments)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"kspy: {complaint}")
    assert refused.stderr.count("\n") == 1
    assert not path.exists()


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        refused = kspy("view", "--web", "--port", str(port), HELLO)
    assert refused.returncode == 2
    assert refused.stderr == (
        f"kspy: port {port} of {HOST}: Address already in use; give another --port\n"
    )


@pytest.mark.parametrize("arguments", [["--help"], ["view", "--help"], ["tap", "--help"]])
def test_help_imports_nothing_that_takes_time(arguments: list[str]) -> None:
    code = f"import sys; from kspy.cli.main import main; main({arguments}); print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    modules = set(printed.stdout.decode().splitlines()[-1].split())
    assert not modules & {"textual", "numpy", "aiohttp", "textual_serve"}


@pytest.mark.parametrize(
    "name", ["a b", "a'b", 'a"b', "$(id)", "`id`", "a;id", "a\nb", "-x", "--web", "ü\udcff"]
)
def test_no_name_is_anything_but_a_name_to_the_shell(name: str) -> None:
    """textual-serve passes its command to a shell."""
    words = view_command(Path(name), filter_text=name, diff=Path(name), ignore=(name, name))
    shown = subprocess.run(
        f"printf '%s\\0' {shlex.join(words)}", shell=True, capture_output=True, check=True
    )
    assert shown.stdout.decode(errors="surrogateescape").split("\0")[:-1] == words
    assert words[-2:] == ["--", name]


# In a terminal


@contextlib.contextmanager
def terminal(
    *arguments: str | Path, folder: Path, size: tuple[int, int] = (24, 80), **environment: str
) -> Iterator[pexpect.spawn[str]]:
    """A kspy command with a terminal of its own; whatever it started has to end with it."""
    child = pexpect.spawn(
        KSPY,
        [str(argument) for argument in arguments],
        encoding="utf-8",
        timeout=PATIENCE,
        dimensions=size,
        cwd=str(folder),
        env={
            **surroundings(folder),
            "TERM": "xterm-256color",
            "KSPY_CONFIG_DIR": str(folder / "config"),
            **environment,
        },
    )
    child.delaybeforesend = None
    known: list[psutil.Process] = []
    try:
        yield child
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            known = psutil.Process(child.pid).children(recursive=True)
        child.close(force=True)
        for process in known:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def ended(child: pexpect.spawn[str]) -> int:
    """Wait for its end; its exit code, 128 + signal as a shell has it."""
    child.expect(pexpect.EOF)
    child.close()
    if child.exitstatus is None:
        return 128 + int(child.signalstatus or 0)
    return int(child.exitstatus)


def test_q_ends_it(tmp_path: Path) -> None:
    with terminal("view", HELLO, folder=tmp_path) as child:
        child.expect("kernel_info_request")
        child.send("q")
        child.expect_exact(LEFT_SCREEN)
        assert ended(child) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_the_terminal_is_as_before(
    tmp_path: Path, number: signal.Signals
) -> None:
    with terminal("view", HELLO, folder=tmp_path) as child:
        child.expect("kernel_info_request")
        child.kill(number)
        child.expect_exact(LEFT_SCREEN)
        assert ended(child) == 128 + number


def test_a_folder_is_listed_and_a_recording_chosen(tmp_path: Path) -> None:
    with terminal("view", RECORDINGS, folder=tmp_path, size=(30, 120)) as child:
        child.expect("two-clients")
        child.send("/")
        child.expect("part of a name")
        child.send("hello")
        child.expect(f"1 of {len(list(RECORDINGS.glob('*.kspy')))}")
        child.send("\r")
        child.expect("Filter by name")
        child.send("\r")
        child.expect("kernel_info_request")
        child.send("q")
        assert ended(child) == 0


def test_two_recordings_are_compared(tmp_path: Path) -> None:
    other = RECORDINGS / "error.kspy"
    with terminal("view", HELLO, "--diff", other, folder=tmp_path) as child:
        child.expect("2 only in a, 1 only in b, 1 the same")
        child.send("\x1b")
        child.expect("iopub")
        child.send("q")
        assert ended(child) == 0


# Of a tap


def viewer_of(child: pexpect.spawn[str]) -> psutil.Process:
    """The viewer that a tap started."""

    def look() -> psutil.Process | None:
        for process in psutil.Process(child.pid).children():
            with contextlib.suppress(psutil.Error):
                if "view" in process.cmdline():
                    return process
        return None

    return wait_for(look, "the viewer")


@contextlib.contextmanager
def viewed_tap() -> Iterator[tuple[pexpect.spawn[str], Path]]:
    """`kspy tap --view` of a kernel, with the viewer on the screen; and its connection file."""
    with short_folder() as folder:
        path = folder / "client.json"
        arguments = ("tap", "--view", "--kernel", "python3", "-o", "s.kspy")
        with terminal(*arguments, "--connection-file", path, folder=folder) as child:
            child.expect("tap started")
            yield child, path


def kernel_of(child: pexpect.spawn[str]) -> psutil.Process:
    for process in psutil.Process(child.pid).children():
        if "ipykernel_launcher" in process.cmdline():
            return process
    raise AssertionError("there is no kernel")


def test_a_tap_is_viewed_live_and_ends_when_the_viewer_is_quit() -> None:
    with viewed_tap() as (child, path):
        kernel = kernel_of(child)
        with connected(path) as client:
            answer(client, client.execute("6 * 7"))
            child.expect("execute_request")
        child.send("q")
        child.expect_exact(LEFT_SCREEN)
        child.expect(r"the viewer was quit: [\d,]+ messages, [\d,]+ bytes in s\.kspy")
        assert ended(child) == 0
        assert not kernel.is_running()
        assert not path.exists()
        assert kspy("info", path.with_name("s.kspy")).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_tap_outlives_its_viewer(number: signal.Signals) -> None:
    with viewed_tap() as (child, path):
        viewer_of(child).send_signal(number)
        child.expect_exact(LEFT_SCREEN)
        child.expect(f"the viewer ended with exit code {128 + number}; the session goes on")
        child.expect("recording to s.kspy; end with Ctrl-C")
        child.expect("connect with: jupyter console --existing .*client.json")
        with connected(path) as client:
            reply = answer(client, client.execute("6 * 7"))
            assert reply["content"]["status"] == "ok"
        child.sendintr()
        child.expect("interrupted: ")
        assert ended(child) == 0


def test_a_kernel_that_died_is_still_looked_at() -> None:
    with viewed_tap() as (child, path):
        kernel_of(child).kill()
        wait_for(lambda: not path.exists(), "the end of the tap")
        viewer = viewer_of(child)
        assert viewer.is_running()
        child.send("q")
        child.expect(r"the kernel ended \(signal SIGKILL\)")
        assert ended(child) == 0
        assert not viewer.is_running()


def test_a_signal_ends_tap_and_viewer() -> None:
    with viewed_tap() as (child, _):
        viewer, kernel = viewer_of(child), kernel_of(child)
        child.kill(signal.SIGTERM)
        child.expect_exact(LEFT_SCREEN)
        child.expect("got SIGTERM: ")
        assert ended(child) == 0
        assert not viewer.is_running()
        assert not kernel.is_running()


def test_what_a_kernel_prints_does_not_disturb_the_viewer_and_is_not_lost() -> None:
    with viewed_tap() as (child, path):
        with connected(path) as client:
            code = "import os; os.write(2, b'from be' + b'low\\n')"
            answer(client, client.execute(code))
            child.expect("execute_request")
        child.send("q")
        child.expect_exact(LEFT_SCREEN)
        assert "from below" not in (child.before or "")
        child.expect("from below")
        assert ended(child) == 0


# In a browser


@contextlib.asynccontextmanager
async def served(command: list[str]) -> AsyncIterator[LoopbackServer]:
    with socket.create_server((HOST, 0)) as listening:
        server = LoopbackServer(command, title="t", port=listening.getsockname()[1])
        runner = web.AppRunner(await server.make_app(), shutdown_timeout=1)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        try:
            yield server
        finally:
            await runner.cleanup()


def session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))  # unsafe: addresses


@piloted
async def test_without_the_secret_nothing_is_served() -> None:
    async with served(["false"]) as server, session() as browser:
        for path in ("/", "/?token=", "/?token=x", "/ws", "/static/js/textual.js", "/download/x"):
            async with browser.get(server.public_url + path) as answer_:
                assert answer_.status == 403
                assert "Set-Cookie" not in answer_.headers
        async with browser.get(server.address) as answer_:
            assert answer_.status == 200
            assert "HttpOnly" in answer_.headers["Set-Cookie"]
            assert "SameSite=Strict" in answer_.headers["Set-Cookie"]
            policy = answer_.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'self';")
        async with browser.get(server.public_url + "/static/js/textual.js") as answer_:
            assert answer_.status == 200
        async with browser.get(server.public_url + "/") as answer_:
            assert answer_.status == 200, "the page may be loaded again"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Host": "localhost:80"},
    ],
)
@piloted
async def test_pages_of_other_sites_are_refused_even_with_the_cookie(
    headers: dict[str, str],
) -> None:
    async with served(["false"]) as server, session() as browser:
        async with browser.get(server.address):
            pass
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await browser.ws_connect(server.public_url + "/ws", headers=headers)


@piloted
async def test_two_browsers_each_have_a_viewer_of_their_own() -> None:
    async with served(view_command(HELLO)) as server:
        mine = psutil.Process()
        async with session() as one, session() as other:
            screens = []
            for browser in (one, other):
                async with browser.get(server.address):
                    pass
                screens.append(
                    await browser.ws_connect(
                        server.public_url + "/ws?width=80&height=24",
                        headers={"Origin": server.public_url},
                    )
                )
            for screen in screens:
                shown = b""
                while b"kernel_info_request" not in shown:
                    shown += await screen.receive_bytes(timeout=PATIENCE)
            viewers = [p for p in mine.children() if "view" in p.cmdline()]
            assert len(viewers) == 2
            await screens[0].send_json(["stdin", "q"])
            while not screens[0].closed:
                await screens[0].receive(timeout=PATIENCE)
            await screens[1].send_json(["ping", 5])
            while (message := await screens[1].receive(timeout=PATIENCE)).data != '["pong", 5]':
                assert message.type is aiohttp.WSMsgType.BINARY
    _, alive = psutil.wait_procs(viewers, timeout=PATIENCE)
    assert alive == []


def test_ctrl_c_ends_the_server(tmp_path: Path) -> None:
    with terminal("view", "--web", HELLO, folder=tmp_path) as child:
        child.expect(r"http://127\.0\.0\.1:(\d+)/\?token=[\w-]+")
        port = int(str(child.match and child.match[1]))
        with socket.create_connection((HOST, port), PATIENCE) as browser:
            browser.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert browser.recv(1 << 16).startswith(b"HTTP/1.0 403")
        child.sendintr()
        assert ended(child) == 0
