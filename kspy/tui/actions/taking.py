"""Taking something away: copies, exports, comparisons."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kspy.errors import KspyError
from kspy.recording.event import Event
from kspy.tui.actions.acting import Acting
from kspy.tui.export_screen import Choice, ExportScreen
from kspy.wire.message import Message


class Taking(Acting):
    """What is compared is marked first, then compared with."""

    _left: int | None = None
    _left_thread: int | None = None

    def selected_message(self) -> Message | None:
        place = self.place
        if place is None:
            self.say("select a message first")
            return None
        try:
            message = self.viewing.table.item(place)
        except KspyError as error:
            self.say(str(error))
            return None
        return None if isinstance(message, Event) else message

    def action_copy(self) -> None:
        self.inspector.copy_value()

    def action_copy_menu(self) -> None:
        menu = self.inspector.copy_menu()
        if menu is None:
            self.say("select a message first")
        else:
            self.app.push_screen(menu)

    # Comparing

    def action_compare(self) -> None:
        message, place = self.selected_message(), self.place
        if message is None or place is None:
            return
        if self._left is None or self._left == place:
            self._left = place
            self.say(f"message {message.seq:,} is marked; d on another one compares the two")
            return
        try:
            left = self.viewing.table.load(self._left)
        except KspyError as error:
            self.say(str(error))
            return
        self._left = None
        from kspy.tui.compare import CompareMessagesScreen

        self.app.push_screen(CompareMessagesScreen(left, message))

    def action_compare_threads(self) -> None:
        table, place = self.viewing.table, self.place
        thread = table.thread(place) if place is not None else -1
        if thread < 0:
            self.say("select a message of a thread first")
        elif self._left_thread is None or self._left_thread == thread:
            self._left_thread = thread
            self.say("this thread is marked; D on another one compares the two")
        else:
            left, self._left_thread = self._left_thread, None
            from kspy.tui.compare import CompareThreadsScreen

            self.app.push_screen(CompareThreadsScreen(table, left, thread))

    # Exporting

    def action_export(self) -> None:
        viewing, item, place = self.viewing, self.stream.item, self.place
        table = viewing.table
        choices = []
        if item is not None:
            choices.append(Choice("the selected message", np.array([item], np.int32)))
        if place is not None and table.thread(place) >= 0:
            choices.append(Choice("its thread", table.members(table.thread(place))))
        if viewing.filter is not None:
            choices.append(Choice("what the filter shows", viewing.matched))
        if self.stream.bookmarks:
            marked = np.array(sorted(self.stream.bookmarks), np.int32)
            choices.append(Choice("the messages with a bookmark", marked))
        choices.append(Choice("everything", viewing.everything))
        default = Path(self.kspy.settings.export_folder) / f"{viewing.path.stem}-part.kspy"
        self.app.push_screen(ExportScreen(table, choices, default), self._exported)

    def _exported(self, path: Path | None) -> None:
        """The next export goes to the same folder."""
        if path is not None:
            self.kspy.settings.export_folder = str(path.resolve().parent)
            self.kspy.keep_settings()
