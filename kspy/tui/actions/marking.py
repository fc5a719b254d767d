"""Bookmarks: places with a note, kept beside the recording."""

from __future__ import annotations

from kspy.errors import KspyError
from kspy.recording.bookmarks import Bookmarks
from kspy.tui.actions.moving import Moving
from kspy.tui.bookmarks_screen import BookmarksScreen, editable, edited


class Marking(Moving):
    """A bookmark belongs to a message, by its number."""

    kept: Bookmarks | None = None

    def begin_bookmarks(self) -> None:
        """Read them; a file that cannot be read is said, and left as it is."""
        try:
            self.kept = Bookmarks(self.viewing.path)
        except KspyError as error:
            self.say(str(error))

    def show_bookmarks(self) -> None:
        """Mark the lines of all bookmarks."""
        table = self.viewing.table
        kept = self.kept.list() if self.kept else []
        places = (table.place_of(bookmark.seq) for bookmark in kept)
        self.stream.bookmarks = frozenset(place for place in places if place is not None)
        self.timeline.marks = tuple(bookmark.time_ns for bookmark in kept)
        self.stream.refresh()

    def action_bookmark(self) -> None:
        place = self.place
        if self.kept is None or place is None:
            self.say("bookmarks are set on messages" if place is None else "no bookmarks here")
            return
        seq, time_ns = self.viewing.table.seq(place), self.viewing.table.time_ns(place)
        known = self.kept.get(seq)
        old = known.note if known else ""

        def keep(note: str) -> str:
            if self.kept is not None:
                try:
                    self.kept.add(seq, time_ns, edited(old, note))
                except KspyError as error:
                    self.say(str(error))
                self.show_bookmarks()
            return ""

        self.prompt.ask("bookmark", "a note, or nothing", keep, editable(old))

    def action_bookmarks(self) -> None:
        if self.kept is None:
            self.say("bookmarks cannot be read")
            return

        def go(seq: int | None) -> None:
            self.show_bookmarks()
            place = None if seq is None else self.viewing.table.place_of(seq)
            if place is not None:
                self.jump_to(place, "the bookmark")

        start = self.viewing.table.start_ns if len(self.viewing.everything) else None
        self.app.push_screen(BookmarksScreen(self.kept, start), go)
