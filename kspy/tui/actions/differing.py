"""Comparing the recording with another one: whole sessions, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kspy.errors import KspyError
from kspy.tui.actions.moving import Moving
from kspy.tui.desk import Job

if TYPE_CHECKING:  # who does not compare need not wait for it when the viewer starts
    from kspy.analysis.sameness.rules import Rules
    from kspy.tui.compare.two_sessions import TwoSessions


class Differing(Moving):
    """The comparison goes on while something else is looked at."""

    sessions: TwoSessions | None = None
    _comparing: Job | None = None

    def compare_with(self, path: Path, rules: Rules | None = None) -> None:
        """Begin to compare with another recording, by the usual rules if no others are given.

        Raises `KspyError` where it cannot be read.
        """
        from kspy.analysis.sameness.rules import Rules
        from kspy.tui.compare.two_sessions import TwoSessions

        viewing = self.viewing
        sessions = TwoSessions(viewing.table, path, rules or Rules.usual())
        if self._comparing is not None:
            self._comparing.cancel()
        self.close_sessions()
        self.sessions = sessions

        def failed(error: Exception) -> None:
            sessions.error = error

        self._comparing = self.desk.run(sessions.run(lambda: viewing.complete), on_error=failed)

    def action_sessions(self) -> None:
        """To the comparison; where there is none yet, ask with what."""
        if self.sessions is None:
            self.prompt.ask("compare with", "another recording", self._compare_with_named)
        else:
            from kspy.tui.compare.sessions_screen import SessionsScreen

            self.app.push_screen(SessionsScreen(self.sessions, self.viewing.path.name), self._back)

    def _compare_with_named(self, text: str) -> str:
        if not text.strip():
            return ""
        try:
            self.compare_with(Path(text.strip()).expanduser())
        except KspyError as error:
            return str(error)
        self.action_sessions()
        return ""

    def _back(self, item: int | None) -> None:
        if item is not None:
            self.jump_to(item, "that request")

    def close_sessions(self) -> None:
        if self.sessions is not None:
            self.sessions.close()
