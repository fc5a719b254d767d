"""The line that is there while a recording is played back: where it is, how fast, which keys."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len
from rich.text import Text
from textual.events import Resize
from textual.widget import Widget

from kspy.replay.playback import SQUEEZED_NS, Playback
from kspy.tui.palette import Colours

_KEYS: Final = (
    ("space", ""),
    ("P", "end"),
    (", .", "step"),
    ("- +", "speed"),
    ("S", "silences"),
)
"""The first ones stay the longest when there is little room."""


class PlaybackBar(Widget):
    """Hidden until `show` is given a playback."""

    DEFAULT_CSS = """
    PlaybackBar { height: 1; background: $panel; display: none; }
    PlaybackBar.playing { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._line = Text()
        self._told: tuple[bool, int, int, float, bool] | None = None

    def show(self, playback: Playback | None, now: float = 0.0) -> None:
        """Tell how it stands at `now` (monotonic seconds); None: nothing is played back."""
        told = None
        if playback is not None:
            tenths = playback.elapsed_ns(now) // 10**8
            length = playback.length_ns
            told = (playback.playing, tenths, length, playback.speed, playback.squeezed)
        if told != self._told:
            self._told = told
            self.set_class(told is not None, "playing")
            self.refresh()

    def on_resize(self, event: Resize) -> None:
        self.refresh()

    def render(self) -> Text:
        if self._told is None:
            return Text()
        return line(*self._told, self.size.width, Colours.of(self.app))


def line(
    playing: bool,
    tenths: int,
    length_ns: int,
    speed: float,
    squeezed: bool,
    width: int,
    colours: Colours,
) -> Text:
    """`tenths`: of a second, since the start; the rest as in `Playback`."""
    length = -(-length_ns // 10**8)
    place, end = _clock(min(tenths, length)), _clock(length)
    text = Text(" ▶ " if playing else " ⏸ ", no_wrap=True, end="", style=colours.accent)
    text.append(f"{place:>{len(end)}} / {end}", colours.text)
    text.append(f"   {speed:g}x", colours.text)
    if squeezed:
        text.append(f"   silences cut to {SQUEEZED_NS / 1e9:g} s", colours.doubtful)
    for key, does in _KEYS:
        hint = f"{key} {does or ('pause' if playing else 'play')}"
        if cell_len(text.plain) + 3 + len(hint) > width:
            break
        text.append(f"   {key}", colours.accent)
        text.append(hint.removeprefix(key), colours.dim)
    return text


def _clock(tenths: int) -> str:
    """`0:12.4`, `1:02:03.0`."""
    seconds, tenth = divmod(tenths, 10)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    start = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{start}:{seconds:02}.{tenth}"
