"""Playing a recording back: what was there at each moment is shown, and nothing more."""

from __future__ import annotations

import time

import numpy as np

from kspy.replay.playback import Playback
from kspy.tui.actions.acting import Acting


class Playing(Acting):
    """The clock is in `playback`; while there is one, `viewing.moment` follows it."""

    playback: Playback | None = None

    def action_play(self) -> None:
        playback = self._begin()
        if playback is None:
            return
        playback.toggle(time.monotonic())
        self.stream.following = playback.playing
        self.tick_playback()

    def action_step(self, by: int) -> None:
        playback = self._begin()
        if playback is not None:
            playback.step(by, time.monotonic())
            self.stream.following = True
            self.tick_playback()

    def action_speed(self, step: int) -> None:
        playback = self._begin()
        if playback is not None:
            now = time.monotonic()
            (playback.faster if step > 0 else playback.slower)(now)
            self.tick_playback()

    def action_squeeze(self) -> None:
        playback = self._begin()
        if playback is not None:
            playback.squeeze(not playback.squeezed, time.monotonic())
            self.kspy.settings.squeeze = playback.squeezed
            self.kspy.keep_settings()
            self.tick_playback()

    def action_stop(self) -> None:
        """End the playback: everything is there again."""
        if self.playback is None:
            self.say("nothing is being played back (space plays)")
            return
        self.playback = None
        self.playback_bar.show(None)
        self.timeline.playhead_ns = None
        self.viewing.go_to_moment(None)
        self.rearrange(self.stream.item)

    def seek(self, time_ns: int) -> None:
        """While playing back, go to a time."""
        if self.playback is not None:
            self.playback.seek_time(time_ns, time.monotonic())
            self.tick_playback()

    def _begin(self) -> Playback | None:
        """The playback, begun where the cursor is."""
        viewing = self.viewing
        if self.playback is not None:
            return self.playback
        if not len(viewing.everything):
            self.say("there is nothing to play back yet")
            return None
        if viewing.state == "growing" and not viewing.complete:
            self.say("the recording is still being read")
            return None
        playback = Playback(
            viewing.table.item_times(viewing.everything), squeezed=self.kspy.settings.squeeze
        )
        item = self.stream.item
        if item is not None and self.stream.cursor < len(viewing.lines) - 1:
            (places,) = np.nonzero(viewing.everything == item)
            playback.seek_place(int(places[0]), time.monotonic())
        self.playback = playback
        return playback

    def tick_playback(self) -> None:
        """Show the moment that the clock is at."""
        playback = self.playback
        if playback is None:
            return
        now = time.monotonic()
        viewing = self.viewing
        new = viewing.everything[len(playback) :]
        if len(new):
            playback.extend(viewing.table.item_times(new))
        position = playback.position(now)
        self.playback_bar.show(playback, now)
        self.timeline.playhead_ns = position.time_ns
        if position.count != viewing.moment:
            viewing.go_to_moment(position.count)
            self.rearrange()
