"""The command palette: everything that a key does on the main screen, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from kspy.tui.keys import GROUPS, Key

if TYPE_CHECKING:
    from kspy.tui.main_screen import MainScreen


class KeyCommands(Provider):
    """Runs the action of a key. Moving is left to the keys."""

    async def discover(self) -> Hits:
        for key in self._keys():
            yield DiscoveryHit(key.help, self._run(key), help=key.shown)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for key in self._keys():
            score = matcher.match(key.help)
            if score > 0:
                yield Hit(score, matcher.highlight(key.help), self._run(key), help=key.shown)

    def _keys(self) -> Iterator[Key]:
        for group, keys in GROUPS.items():
            if group != "Moving":
                yield from keys

    def _run(self, key: Key) -> Callable[[], object]:
        screen = cast("MainScreen", self.screen)
        return partial(screen.run_action, key.action)
