"""The filter bar, as somebody types in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from filtering import RECORDINGS
from piloting import Coloured, piloted
from rich.text import Text
from textual.app import ComposeResult
from textual.events import Paste
from textual.pilot import Pilot
from textual.widget import Widget

import kspy
from kspy.analysis.filter.select import whole_table
from kspy.analysis.progress import Progress
from kspy.analysis.table import Table
from kspy.tui.filter_bar import FilterBar, FilterHighlighter
from kspy.tui.filter_choices import FilterChoices
from kspy.tui.palette import THEMES, Colours


class Body(Widget, can_focus=True):
    """Where the focus goes."""

    DEFAULT_CSS = "Body { height: 1fr; }"


class BarApp(Coloured[object]):
    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table
        self.filters: list[str | None] = []
        self.left = 0
        self.unwanted = 0

    def compose(self) -> ComposeResult:
        yield FilterBar(self._table)
        yield Body()

    def on_filter_bar_changed(self, event: FilterBar.Changed) -> None:
        self.filters.append(None if event.filter is None else event.filter.text)

    def on_filter_bar_unwanted(self) -> None:
        self.unwanted += 1

    def on_filter_bar_left(self) -> None:
        self.left += 1
        self.query_one(Body).focus()


class Bar:
    """A bar and who types in it."""

    def __init__(self, app: BarApp, pilot: Pilot[object]) -> None:
        self.app, self.pilot = app, pilot
        self.bar = app.query_one(FilterBar)
        self.choices = app.query_one(FilterChoices)

    async def type(self, text: str) -> None:
        await self.pilot.press(*({" ": "space"}.get(key, key) for key in text))
        await self.pause()

    async def paste(self, text: str) -> None:
        """Text that comes at once, however slow the machine is."""
        self.app.post_message(Paste(text))
        await self.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def pause(self) -> None:
        await self.pilot.pause(0.12)

    @property
    def screen(self) -> list[str]:
        """What the terminal shows."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]


@asynccontextmanager
async def opened(size: tuple[int, int] = (80, 24)) -> AsyncIterator[Bar]:
    path = next(path for path in RECORDINGS if path.stem == "two-clients")
    with kspy.open(path) as recording:
        app = BarApp(whole_table(recording))
        async with app.run_test(size=size) as pilot:
            bar = Bar(app, pilot)
            bar.bar.focus_input()
            await pilot.pause()
            yield bar


@piloted
async def test_it_filters_as_one_types() -> None:
    async with opened() as bar:
        await bar.type("error")
        assert bar.app.filters[-1] == "error"
        await bar.type(" ")
        count = len(bar.app.filters)
        await bar.type("x")
        assert bar.app.filters[-1] == "error x"
        assert len(bar.app.filters) == count + 1  # a blank alone is no other filter


@piloted
async def test_escape_ends_a_search_first_and_enter_begins_it_again() -> None:
    async with opened() as bar:
        await bar.paste("error")
        bar.bar.set_progress(Progress(1, 4))
        await bar.pause()
        assert "25 %" in bar.screen[0]
        await bar.press("escape")
        assert (bar.app.unwanted, bar.app.left) == (1, 0)
        bar.bar.give_up()
        await bar.pause()
        assert "%" not in bar.screen[0]
        await bar.press("escape")
        assert bar.app.left == 1
        bar.bar.focus_input()
        await bar.press("enter")
        assert bar.app.filters == ["error", "error"]


@piloted
async def test_a_mistake_keeps_the_last_good_result_and_is_explained() -> None:
    async with opened() as bar:
        await bar.paste("status ")
        good = list(bar.app.filters)
        await bar.paste("tpe:")
        assert bar.app.filters == good
        assert bar.bar.mistake is not None
        assert (bar.bar.mistake.start, bar.bar.mistake.stop) == (7, 10)
        assert "no field 'tpe'; did you mean type?" in bar.screen[1]
        await bar.press("escape")
        assert "no field 'tpe'; did you mean type?" in bar.screen[1]
        assert "no field" not in "".join(bar.screen[2:])
        bar.bar.focus_input()
        await bar.press(*["backspace"] * 4)
        await bar.pause()
        assert bar.bar.mistake is None
        assert "no field" not in "".join(bar.screen)


@piloted
async def test_tab_completes_the_first_then_goes_on() -> None:
    async with opened() as bar:
        await bar.paste("ty")
        assert "type:" in bar.screen[1]
        assert "tab completes" in "".join(bar.screen)
        await bar.press("tab")
        assert bar.bar.text == "type:"
        await bar.paste("execute_inp")
        await bar.press("tab")
        await bar.pause()
        assert bar.bar.text == "type:execute_input"
        assert bar.app.filters[-1] == "type:execute_input"
        assert not bar.choices.display
        await bar.press("tab")
        assert isinstance(bar.app.focused, Body)


@piloted
async def test_down_and_enter_choose_a_completion() -> None:
    async with opened() as bar:
        await bar.paste("channel:")
        await bar.press("down", "down", "up", "down", "enter")
        assert bar.bar.text == "channel:iopub"
        assert bar.app.left == 0
        await bar.press("enter")
        assert bar.app.left == 1
        assert bar.app.filters[-1] == "channel:iopub"


@piloted
async def test_a_click_chooses_a_completion_and_the_entry_keeps_the_focus() -> None:
    async with opened() as bar:
        await bar.paste("channel:")
        await bar.pilot.click(FilterChoices, offset=(3, 2))
        await bar.pause()
        assert bar.bar.text == "channel:stdin"
        await bar.paste("x")
        assert bar.bar.text == "channel:stdinx"


@piloted
async def test_a_completion_in_the_middle() -> None:
    async with opened() as bar:
        bar.bar.text = "ch error"
        await bar.pause()
        await bar.press("home", "right", "right")
        await bar.paste("a")
        await bar.press("tab")
        assert bar.bar.text == "channel: error"
        await bar.paste("hb")
        assert bar.app.filters[-1] == "channel:hb error"


@piloted
async def test_up_and_down_go_through_the_history() -> None:
    async with opened() as bar:
        for text in ("first", "second", "tpe:"):
            bar.bar.focus_input()
            bar.bar.text = ""
            await bar.paste(text)
            await bar.press("enter")
        bar.bar.text = ""
        bar.bar.focus_input()
        await bar.paste("zz")
        await bar.press("up")
        assert bar.bar.text == "second"  # what was wrong is not remembered
        await bar.press("up")
        assert bar.bar.text == "first"
        await bar.press("up")
        assert bar.bar.text == "first"
        await bar.pause()
        assert bar.app.filters[-1] == "first"
        await bar.press("down")
        await bar.press("down")
        assert bar.bar.text == "zz"
        await bar.press("down")
        assert bar.bar.text == "zz"


@piloted
async def test_escape_leaves_and_what_was_typed_is_applied() -> None:
    async with opened() as bar:
        await bar.pilot.press(*"status")
        await bar.press("escape")
        assert bar.app.left == 1
        assert bar.app.filters[-1] == "status"
        assert isinstance(bar.app.focused, Body)
        assert not bar.choices.display


@piloted
async def test_set_from_outside_and_cleared() -> None:
    async with opened() as bar:
        bar.bar.text = "error"
        await bar.pilot.pause()
        assert bar.app.filters == ["error"]
        bar.bar.clear()
        await bar.pilot.pause()
        assert bar.app.filters == ["error", None]
        bar.bar.focus_input()
        await bar.press("up")
        assert bar.bar.text == "error"


@piloted
async def test_counts_and_progress() -> None:
    async with opened() as bar:
        bar.bar.set_count(37, 1204)
        await bar.pause()
        assert bar.screen[0].rstrip().endswith("37 of 1,204")
        bar.bar.set_count(37, 1204, threads=True)
        await bar.pause()
        assert bar.screen[0].rstrip().endswith("37 of 1,204  threads")
        bar.bar.set_progress(Progress(1, 3))
        await bar.pause()
        assert bar.screen[0].rstrip().endswith("33 %")
        bar.bar.set_progress(None)
        await bar.pause()
        assert "37 of 1,204" in bar.screen[0]


@pytest.mark.parametrize("size", [(20, 5), (5, 2), (1, 1), (40, 10), (200, 60)])
@piloted
async def test_any_size(size: tuple[int, int]) -> None:
    async with opened(size) as bar:
        bar.bar.set_count(37, 1204)
        await bar.paste("type:exec")
        await bar.press("down", "down")
        await bar.paste("/ tpe:\u4e2d")
        assert all(len(line) <= size[0] for line in bar.screen)
        await bar.press("escape")


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
@piloted
async def test_what_it_is_drawn_with(theme: str) -> None:
    async with opened() as bar:
        bar.app.theme = theme
        colours = Colours.of(bar.app)
        painter = FilterHighlighter()
        painter.use(colours)
        painter.mistake = (5, 6)
        painted = painter("type:x error")
        assert isinstance(painted, Text)
        looks = {(span.start, span.end): span.style for span in painted.spans}
        assert looks[0, 4] == colours.accent
        assert looks[4, 5] == colours.dim
        assert painted.get_style_at_offset(bar.app.console, 5).underline


@piloted
async def test_hostile_text_is_taken() -> None:
    async with opened() as bar:
        for text in ("\x1b[31m(", "(" * 11_000, "\u202e/x", '"' * 999, "a\tb"):
            bar.bar.text = text
            await bar.pause()
            assert "\x1b" not in "".join(bar.screen)


@piloted
@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_a_long_explanation_is_shown_to_its_end(size: tuple[int, int]) -> None:
    async with opened(size) as bar:
        await bar.paste("latency>500")
        for _ in range(2):
            shown = " ".join(" ".join(line.split()) for line in bar.screen[1:4])
            assert "one of ns us ms s min h, as in latency>500ms" in shown.replace("  ", " ")
            await bar.press("escape")


@piloted
@pytest.mark.parametrize("mistake", ["/[/", "/[/ ", "(type:status ", "(", "status)"])
async def test_a_mistake_of_brackets_opens_no_list_of_fields(mistake: str) -> None:
    async with opened() as bar:
        await bar.paste(mistake)
        assert bar.bar.mistake is not None
        assert bar.choices.first is None
        assert not any("latency" in line for line in bar.screen)


@piloted
async def test_fields_are_offered_where_one_can_begin() -> None:
    async with opened() as bar:
        await bar.paste("error ")
        assert bar.choices.first is not None
        await bar.paste("size>")
        assert bar.choices.first is not None
        assert bar.choices.first.text == "1KB"
