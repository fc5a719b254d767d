"""Filtering, and searching within what is shown."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kspy.analysis.filter import Filter, FilterError, highlights, parse
from kspy.analysis.progress import Progress
from kspy.analysis.sanitize import cut, one_line
from kspy.tui.actions.jumping import Jumping
from kspy.tui.desk import Job

Array = NDArray[Any]

_WORD: Final = 30
"""Cells of what is searched for, beside what was found."""


class Searching(Jumping):
    """A filter replaces the one before only when it is done; a search is a filter to jump by."""

    _filtering: Job | None = None
    _finding: Job | None = None
    _hits: Array | None = None
    _wanted: Filter | None = None
    _word = ""

    @property
    def searching(self) -> bool:
        return self._wanted is not None

    # The filter

    def action_filter(self) -> None:
        self.filter_bar.focus_input()

    def action_whole(self) -> None:
        if self.viewing.filter is None:
            self.say("whole threads of what a filter matches: there is no filter")
            return
        self.filter_with(self.viewing.filter, not self.viewing.whole)

    def filter_with(self, wanted: Filter | None, whole: bool) -> None:
        """Show what `wanted` lets through, all where it is None."""
        if self._filtering:
            self._filtering.cancel()
        self._filtering = self.desk.run(
            self.viewing.search(wanted, whole),
            self._filtered,
            self.filter_bar.set_progress,
            self._not_filtered,
        )

    def _filtered(self, _: object) -> None:
        self._filtering = None
        self.filter_bar.set_progress(None)
        if self._wanted is not None:
            self._find(self._wanted, jump=False)
        self._mark()
        self.lines_changed()

    def _mark(self) -> None:
        """Mark in lines and tree what is searched for, or else what the filter looks for."""
        wanted = self._wanted or self.viewing.filter
        self.stream.matches = self.inspector.matches = highlights(wanted) if wanted else None
        self.stream.refresh()

    def _not_filtered(self, error: Exception) -> None:
        self._filtering = None
        self.filter_bar.set_progress(None)
        self.say(str(error))

    def cancel_filtering(self) -> bool:
        """Give up a filter that is being worked out; what was shown stays."""
        if self._filtering is None:
            return False
        self._filtering.cancel()
        self._filtering = None
        self.filter_bar.give_up()
        self.rearrange(self.stream.item)  # should its last step have been done by now
        self.say("given up; what was shown stays")
        return True

    # The search

    def action_find(self) -> None:
        self.prompt.ask("find", "a word, or /a regular expression/", self._find_text)

    def _find_text(self, text: str) -> str:
        text = text.strip()
        if not text:
            self.end_search()
            return ""
        try:
            wanted = parse(text if _is_regex(text) else f"text:{_quoted(text)}")
        except FilterError as error:
            return str(error)
        self._word = text
        self._find(wanted, jump=True)
        self._mark()
        return ""

    def _find(self, wanted: Filter, *, jump: bool) -> None:
        if self._finding:
            self._finding.cancel()
        self._wanted = wanted
        table = self.viewing.table

        def found(hits: Array) -> None:
            self._finding = None
            self._hits = np.sort(hits[hits >= 0])
            self.stream.refresh()
            if jump:
                self.action_next_match(1, here=True)

        def progress(progress: Progress) -> None:
            self._note(f"{100 * progress.done // max(progress.total, 1)} %")

        self._finding = self.desk.run(wanted.run(table), found, progress)

    def _note(self, found: str) -> None:
        self.prompt.note(f"{cut(one_line(self._word), _WORD)}   {found}")

    def end_search(self) -> None:
        if self._finding:
            self._finding.cancel()
        self._finding = self._hits = self._wanted = None
        self.prompt.note("")
        self._mark()

    def action_next_match(self, step: int, *, here: bool = False) -> None:
        """The next match of the search, around the end if need be; without a search, an error."""
        if self._wanted is None:
            self.action_jump("error", step)
            return
        if self._hits is None:
            self.say("still searching")
            return
        viewing = self.viewing
        shown = viewing.matched[: viewing.shown]
        hits = shown[(shown >= 0) & np.isin(shown, self._hits)]
        if not len(hits):
            self._note("not found")
            return
        item = self.stream.item
        at = int(np.searchsorted(hits, item if item is not None and item >= 0 else 0))
        there = at < len(hits) and hits[at] == item
        if step > 0:
            at += 1 if there and not here else 0
        else:
            at -= 1
        at %= len(hits)
        self._note(f"{at + 1:,} of {len(hits):,}")
        if hits[at] != item:
            self.jump_to(int(hits[at]), "the match")


def _is_regex(text: str) -> bool:
    return len(text) > 2 and text.startswith("/") and text.rstrip("i").endswith("/")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
