"""Keys in order: each is handled, and the focus where it put it, before the next one is given on.

Textual gives a key to what has the focus when it arrives. Of `/error`, typed or sent in one go, `e`
would still go to the list, as the filter has the focus only once `/` has been handled.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from textual import events, on
from textual.app import App
from textual.message import Message as Note

_LOST_SECONDS: Final = 1.0
"""After so long, what had the focus has ended, and its key with it."""


class TypeAhead(App[int]):
    """An app whose keys and pastes are handled one after the other."""

    class Handled(Note):
        """Follows a key through the same queues, and so comes back when that was handled."""

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[events.Key | events.Paste] = deque()
        self._handling_since: float | None = None

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._typed.append(event)
        since = self._handling_since
        if since is None or time.monotonic() - since > _LOST_SECONDS:
            await self._hand_on()

    async def _hand_on(self) -> None:
        self._handling_since = None
        if not self._typed:
            return
        target = self.focused or self.screen
        await super().on_event(self._typed.popleft())
        if target.post_message(self.Handled()):
            self._handling_since = time.monotonic()
        elif self._typed:
            self.call_later(self._hand_on)

    @on(Handled)
    def _key_handled(self, event: Handled) -> None:
        event.stop()
        self.call_later(self._hand_on)  # behind what the key has put off, as a change of focus
