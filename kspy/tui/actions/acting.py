"""What all actions work with: the parts of the main screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from kspy.tui.desk import Desk
from kspy.tui.detail import Inspector
from kspy.tui.filter_bar import FilterBar
from kspy.tui.playback_bar import PlaybackBar
from kspy.tui.prompt_bar import PromptBar
from kspy.tui.stream.stream_view import StreamView
from kspy.tui.timeline import Timeline
from kspy.tui.viewing import Viewing

if TYPE_CHECKING:
    from kspy.tui.app import KspyApp


class Acting(Screen[None]):
    """The main screen, as its actions see it."""

    viewing: Viewing
    desk: Desk
    stream: StreamView
    inspector: Inspector
    timeline: Timeline
    filter_bar: FilterBar
    playback_bar: PlaybackBar
    prompt: PromptBar

    @property
    def kspy(self) -> KspyApp:
        """The app, as what it is."""
        return cast("KspyApp", self.app)

    @property
    def place(self) -> int | None:
        """Place of the selected message; None for an event, or nothing."""
        item = self.stream.item
        return item if item is not None and item >= 0 else None

    def say(self, text: str) -> None:
        """Tell the user something, in one line."""
        self.notify(text)

    @property
    def searching(self) -> bool:
        """Is there a search whose matches are marked?"""
        return False

    def rearrange(self, then: int | None = None) -> None:
        """Make the lines anew, then draw them; go to the item `then`."""
        raise NotImplementedError

    def lines_changed(self) -> None:
        """What is shown may have changed: draw it."""
        raise NotImplementedError

    def reveal(self, item: int) -> bool:
        """Put the cursor on an item, unfold its thread for it; False where it is not shown."""
        viewing, table = self.viewing, self.viewing.table
        self.stream.following = False
        if self.stream.go_to_item(item):
            return True
        if viewing.mode == "threads" and item >= 0 and self.passes(item):
            thread = table.thread(item)
            head = table.head(thread) if thread >= 0 else item
            if not viewing.is_open(head):
                viewing.turn(head)
                self.rearrange(item)
                return True
        return False

    def passes(self, item: int) -> bool:
        """Is an item among those that the filter lets through?"""
        return item in self.viewing.matched
