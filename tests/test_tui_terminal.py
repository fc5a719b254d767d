"""The installed command in a real terminal, on a kernel that is being tapped."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from command import KSPY
from tapping import PATIENCE, Tap, tapping, until_idle
from terminal import Terminal, terminal

RECORDINGS = Path(__file__).parent.parent / "recordings"

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")


def test_a_session_is_seen_live_from_its_first_message_to_its_end(tmp_path: Path) -> None:
    settings = {"KSPY_CONFIG_DIR": str(tmp_path / "settings"), "TERM": "xterm-256color"}
    with (
        tapping() as tap,
        terminal(tap.folder, KSPY, "view", str(tap.recording), env=settings) as shell,
    ):
        shell.wait_for("recording", "following", "tap started")
        work_and_look(tap, shell)
        tap.end()
        shell.wait_for("finished")
        shell.resize(80, 24)
        shell.wait_for("finished")
        shell.press("q")
        shell.wait_for("[exit 0]")


def work_and_look(tap: Tap, shell: Terminal) -> None:
    """Run cells, and see what the viewer makes of them meanwhile."""
    with tap.client() as client:
        until_idle(client, client.execute("print('seen' + ' ' + 'live')"))
        shell.wait_for("seen live", "execute_reply", "● idle")
        client.execute("import time; time.sleep(600)")
        shell.press("t")
        shell.wait_for("waiting", "● busy")
        shell.press("/")
        shell.type("type:execute_request")
        shell.wait_for("  2 of ")
        shell.press("Escape")
        shell.wait_for("⏎ open")
        shell.press("Escape")
        shell.wait_for("kernel_info_re")
        shell.press("k")
        shell.wait_for("not following")
        shell.press("End")
        shell.wait_gone("not following")


def test_what_is_drawn_needs_a_terminal_too() -> None:
    """It is drawn on stderr, which somebody may have sent elsewhere."""
    outer, inner = os.openpty()
    command = [KSPY, "view", str(RECORDINGS / "hello.kspy")]
    refused = subprocess.run(
        command, stdin=inner, stdout=inner, stderr=subprocess.PIPE, timeout=PATIENCE, check=False
    )
    os.close(outer)
    os.close(inner)
    assert refused.returncode == 2
    assert b"the viewer needs a terminal" in refused.stderr
