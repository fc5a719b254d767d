"""`kspy view --web` in a real browser."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import DRIVER, browser
from command import KSPY
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.action_chains import ActionChains
from tapping import surroundings, wait_for

from kspy.recording.bookmarks import Bookmarks

HELLO = Path(__file__).parent.parent / "recordings" / "hello.kspy"

pytestmark = pytest.mark.skipif(DRIVER is None, reason="needs chromium-driver")


@contextmanager
def served(path: Path, folder: Path) -> Iterator[str]:
    """The address at which a recording is shown."""
    command = [KSPY, "view", "--web", str(path)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=surroundings(folder, KSPY_CONFIG_DIR=str(folder)),
    )
    assert process.stdout is not None
    try:
        found = next(filter(None, (re.search(r"http://\S+", line) for line in process.stdout)))
        yield found.group()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


def has_class(page: Chrome, name: str) -> bool:
    return name in (page.find_element("tag name", "body").get_attribute("class") or "").split()


def test_it_shows_takes_keys_without_a_click_and_loads_nothing_from_elsewhere(
    tmp_path: Path,
) -> None:
    path = tmp_path / "hello.kspy"
    shutil.copy(HELLO, path)
    bookmarks = tmp_path / "hello.kspy.bookmarks"
    with served(path, tmp_path) as address, browser(tmp_path) as page:
        page.get(address)
        wait_for(lambda: has_class(page, "-first-byte"), "the first of the screen")
        assert page.title == "hello.kspy · kspy"
        focused = "return document.activeElement.className"
        wait_for(lambda: "xterm" in page.execute_script(focused), "the keys' way")
        # What is drawn is no text of the page; what a key does is seen beside the recording.
        keys = ActionChains(page)
        keys.send_keys("jjm").pause(2).send_keys("seen in a browser", Keys.ENTER).perform()
        wait_for(bookmarks.exists, "the bookmark")
        assert [mark.note for mark in Bookmarks(path).list()] == ["seen in a browser"]
        log = page.get_log("browser")  # type: ignore[no-untyped-call]
        assert [entry for entry in log if entry["level"] == "SEVERE"] == []
        ActionChains(page).send_keys("q").perform()
        wait_for(lambda: has_class(page, "-closed"), "the end")
        assert page.find_element("id", "ended").is_displayed()
