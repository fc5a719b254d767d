"""`kspy view --diff`: two sessions side by side, walked through with keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from comparing import cells, finished, record
from piloting import piloted
from rich.cells import cell_len
from textual.widgets import Static
from viewing import RECORDINGS, Viewer, viewing

import kspy
from kspy.analysis.filter.select import whole_table
from kspy.analysis.sameness.rules import Rules
from kspy.export.compared.report import report
from kspy.tui.compare import CompareMessagesScreen, CompareThreadsScreen
from kspy.tui.compare.sessions_screen import SessionsScreen
from kspy.tui.compare.sessions_view import SessionsView
from kspy.tui.compare.two_sessions import TwoSessions
from kspy.tui.help_screen import HelpScreen
from kspy.tui.main_screen import MainScreen

RICH, CHANGED = RECORDINGS / "rich.kspy", RECORDINGS / "changed.kspy"


def title(viewer: Viewer) -> str:
    return str(viewer.app.screen.query_one("#title", Static).content)


def view(viewer: Viewer) -> SessionsView:
    return viewer.app.screen.query_one(SessionsView)


def rows(viewer: Viewer) -> list[str]:
    """The lines with both sides that are on the screen."""
    shown = view(viewer)
    lines = (shown.render_line(y).text.rstrip() for y in range(1, shown.size.height))
    return [line for line in lines if line]


async def compared(viewer: Viewer) -> None:
    sessions = viewer.main.sessions
    assert sessions is not None
    await viewer.wait_for(lambda: sessions.total is not None, "the comparison")
    await viewer.settle()


@piloted
async def test_two_sessions_are_aligned() -> None:
    async with viewing(RICH, diff=CHANGED, size=(120, 40)) as viewer:
        await compared(viewer)
        assert title(viewer).startswith(
            "4 differ, 2 only in a, 1 only in b, 1 reordered, 3 the same"
        )
        lines = rows(viewer)
        assert len(lines) == 11
        assert [line[:2] for line in lines] == [
            "  ", "  ", "~ ", "- ", "- ", "~ ", "  ", "~ ", "⇅ ", "  ", "~ ",
        ]  # fmt: skip
        assert "+ #" in lines[6]
        assert "sum(range(10))" in lines[6]
        assert lines[2].count("execute_request") == 2


@piloted
async def test_from_difference_to_difference_and_what_is_the_same_hidden() -> None:
    async with viewing(RICH, diff=CHANGED) as viewer:
        await compared(viewer)
        assert view(viewer).row == 2, "it begins at the first one"
        await viewer.hurry("n", "n")
        assert view(viewer).row == 4
        await viewer.hurry("N", "N", "N")
        assert view(viewer).row == 10, "before the first comes the last"
        await viewer.hurry("n", "z")
        lines = rows(viewer)
        assert "2 threads, the same" in lines[0]
        assert not any(" kernel_info" in line for line in lines)
        assert view(viewer).row == 2
        await viewer.hurry("n")
        assert view(viewer).row == 3
        await viewer.hurry("z", "g")
        assert len(rows(viewer)) == 11
        assert view(viewer).row == 0


@piloted
async def test_down_to_the_message_and_back() -> None:
    async with viewing(RICH, diff=CHANGED) as viewer:
        await compared(viewer)
        await viewer.enter("enter")
        assert isinstance(viewer.app.screen, CompareThreadsScreen)
        assert title(viewer) == "3 differ, 3 the same"
        await viewer.enter("n", "n", "enter")
        assert isinstance(viewer.app.screen, CompareMessagesScreen)
        assert title(viewer).startswith("difference 1 of 1")
        assert "≈" in "\n".join(viewer.screen)
        await viewer.enter("escape", "escape")
        assert isinstance(viewer.app.screen, SessionsScreen)
        await viewer.enter("n", "enter")
        assert viewer.said[-1] == "only in a: nothing to compare it with"


@piloted
async def test_the_list_of_a_is_behind_it() -> None:
    async with viewing(RICH, diff=CHANGED) as viewer:
        await compared(viewer)
        await viewer.enter("n", "o")
        assert isinstance(viewer.app.screen, MainScreen)
        assert "HTML(" in viewer.row
        await viewer.enter("c")
        assert isinstance(viewer.app.screen, SessionsScreen)
        assert len(rows(viewer)) == 11
        await viewer.enter("question_mark")
        assert isinstance(viewer.app.screen, HelpScreen)
        assert any("⇅" in line and "another order" in line for line in viewer.screen)
        await viewer.enter("escape", "escape")
        assert isinstance(viewer.app.screen, MainScreen)


@piloted
async def test_without_another_recording_it_asks_for_one() -> None:
    async with viewing(RICH, "c", "=nothing.kspy", "enter") as viewer:
        assert "cannot be read" in viewer.prompt
        await viewer.enter("escape", "c", f"={CHANGED}", "enter")
        assert isinstance(viewer.app.screen, SessionsScreen)
        await compared(viewer)
        assert title(viewer).startswith("4 differ")


@piloted
async def test_the_rules_can_be_widened() -> None:
    rules = Rules.usual(["counts", "content"])
    async with viewing(RICH, diff=CHANGED, rules=rules) as viewer:
        await compared(viewer)
        assert title(viewer).startswith("1 differ, 2 only in a, 1 only in b")
        await viewer.enter("G", "enter")
        assert title(viewer) == "1 differ, 1 only on the left, 1 only on the right, 4 the same"


@pytest.mark.parametrize("size", [(20, 5), (40, 12), (200, 60)])
@piloted
async def test_every_size(size: tuple[int, int]) -> None:
    async with viewing(RICH, diff=CHANGED, size=size, theme="kspy-light") as viewer:
        await compared(viewer)
        for line in viewer.screen:
            assert cell_len(line) == size[0]
            assert "\x1b" not in line
        await viewer.hurry("n", "z", "G", "g")
        await viewer.pilot.resize_terminal(60, 20)
        await viewer.hurry("N")


@piloted
async def test_the_same_session_twice() -> None:
    async with viewing(RICH, diff=RICH) as viewer:
        await compared(viewer)
        assert title(viewer) == "10 the same"
        await viewer.enter("n")
        assert viewer.said[-1] == "no difference"
        await viewer.enter("z")
        assert [line.strip() for line in rows(viewer)] == ["⋯ 10 threads, the same"]
        await viewer.hurry("enter", "G", "k", "o")


def test_the_screen_and_the_command_find_the_same(tmp_path: Path) -> None:
    old = record(tmp_path / "a.kspy", cells("a", "b", "c", "d", "e"))
    new = record(tmp_path / "b.kspy", cells("b", "a", "x", "d", "f"))
    with kspy.open(old) as a, kspy.open(new) as b:
        sessions = TwoSessions(whole_table(a), new, Rules.usual())
        finished(sessions.run(lambda: True))
        told = report(whole_table(a), whole_table(b), Rules.usual())
        sessions.close()
    seen = [sessions.verdict(row) for row in range(len(sessions))]
    assert seen == [thread.verdict for thread in told.threads]
    assert sessions.total is not None
    assert dict(sessions.counts) == {name: n for name, n in told.counts.items() if n}
    differing = [row for row, verdict in enumerate(seen) if verdict != "same"]
    assert sessions.differing.tolist() == differing
    shown = sessions.lines(hiding=True).tolist()
    assert [line for line in shown if line >= 0] == differing
    assert -sum(line for line in shown if line < 0) == len(seen) - len(differing)
