"""Messages and threads side by side, walked through with keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conversation import Conversation, message
from exporting import grown
from piloting import Coloured, piloted
from rich.cells import cell_len
from textual.screen import Screen
from textual.widgets import Static
from viewing import until

import kspy
from kspy.analysis.table import Table
from kspy.tui.compare import CompareMessagesScreen, CompareThreadsScreen
from kspy.tui.compare.message_view import MessageView
from kspy.tui.compare.thread_view import ThreadView
from kspy.tui.desk import Desk

RECORDINGS = Path(__file__).parent.parent / "recordings"
SIZES = [(20, 5), (80, 24), (200, 60)]


class Host(Coloured[None]):
    def __init__(self, first: Screen[None], theme: str = "kspy-dark") -> None:
        super().__init__(theme)
        self.first = first

    def on_mount(self) -> None:
        self.desk = Desk()
        self.push_screen(self.first)

    def on_unmount(self) -> None:
        self.desk.close()


@pytest.fixture
def hello() -> Iterator[Table]:
    with kspy.open(RECORDINGS / "hello.kspy") as recording:
        yield grown(recording)


@pytest.fixture
def error() -> Iterator[Table]:
    with kspy.open(RECORDINGS / "error.kspy") as recording:
        yield grown(recording)


def thread_of(table: Table, state: str) -> int:
    return next(
        n
        for n in range(table.thread_count)
        if table.msg_type(table.head(n)) == "execute_request" and table.timing(n).state == state
    )


def title(app: Host) -> str:
    return str(app.screen.query_one("#title", Static).content)


def lines(view: MessageView | ThreadView) -> list[str]:
    return [view.render_line(y).text for y in range(view.size.height)]


def verdict(view: ThreadView) -> str:
    assert view.step is not None
    return view.step.verdict


def codes(left: str, right: str) -> CompareMessagesScreen:
    old, new = (
        message("execute_request", {"code": code, "n": n}, "shell", "to_kernel")
        for n, code in enumerate((left, right))
    )
    return CompareMessagesScreen(old, new)


@piloted
async def test_two_messages() -> None:
    app = Host(codes("a = 1\nb = 2\n", "a = 1\nb = 3\n"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: title(app).startswith("difference 1 of 2"))
        view = app.screen.query_one(MessageView)
        shown = [line.rstrip() for line in lines(view)]
        assert shown[0].count("→ shell  execute_request") == 2
        assert "~     b = 2" in shown[4]
        assert shown[4].endswith("~     b = 3")
        assert any(line.startswith("≈   msg_id") for line in shown)
        await pilot.press("n")
        assert title(app).startswith("difference 2 of 2")
        await pilot.press("n")
        assert title(app).startswith("difference 1 of 2")
        await pilot.press("N")
        assert title(app).startswith("difference 2 of 2")
        await pilot.press("escape")
        assert app.screen is not app.first


@piloted
async def test_equal_lines_can_be_hidden() -> None:
    many = "".join(f"line_{n}\n" for n in range(200))
    app = Host(codes(f"{many}a\n{many}", f"{many}b\n{many}"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: title(app).startswith("difference 1"))
        view = app.screen.query_one(MessageView)
        await pilot.press("z", "g")
        shown = "\n".join(lines(view))
        assert "lines, the same" in shown
        assert "line_100" not in shown
        await pilot.press("z")
        assert view.virtual_size.height > 200


@piloted
async def test_the_difference_is_scrolled_to() -> None:
    many = "".join(f"line_{n}\n" for n in range(90))
    app = Host(codes(f"{many}\nend", f"{many}\nother"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: title(app).startswith("difference 1"))
        view = app.screen.query_one(MessageView)
        await pilot.press("n")
        assert any("n 0" in line and "n 1" in line for line in lines(view))


@piloted
async def test_the_same_message_twice(hello: Table) -> None:
    app = Host(CompareMessagesScreen(hello.load(3), hello.load(3)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: title(app) == "no difference")
        await pilot.press("n", "N", "z", "G", "g", "j", "k", "pagedown", "pageup")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["kspy-dark", "kspy-light", "kspy-contrast"])
@piloted
async def test_lines_fit_any_terminal(
    size: tuple[int, int], theme: str, hello: Table, error: Table
) -> None:
    hostile = "\x1b[2J[bold]日本語" + "e\u0301" * 300 + "\u202e" + "😀" * 80
    messages = [message("stream", {"name": "stdout", "text": hostile + end}) for end in "ab"]
    ok, failed = thread_of(hello, "ok"), thread_of(error, "error")
    for screen in (
        CompareMessagesScreen(messages[0], messages[1]),
        CompareMessagesScreen(hello.load(0), messages[1]),
        CompareThreadsScreen(hello, ok, failed, error),
    ):
        app = Host(screen, theme)
        async with app.run_test(size=size) as pilot:
            while app.desk.busy:
                await pilot.pause(0.02)
            await pilot.pause(0.05)
            view = app.screen.query_one("MessageView, ThreadView")
            assert isinstance(view, MessageView | ThreadView)
            for line in lines(view):
                assert cell_len(line) in (0, size[0], view.size.width)
                assert "\x1b" not in line
            await pilot.resize_terminal(60, 20)
            await pilot.press("n")


@piloted
async def test_two_threads(hello: Table, error: Table) -> None:
    app = Host(
        CompareThreadsScreen(hello, thread_of(hello, "ok"), thread_of(error, "error"), error)
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: "differ" in title(app) and "comparing" not in title(app))
        assert title(app) == "3 differ, 1 only on the left, 1 only on the right, 2 the same"
        view = app.screen.query_one(ThreadView)
        shown = lines(view)
        assert "ok" in shown[0]
        assert "error" in shown[0]
        assert any(line.startswith("-") and " stream " in line for line in shown)
        assert any("+" in line and "ZeroDivision" in line for line in shown)
        await pilot.press("enter")
        assert isinstance(app.screen, CompareMessagesScreen)
        await until(lambda: title(app).startswith("difference 1 of"))
        await pilot.press("escape")
        assert app.screen is app.first
        await pilot.press("n")
        assert verdict(view) == "~"
        await pilot.press("G", "N", "N")
        assert verdict(view) == "+"
        await pilot.press("enter")
        assert app.screen is app.first, "there is nothing to compare it with"
        await pilot.press("escape")
        assert app.screen is not app.first


@piloted
async def test_two_runs_of_the_same(hello: Table) -> None:
    ok = thread_of(hello, "ok")
    app = Host(CompareThreadsScreen(hello, ok, ok))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: title(app) == f"{hello.thread_size(ok)} the same")
        await pilot.press("n", "enter")
        await until(lambda: title(app) == "no difference")


def test_long_threads_are_bounded(tmp_path: Path) -> None:
    with Conversation(tmp_path / "a.kspy") as talk:
        for count in (6000, 10):
            request = talk.ask("execute_request", {"code": "x"})
            for n in range(count):
                talk.publish("stream", {"name": "stdout", "text": f"{n}\n"}, request)
            talk.reply(request)

    @piloted
    async def look() -> None:
        with kspy.open(tmp_path / "a.kspy") as recording:
            app = Host(CompareThreadsScreen(grown(recording), 0, 1))
            async with app.run_test(size=(80, 24)) as pilot:
                await until(lambda: "only the first 5,000 of each" in title(app))
                await pilot.press("G", "g", "escape")

    look()
