"""Filtering and searching with keys: what is shown, counted, marked; mistakes; giving up."""

from __future__ import annotations

from typing import cast

from piloting import piloted
from textual.app import App
from textual.events import Key
from textual.geometry import Region
from viewing import RECORDINGS, viewing

from kspy.tui.detail.tree.tree_view import JsonTree
from kspy.tui.palette import Colours

HELLO = RECORDINGS / "hello.kspy"
_NAMES = {"/": "slash", ":": "colon"}


@piloted
async def test_it_filters_as_one_types() -> None:
    async with viewing(HELLO, "slash", *"error") as viewer:
        assert "0 of 36" in viewer.status
        assert viewer.rows == []
        await viewer.enter("ctrl+u", *"-type")
        await viewer.enter("colon", *"status")
        assert "27 of 36" in viewer.status
        await viewer.enter("enter", "G")
        assert not any("status  " in row for row in viewer.rows)


@piloted
async def test_a_mistake_leaves_the_last_good_result() -> None:
    async with viewing(HELLO, "slash", "=type:stream") as viewer:
        assert "1 of 36" in viewer.status
        await viewer.enter("= size>big")
        assert "1 of 36" in viewer.status
        assert "hello⏎" in viewer.rows[0]


@piloted
async def test_whole_threads_of_what_matches() -> None:
    async with viewing(HELLO, "slash", "=type:stream", "enter", "w") as viewer:
        assert "threads" in viewer.status
        assert len(viewer.rows) == 6
        assert "execute_request" in viewer.rows[0]
        await viewer.enter("w")
        assert len(viewer.rows) == 1


@piloted
async def test_escape_leaves_the_bar_then_takes_the_filter_away() -> None:
    async with viewing(HELLO, "slash", "=type:stream") as viewer:
        await viewer.enter("escape")  # while it searches, this would only end the search
        assert len(viewer.rows) == 1
        assert viewer.app.focused is viewer.main.stream
        await viewer.enter("escape")
        assert "36 of 36" in viewer.status


@piloted
async def test_what_is_looked_for_is_marked_in_the_tree() -> None:
    async with viewing(HELLO, "slash", "=type:execute_request hello", "enter", "2") as viewer:
        tree = viewer.main.inspector.query_one(JsonTree)
        look = Colours.of(cast("App[object]", viewer.app)).match.bgcolor
        marked = [
            segment.text
            for strip in tree.render_lines(Region(0, 0, tree.size.width, tree.size.height))
            for segment in strip
            if segment.style and segment.style.bgcolor == look
        ]
        assert marked == ["hello"]


@piloted
async def test_search_counts_goes_round_and_is_taken_away() -> None:
    async with viewing(HELLO, "f", "=idle", "enter") as viewer:
        assert "idle" in viewer.row
        assert viewer.prompt.endswith("idle   1 of 4")
        await viewer.enter("N")
        assert viewer.prompt.endswith("idle   4 of 4")
        await viewer.enter("n", "n")
        assert viewer.prompt.endswith("idle   2 of 4")
        assert viewer.main.stream.matches is not None
        assert viewer.main.inspector.matches is viewer.main.stream.matches
        await viewer.enter("escape")
        assert viewer.main.stream.matches is None
        assert viewer.prompt == ""
        assert viewer.main.inspector.matches is None


@piloted
async def test_search_is_within_what_the_filter_shows() -> None:
    async with viewing(HELLO, "slash", "=type:execute_*", "enter", "f", "=idle", "enter") as viewer:
        assert viewer.prompt.endswith("idle   not found")
        await viewer.enter("f", "=/HELLO/i", "enter")
        assert 'print("hello")' in viewer.row


@piloted
async def test_the_filter_to_begin_with() -> None:
    async with viewing(HELLO, filter_text="type:stream") as viewer:
        assert len(viewer.rows) == 1


@piloted
async def test_keys_that_are_sent_at_once_go_where_the_first_of_them_leads() -> None:
    async with viewing(HELLO) as viewer:
        for character in "/type:stream":
            viewer.app.post_message(Key(_NAMES.get(character, character), character))
        # On a busy machine, what has been typed so far is looked for meanwhile.
        await viewer.wait_for(lambda: viewer.main.filter_bar.text == "type:stream", "the text")
        await viewer.wait_for(lambda: "1 of 36" in viewer.status, "the filter")
        assert viewer.main.viewing.mode == "stream"
