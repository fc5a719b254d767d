"""What several test modules share: how hypothesis runs, and a fake kernel behind a tap."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from fake_kernel import FakeKernel, fake_kernel, tapped
from hypothesis import HealthCheck, settings
from tapping import Tap

# On a machine that is busy, slow examples are no mistakes.
settings.register_profile("kspy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kspy")

# A shell lets what it starts in the background ignore Ctrl-C, nohup the hangup; and so all below.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="module")
def kernel() -> Iterator[FakeKernel]:
    with fake_kernel() as running:
        yield running


@pytest.fixture(scope="module")
def tap(kernel: FakeKernel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tap]:
    """A tap on the fake kernel."""
    with tapped(kernel, tmp_path_factory.mktemp("fake")) as running:
        yield running
