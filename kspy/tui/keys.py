"""Every key of the main screen, declared once: bindings, help page and palette come from here.

Keys follow the habits of vim, less and mitmproxy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.binding import Binding

_NAMES: Final = {
    "slash": "/", "f1": "F1", "question_mark": "?", "colon": ":", "apostrophe": "'", "comma": ",",
    "full_stop": ".", "plus": "+", "minus": "-", "equals_sign": "=",
    "right_square_bracket": "]", "left_square_bracket": "[", "right_curly_bracket": "}",
    "left_curly_bracket": "{", "right_parenthesis": ")", "left_parenthesis": "(",
    "pagedown": "page down", "pageup": "page up",
}  # fmt: skip


def shown_key(name: str) -> str:
    """A key by Textual's name, as a person calls it."""
    return _NAMES.get(name, name)


@dataclass(frozen=True, slots=True)
class Key:
    """`label` is for the footer, where there is one; `help` is a sentence for the help page."""

    keys: str
    action: str
    help: str
    label: str = ""

    @property
    def shown(self) -> str:
        """The keys as a person calls them."""
        return "  ".join(map(shown_key, self.keys.split(",")))

    @property
    def binding(self) -> Binding:
        return Binding(
            self.keys,
            self.action,
            self.label or self.help,
            show=bool(self.label),
            tooltip=self.help,
        )


GROUPS: Final[dict[str, tuple[Key, ...]]] = {
    "Moving": (
        Key("j,down", "move(1)", "The next line."),
        Key("k,up", "move(-1)", "The line before. Going up ends following."),
        Key("ctrl+f,pagedown", "page(1)", "A screen down."),
        Key("ctrl+b,pageup", "page(-1)", "A screen up."),
        Key("ctrl+d", "page(0.5)", "Half a screen down."),
        Key("ctrl+u", "page(-0.5)", "Half a screen up."),
        Key("g,home", "top", "The first line."),
        Key("G,end", "end", "The last line; where the recording grows, follow it again."),
        Key("F", "follow", "Follow what is new, or stop following."),
        Key("enter", "open", "Look at the message: to the inspector.", "open"),
        Key("tab", "focus_next", "To the next part of the screen."),
        Key("shift+tab", "focus_previous", "To the part of the screen before."),
        Key("escape", "leave", "Back to the list; in the list, take filter and search away."),
    ),
    "Jumping": (
        Key("p", "jump('parent')", "To the message's parent.", "parent"),
        Key("r", "jump('request')", "To the request that began its thread."),
        Key("R", "jump('reply')", "To the reply to its thread's request."),
        Key(
            "n",
            "next_match(1)",
            "To the next match of the search; without one, the next error.",
            "next error",
        ),
        Key("N", "next_match(-1)", "To the match or error before."),
        Key("e", "jump('error')", "To the next error."),
        Key("E", "jump('error', -1)", "To the error before."),
        Key("right_square_bracket", "jump('type')", "To the next message of the same type."),
        Key("left_square_bracket", "jump('type', -1)", "To the one of the same type before."),
        Key("right_curly_bracket", "jump('comm')", "To the next message of the same comm."),
        Key("left_curly_bracket", "jump('comm', -1)", "To the one of the same comm before."),
        Key("right_parenthesis", "jump('client')", "To the next message of the same client."),
        Key("left_parenthesis", "jump('client', -1)", "To the one of the same client before."),
        Key("colon", "go_to", "To a message number (120) or a time (+3.5s, 1min, 21:00:05)."),
        Key("H,alt+left", "back(-1)", "Back to where you were."),
        Key("L,alt+right", "back(1)", "Forward again."),
        Key("m", "bookmark", "Set a bookmark with a note here, or change it."),
        Key("apostrophe", "bookmarks", "All bookmarks."),
    ),
    "What is shown": (
        Key("slash", "filter", "Filter as you type.", "filter"),
        Key("w", "whole", "With a filter: whole threads of what matches, or matches alone."),
        Key("f", "find", "Search within what is shown: a word, or /a regular expression/."),
        Key(
            "t",
            "threads",
            "Threads or stream. What is in no thread, as heartbeats, is a line by itself.",
            "threads",
        ),
        Key("right,l", "fold(False)", "Unfold the thread."),
        Key("left,h", "fold(True)", "Fold the thread; from an answer, go to its request."),
        Key("z", "fold_all", "Fold or unfold all threads."),
        Key("T", "time_form", "Times since the start, since the line before, or of the day."),
        Key("v", "inspector", "Show or hide the inspector."),
        Key("V", "timeline", "Show or hide the timeline."),
        Key("1", "tab(1)", "Inspector: what a person wants to see of the message."),
        Key("2", "tab(2)", "Inspector: the message as a tree."),
        Key("3", "tab(3)", "Inspector: the buffers."),
        Key("4", "tab(4)", "Inspector: the raw frames and the signature."),
        Key("5", "tab(5)", "Inspector: the timing of the thread."),
    ),
    "Playback": (
        Key("space", "play", "Play the recording as it was, or pause.", "play"),
        Key("full_stop", "step(1)", "Pause, and go on by one message."),
        Key("comma", "step(-1)", "Pause, and go back by one message."),
        Key("plus,equals_sign", "speed(1)", "Faster, up to 100x."),
        Key("minus", "speed(-1)", "Slower, down to 0.1x."),
        Key("S", "squeeze", "Squeeze long silences, or not."),
        Key("P", "stop", "End the playback: show everything."),
    ),
    "Taking away": (
        Key("y", "copy", "Copy the value at the tree's cursor, or what the message says."),
        Key("Y", "copy_menu", "Copy: path, message as JSON, as a Python dict, as code."),
        Key("x", "export", "Export to a smaller recording, JSON lines, text, or a picture."),
        Key("d", "compare", "Mark this message; the second time, compare with the one marked."),
        Key("D", "compare_threads", "The same for threads."),
        Key("c", "sessions", "Compare the whole session with another recording's."),
    ),
    "kspy": (
        Key(
            "question_mark,f1",
            "app.help",
            "This page: the keys of where you are first. While you write: F1.",
            "help",
        ),
        Key("ctrl+p", "app.command_palette", "Everything by name."),
        Key("ctrl+r", "reload", "Open the file anew: after it was replaced, say."),
        Key("ctrl+t", "app.next_theme", "The next theme: dark, light, high contrast."),
        Key("q,ctrl+q", "app.quit", "Quit."),
    ),
}

BINDINGS: Final = [key.binding for group in GROUPS.values() for key in group]
