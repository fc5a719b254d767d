"""What is shown and how: threads, folds, times, the inspector's parts, help."""

from __future__ import annotations

from kspy.tui.actions.acting import Acting
from kspy.tui.stream.stream_view import FORMS, StreamView


class Showing(Acting):
    """Each choice that a user would want again the next time is kept in the settings."""

    def action_threads(self) -> None:
        viewing = self.viewing
        viewing.mode = "stream" if viewing.mode == "threads" else "threads"
        item = self.stream.item
        if viewing.mode == "threads" and item is not None and item >= 0:
            thread = viewing.table.thread(item)
            head = viewing.table.head(thread) if thread >= 0 else item
            if head != item and not viewing.is_open(head):
                viewing.turn(head)  # or the selected message would be gone
        self.kspy.settings.threads = viewing.mode == "threads"
        self.kspy.keep_settings()
        self.rearrange(item)

    def action_fold(self, fold: bool) -> None:
        viewing, place = self.viewing, self.place
        if viewing.mode != "threads":
            self.say("t shows threads, which can be folded")
            return
        if place is None or viewing.table.thread(place) < 0:
            return
        head = viewing.table.head(viewing.table.thread(place))
        if fold and place != head:
            self.stream.go_to_item(head)
        elif viewing.is_open(head) == fold:
            viewing.turn(head)
            self.rearrange(head)

    def action_fold_all(self) -> None:
        viewing, place = self.viewing, self.place
        if viewing.mode != "threads":
            self.say("t shows threads, which can be folded")
            return
        viewing.folded = not viewing.folded
        viewing.turned = set()
        if place is not None and viewing.folded and viewing.table.thread(place) >= 0:
            place = viewing.table.head(viewing.table.thread(place))
        self.rearrange(place)

    def action_time_form(self) -> None:
        self.stream.form = FORMS[(FORMS.index(self.stream.form) + 1) % len(FORMS)]
        self.kspy.settings.time_form = self.stream.form
        self.kspy.keep_settings()

    # The parts of the screen

    def action_open(self) -> None:
        """To the inspector; where it has no room, it takes the list's."""
        self.remove_class("-no-inspector")
        self.add_class("-inspecting")
        self.inspector.focus_first()

    def action_leave(self) -> None:
        """Back towards the plain list, one thing at a time."""
        if self.has_class("-inspecting") or not isinstance(self.focused, StreamView):
            self.remove_class("-inspecting")
            self.stream.focus()
        elif self.cancel_filtering():
            pass
        elif self.searching:
            self.end_search()
        elif self.viewing.filter is not None or self.filter_bar.text:
            self.filter_bar.clear()

    def end_search(self) -> None:
        """Take the search away."""
        raise NotImplementedError

    def cancel_filtering(self) -> bool:
        """Give up a filter that is being worked out; False where there is none."""
        raise NotImplementedError

    def action_inspector(self) -> None:
        self.toggle_class("-no-inspector")
        shown = not self.has_class("-no-inspector")
        self.kspy.settings.inspector = shown
        self.kspy.keep_settings()
        if not shown:
            self.remove_class("-inspecting")
            self.stream.focus()

    def action_timeline(self) -> None:
        self.toggle_class("-no-timeline")
        self.kspy.settings.timeline = not self.has_class("-no-timeline")
        self.kspy.keep_settings()

    def action_tab(self, number: int) -> None:
        self.remove_class("-no-inspector")
        self.inspector.select_tab(number)
