"""The viewer's colours: three themes, and their colours as styles for widgets that draw lines.

One colour a channel, used wherever the channel appears and for nothing else; red is for errors
alone, yellow for what waits or is doubtful. Text says everything without them: with `NO_COLOR`
set, Textual turns all of it grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from rich.color import Color
from rich.style import Style
from textual.theme import Theme

from kspy.wire.frames import CHANNELS, Channel

if TYPE_CHECKING:
    from textual.app import App

_DARK: Final = Theme(
    name="kspy-dark",
    primary="#7aa2f7",
    secondary="#9aa5ce",
    accent="#7aa2f7",
    foreground="#d5d9e5",
    background="#14161d",
    surface="#14161d",
    panel="#1f2330",
    success="#9ece6a",
    warning="#e0af68",
    error="#ff6b7f",
    dark=True,
    variables={
        "channel-shell": "#62d6e8",
        "channel-iopub": "#8fd18a",
        "channel-stdin": "#d4a1f5",
        "channel-control": "#82a8ff",
        "channel-hb": "#8b90a3",
        "doubtful": "#e5c07b",
        "dimmed": "#868ca1",
        "line-cursor": "#2c3350",
        "line-match": "#5a4a1e",
        "block-cursor-text-style": "none",
        "footer-key-foreground": "#7aa2f7",
        "input-selection-background": "#7aa2f7 35%",
    },
)

_LIGHT: Final = Theme(
    name="kspy-light",
    primary="#2f5fd0",
    secondary="#5a6072",
    accent="#2f5fd0",
    foreground="#22252e",
    background="#fbfbfd",
    surface="#fbfbfd",
    panel="#eceef4",
    success="#2f7d32",
    warning="#8a5a00",
    error="#c4152f",
    dark=False,
    variables={
        "channel-shell": "#00707f",
        "channel-iopub": "#2c7a2e",
        "channel-stdin": "#8632b4",
        "channel-control": "#2a52be",
        "channel-hb": "#666b7a",
        "doubtful": "#8a5a00",
        "dimmed": "#666b7a",
        "line-cursor": "#d5def7",
        "line-match": "#ffe69a",
        "block-cursor-text-style": "none",
        "footer-key-foreground": "#2f5fd0",
        "input-selection-background": "#2f5fd0 25%",
    },
)

_CONTRAST: Final = Theme(
    name="kspy-contrast",
    primary="#ffffff",
    secondary="#ffffff",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    success="#00ff66",
    warning="#ffff00",
    error="#ff5c5c",
    dark=True,
    variables={
        "channel-shell": "#00ffff",
        "channel-iopub": "#5cff5c",
        "channel-stdin": "#ff9cff",
        "channel-control": "#9cc4ff",
        "channel-hb": "#d0d0d0",
        "doubtful": "#ffff00",
        "dimmed": "#c8c8c8",
        "line-cursor": "#00408a",
        "line-match": "#6b5500",
        "block-cursor-text-style": "bold",
        "footer-key-foreground": "#ffff00",
        "input-selection-background": "#00408a",
    },
)

THEMES: Final = (_DARK, _LIGHT, _CONTRAST)
THEME_NAMES: Final = tuple(theme.name for theme in THEMES)
DEFAULT_THEME: Final = _DARK.name


@dataclass(frozen=True, slots=True)
class Colours:
    """Styles for `render_line`, those of the app's present theme."""

    text: Style
    dim: Style
    error: Style
    doubtful: Style
    accent: Style
    cursor: Style
    match: Style
    background: Style
    channels: dict[Channel, Style]

    def channel(self, name: Channel) -> Style:
        return self.channels[name]

    @classmethod
    def of(cls, app: App[object]) -> Self:
        """The colours of `app` as it looks now; ask again when its theme changes."""
        variables = app.theme_variables

        def fore(name: str) -> Style:
            return Style(color=Color.parse(_hex(variables[name])))

        def back(name: str) -> Style:
            return Style(bgcolor=Color.parse(_hex(variables[name])))

        return cls(
            text=fore("foreground"),
            dim=fore("dimmed"),
            error=fore("error"),
            doubtful=fore("doubtful"),
            accent=fore("accent"),
            cursor=back("line-cursor"),
            match=back("line-match"),
            background=back("background"),
            channels={name: fore(f"channel-{name}") for name in CHANNELS},
        )


def _hex(colour: str) -> str:
    return colour[:7]
