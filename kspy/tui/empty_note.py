"""What stands where there is no line: why, and which key or command would bring one; and how
to connect, until somebody has."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.text import Text
from textual.widgets import Static

from kspy.analysis.sanitize import one_line
from kspy.tui.viewing import Viewing


class EmptyNote(Static):
    """Shown over the list while it is empty."""

    DEFAULT_CSS = """
    EmptyNote { display: none; height: auto; padding: 1 2; color: $dimmed; }
    EmptyNote.-shown { display: block; }
    EmptyNote.-below { background: $panel; color: $accent; padding: 0 2; }
    """

    def __init__(self, viewing: Viewing, connection_file: Path | None) -> None:
        super().__init__("", id="empty")
        self._viewing = viewing
        self._connection_file = connection_file

    def update_note(self) -> None:
        empty = not len(self._viewing.lines)
        connect = self._connect()
        self.set_class(empty or bool(connect), "-shown")
        self.set_class(not empty, "-below")
        if empty:
            self.update(Text(self._why() + (f"\n\n{connect}" if connect else "")))
        elif connect:
            self.update(Text(connect))

    def _connect(self) -> str:
        """How to connect a client, while none has said anything."""
        if self._connection_file is None or self._viewing.asked or self._viewing.state != "growing":
            return ""
        path = shlex.quote(one_line(str(self._connection_file)))
        return f"Connect a client:  jupyter console --existing {path}"

    def _why(self) -> str:
        viewing = self._viewing
        if len(viewing.everything) and viewing.limit is not None:
            return "Nothing was said yet at this moment of the recording. space plays on."
        if len(viewing.everything):
            return "Nothing matches this filter. escape takes it away, / changes it."
        if not viewing.complete:
            return "Reading…"
        if viewing.state != "growing":
            return "This recording has no messages."
        return "No message yet; they appear here as they come."
