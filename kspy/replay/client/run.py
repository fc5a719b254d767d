"""One run of a replay: from starting the kernel to its end, with a recording of the new session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kspy.analysis.table import Table
from kspy.replay.client.pacing import Pace
from kspy.replay.client.player import Player
from kspy.replay.client.script import Script
from kspy.replay.client.story import Story
from kspy.speak.compose import new_session
from kspy.speak.connect import Target, close, host_of, log_of
from kspy.speak.whole import whole


@dataclass
class Watcher:
    """Who looks on, and may end it: `step` is told how many items of the script are done."""

    step: Callable[[int], None] = lambda _: None
    player: Player | None = None

    def stop(self) -> bool:
        """Send nothing more; what came so far stays recorded. False: it has not begun."""
        if self.player is None or not self.player.began:
            return False
        self.player.stop()
        return True


async def run(table: Table, script: Script, target: Target, pace: Pace, watcher: Watcher) -> Story:
    """Play `script` to the kernel of `target`, and record that to its `record`.

    Raises `KspyError` where there is no such kernel, or it cannot be reached.
    """
    session = new_session()
    host = host_of(target, session)
    try:
        name, spec = await host.describe()
        with log_of(target, session, name, spec) as log:
            player = Player(table, script, host, log, pace, watcher.step)
            watcher.player = player
            try:
                return await player.play()
            finally:
                await whole(player.close())
                if host.owned and player.alive:
                    log.event("kernel_shut_down")
                await whole(close(host, target), patient=False)
    finally:
        await whole(close(host, target), patient=False)
