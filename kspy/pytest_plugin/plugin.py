"""The pytest plugin. Loaded in every run of pytest where kspy is installed: it imports little.

`kspy_tap` is a kernel with a tap in front of it; the recording of a test that fails is kept, and
named in the report. `kspy_serve` plays the kernel of a recording, `kspy_replay` its client.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from kspy.pytest_plugin.kernels import Server, TappedKernel
    from kspy.replay.client.result import Replayed

    Replay = Callable[..., Replayed]

_FOLDER: Final = "kspy-recordings"
_TITLE: Final = "kspy: what was said"
_LONGEST: Final = 150
_UNSAFE: Final = re.compile(r"[^\w.-]+")


class Kept:
    """The recordings that a test made, and where they go if it fails.

    They stay where they were made until the test is over: its last part may fail as well.
    """

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        option = item.config.getoption("kspy_recordings") or item.config.getini("kspy_recordings")
        self._folder = item.config.rootpath / str(option)
        self._name = _UNSAFE.sub("-", item.nodeid)[-_LONGEST:].strip("-")
        self._made: dict[Path, Path | None] = {}

    def add(self, recording: Path) -> None:
        self._made[recording] = None

    def keep(self) -> list[Path]:
        """Keep them all; where those will be that were not kept before."""
        found = [made for made, kept in self._made.items() if kept is None and made.exists()]
        for made in found:
            self._made[made] = self._place(made)
        return [kept for made in found if (kept := self._made[made])]

    def settle(self) -> None:
        """The test is over: put each where it is kept, or remove it."""
        for made, kept in self._made.items():
            if kept and kept != made and made.exists():
                try:
                    shutil.move(made, kept)
                except OSError as error:  # it stays where it is: there is no other
                    self._item.warn(pytest.PytestWarning(f"{kept}: {error.strerror}; see {made}"))
                    continue
            if kept != made:
                made.unlink(missing_ok=True)
        self._made.clear()

    def _place(self, made: Path) -> Path:
        """Where it is to be kept: where it was made if the folder cannot be written to."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return made
        return self._free() if os.access(self._folder, os.W_OK | os.X_OK) else made

    def _free(self) -> Path:
        """A name that no other recording has."""
        taken, number = set(self._made.values()), 1
        while True:
            suffix = f"-{number}" if number > 1 else ""
            path = self._folder / f"{self._name}{suffix}.kspy"
            if path not in taken and not path.exists():
                return path
            number += 1


_KEPT: Final = pytest.StashKey[Kept]()
_INTERRUPTED: Final = pytest.StashKey[tuple[Kept, list[str]]]()
"""Of the test that Ctrl-C ended, and what to say of it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kspy", "kernels that are tapped or served")
    group.addoption("--kspy-kernel", metavar="NAME", help="The kernel for kspy_tap, kspy_replay.")
    group.addoption(
        "--kspy-recordings", metavar="DIR", help="Where recordings of failing tests are kept."
    )
    parser.addini("kspy_kernel", "the kernel for kspy_tap and kspy_replay", default="python3")
    parser.addini("kspy_recordings", "where recordings of failing tests are kept", default=_FOLDER)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Name the recordings in the report of a test that failed, in whichever phase."""
    report = yield
    kept = item.stash.get(_KEPT, None)
    if report.failed and kept and (lines := _views(kept)):
        report.sections.append((_TITLE, "\n".join(lines)))
    if kept and report.when == "teardown":
        kept.settle()
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test that Ctrl-C ends has no report; but it may be the one that hangs."""
    try:
        return (yield)
    except (KeyboardInterrupt, pytest.exit.Exception):
        if kept := item.stash.get(_KEPT, None):
            item.config.stash[_INTERRUPTED] = kept, _views(kept)
        raise


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Its fixtures end in here; then its recordings are whole."""
    try:
        return (yield)
    finally:
        if interrupted := session.config.stash.get(_INTERRUPTED, None):
            interrupted[0].settle()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    _, lines = config.stash.get(_INTERRUPTED, (None, []))
    if lines:
        terminalreporter.section(_TITLE)
        terminalreporter.line("\n".join(lines))


@pytest.fixture
def kspy_kernel(request: pytest.FixtureRequest) -> str:
    """The name of the kernel for `kspy_tap` and `kspy_replay`; override or parametrize it."""
    config = request.config
    return str(config.getoption("kspy_kernel") or config.getini("kspy_kernel"))


@pytest.fixture
def kspy_tap(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, kspy_kernel: str
) -> Iterator[TappedKernel]:
    """A fresh kernel, tapped: `.connection_file`, `.client()`, `.recording`."""
    from kspy.pytest_plugin.kernels import TappedKernel

    recording = tmp_path_factory.mktemp("kspy") / "session.kspy"
    _kept(request).add(recording)
    kernel = _or_fail(TappedKernel, kspy_kernel, recording)
    try:
        yield kernel
    finally:
        kernel.stop()


@pytest.fixture
def kspy_serve(request: pytest.FixtureRequest) -> Iterator[Server]:
    """`kspy_serve("session.kspy")`: a kernel that answers as the recording did.

    The path is from the test's own folder. `speed` and `fallback` as `ServedKernel` has them.
    """
    from kspy.pytest_plugin.kernels import ServedKernel

    served: list[ServedKernel] = []

    def serve(
        recording: str | Path, *, speed: float | None = None, fallback: str | None = None
    ) -> ServedKernel:
        path = request.path.parent / recording
        kernel: ServedKernel = _or_fail(ServedKernel, path, speed=speed, fallback=fallback)
        served.append(kernel)
        return kernel

    try:
        yield serve
    finally:
        for kernel in served:
            kernel.stop()


@pytest.fixture
def kspy_replay(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, kspy_kernel: str
) -> Replay:
    """`kspy_replay("session.kspy")`: the test fails if a kernel answers otherwise than recorded.

    The path is from the test's own folder; options are those of `kspy.replay_to`. `check=False`:
    give the result, and fail nothing.
    """
    import kspy

    def replay(recording: str | Path, *, check: bool = True, **options: Any) -> Replayed:
        made = tmp_path_factory.mktemp("kspy") / "replayed.kspy"
        _kept(request).add(made)
        where = {"kernel": kspy_kernel} if not {"existing", "gateway"} & set(options) else {}
        path = request.path.parent / recording
        options = {"record": made, **where, **options}
        result: Replayed = _or_fail(kspy.replay_to, path, **options)
        if check and not result.same:
            pytest.fail(f"{path}\n{result}", pytrace=False)
        return result

    return replay


def _views(kept: Kept) -> list[str]:
    return [f"kspy view {shlex.quote(str(path))}" for path in kept.keep()]


def _kept(request: pytest.FixtureRequest) -> Kept:
    item: pytest.Item = request.node
    return item.stash.setdefault(_KEPT, Kept(item))


def _or_fail(start: Any, *arguments: Any, **options: Any) -> Any:
    """What `start` gives; where it cannot, the test fails with one line."""
    from kspy.errors import KspyError

    try:
        return start(*arguments, **options)
    except KspyError as error:
        why = str(error)
    pytest.fail(why, pytrace=False)  # not above: pytest would tell of what came before, too
