"""What is said to the user in passing: one clean line each, none twice at once, few at a time."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from textual.notifications import SeverityLevel

from kspy.analysis.sanitize import cut, one_line
from kspy.tui.typeahead import TypeAhead

_LONGEST: Final = 300
"""Cells of a notice."""
_MOST: Final = 3


@dataclass(frozen=True, slots=True)
class _Notice:
    text: str
    title: str
    severity: SeverityLevel
    until: float


class Notices(TypeAhead):
    """An app whose notices come through here, whichever widget gives them."""

    def __init__(self) -> None:
        super().__init__()
        self._said: deque[_Notice] = deque()
        self._crowded = False

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Say something. What it says may come from a recording, so it is never markup."""
        now = time.monotonic()
        seconds = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        notice = _Notice(cut(one_line(message), _LONGEST), title, severity, now + seconds)
        said = deque(old for old in self._said if old.until > now)
        if any((old.text, old.severity) == (notice.text, severity) for old in said):
            return
        said.append(notice)
        self._said = deque(said, _MOST)
        if self._crowded:
            return
        if len(said) <= _MOST:
            self._show(notice, seconds)
        else:
            self._crowded = True
            self.call_later(self._show_again)

    def _show_again(self) -> None:
        """Show the latest alone: Textual takes away all of them or none."""
        self._crowded = False
        self.clear_notifications()
        now = time.monotonic()
        for notice in self._said:
            if notice.until > now:
                self._show(notice, notice.until - now)

    def _show(self, notice: _Notice, seconds: float) -> None:
        super().notify(
            notice.text,
            title=notice.title,
            severity=notice.severity,
            timeout=seconds,
            markup=False,
        )
