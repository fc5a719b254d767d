"""What a person wants to see of a message, by its type: code as code, output as output.

Pure: a message in, rich renderables out. Nothing of what a message holds is taken for markup,
links or escape sequences. Types: messaging specification, "Messages on the shell channel" and on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from pygments.lexers import find_lexer_class_by_name
from pygments.util import ClassNotFound
from rich.console import RenderableType
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.text import Text

from kspy.analysis import units
from kspy.analysis.sanitize import one_line
from kspy.analysis.summary import summarize
from kspy.export.json_lines import dumps
from kspy.recording.event import EVENTS, Event
from kspy.tui.detail.block_text import block, clean, updates
from kspy.tui.detail.pictures import picture
from kspy.wire.message import DECODE_LIMIT, Message

Renderables = Iterator[RenderableType]

HEAD: Final = 2_000
"""Bytes that are shown of what is not decoded."""
_SOURCES: Final = {
    "text/html": "html",
    "image/svg+xml": "xml",
    "text/latex": "latex",
    "application/javascript": "javascript",
}
_RULE: Final = re.compile("-{40,}")
_USUAL: Final = {
    "silent": False,
    "store_history": True,
    "user_expressions": {},
    "allow_stdin": True,
    "stop_on_error": True,
}
_UNREADABLE: Final = {
    "malformed": "These frames are not those of a Jupyter message; the tab Frames has them.",
    "undecodable": "A part of it is neither a JSON nor a msgpack object; the tab Frames has it.",
    "truncated": "The file has lost some of its bytes.",
    "no_channel": "It names no channel that there is; servers take it for shell, or drop it.",
    "oversized": "It is too large to be decoded; the tab Frames has its beginning.",
    "bad_signature": "Its signature is wrong: it was not made with this connection's key.",
}


@dataclass(frozen=True, slots=True)
class Look:
    """How it may look. `width` in cells; `background` is that of images with holes."""

    width: int = 60
    language: str = "python"
    dark: bool = True
    colours: bool = True
    background: tuple[int, int, int] = (20, 22, 29)

    @property
    def theme(self) -> str:
        """Of pygments' styles one that keeps red for errors."""
        return "nord" if self.dark else "friendly"

    @property
    def behind(self) -> str:
        return "#{:02x}{:02x}{:02x}".format(*self.background)


def render(item: Message | Event, look: Look) -> Renderables:
    """The parts of an item, to be shown beneath each other."""
    if isinstance(item, Event):
        yield from _event(item)
        return
    for flag in item.flags:
        if flag in _UNREADABLE:
            yield Text(f"[{flag}] {_UNREADABLE[flag]}", "bold")
    if item.channel == "hb" or item.parts is None or item.size > DECODE_LIMIT:
        yield Text(summarize(item))
        return
    if not item.content and "undecodable" in item.flags:
        yield Text(summarize(item))
        yield block(item.parts.content[:HEAD].decode(errors="backslashreplace"), colours=False)
        return
    yield from _RENDERERS.get(item.msg_type, _anything)(item, look)
    if item.buffer_sizes:
        sizes = ", ".join(units.size(size) for size in item.buffer_sizes[:8])
        yield Text(f"\n{units.plural(len(item.buffer_sizes), 'buffer')}: {sizes}", "dim")


def known_language(language_info: Mapping[str, object]) -> str:
    """pygments' name of a kernel's language; "text" where it knows none.

    `language_info` is that of a `kernel_info_reply`. Its `pygments_lexer` need not be installed
    here, as `ipython3` of most Python kernels.
    """
    for key in ("pygments_lexer", "name"):
        name = language_info.get(key)
        if isinstance(name, str) and name:
            with suppress(ClassNotFound):
                find_lexer_class_by_name(name)
                return name
    return "text"


def _event(event: Event) -> Renderables:
    yield Text(EVENTS.get(event.name, "an event that this version does not know"), "dim")
    for key, value in event.data.items():
        yield Text(f"{one_line(str(key))}: ", "dim").append(clean(str(value)), "not dim")


def _heading(text: str) -> Text:
    return Text(one_line(text), "dim underline")


def _code(code: object, look: Look, language: str = "", *, numbers: bool = True) -> RenderableType:
    text = clean(code) if isinstance(code, str) else _pretty(code)
    return Syntax(
        text,
        language or look.language,
        theme=look.theme,
        background_color=look.behind,
        line_numbers=numbers and "\n" in text,
        word_wrap=True,
    )


def _pretty(value: object) -> str:
    try:
        return clean(json.dumps(json.loads(dumps(value)), indent=2, ensure_ascii=False))
    except RecursionError:
        return "nested too deep to be shown; the tab Frames has it"


def _json(value: object, look: Look) -> RenderableType:
    return _code(_pretty(value), look, "json", numbers=False)


def _request(message: Message, look: Look) -> Renderables:
    content = message.content
    yield _code(content.get("code", ""), look)
    unusual = {
        key: value
        for key, value in content.items()
        if key not in ("code", "execution_count") and _USUAL.get(key, ...) != value
    }
    if unusual:
        yield Text()
        yield _json(unusual, look)


def _stream(message: Message, look: Look) -> Renderables:
    content = message.content
    text = _text(content.get("text"))
    notes = [] if content.get("name") == "stdout" else [_text(content.get("name")) or "no name"]
    written_over = updates(text)
    if written_over:
        notes.append(f"lines written over {units.plural(written_over, 'time')}, the last is shown")
    if notes:
        yield _heading(", ".join(notes))
    yield block(text, colours=look.colours)


def _error(message: Message, look: Look) -> Renderables:
    content = message.content
    traceback = content.get("traceback")
    if isinstance(traceback, list) and traceback:
        # IPython draws a rule of 75 dashes, which would be wrapped.
        text = _RULE.sub(lambda rule: rule[0][: look.width], "\n".join(map(_text, traceback)))
        yield block(text, colours=look.colours)
    else:
        line = f"{_text(content.get('ename'))}: {_text(content.get('evalue'))}"
        yield block(line, colours=look.colours)


def _reply(message: Message, look: Look) -> Renderables:
    content = message.content
    status = _text(content.get("status")) or "no status"
    count = content.get("execution_count")
    yield Text(status + (f"   [{count}]" if isinstance(count, int) else ""), "bold")
    if status == "error":
        yield from _error(message, look)
    rest = {
        key: value
        for key, value in content.items()
        if key not in ("status", "execution_count", "traceback", "ename", "evalue") and value
    }
    if rest:
        yield Text()
        yield _json(rest, look)


def _display(message: Message, look: Look) -> Renderables:
    content = message.content
    yield from _bundle(content.get("data"), look)
    rest = {key: content[key] for key in ("metadata", "transient") if content.get(key)}
    if rest:
        yield Text()
        yield _json(rest, look)


def _inspect(message: Message, look: Look) -> Renderables:
    if not message.content.get("found"):
        yield Text("nothing found", "dim")
    yield from _bundle(message.content.get("data"), look)


def _bundle(data: object, look: Look) -> Renderables:
    """A mime bundle: what is richest first, as frontends choose."""
    if not isinstance(data, Mapping):
        yield _json(data, look)
        return
    for mime in sorted(data, key=lambda mime: (mime == "text/plain", str(mime))):
        value = data[mime]
        if isinstance(value, list):  # lines, as notebooks on disk have them
            value = "".join(map(_text, value))
        yield from _mime(str(mime), value, look)
        yield Text()


def _mime(mime: str, value: object, look: Look) -> Renderables:
    size = units.size(len(value.encode(errors="replace"))) if isinstance(value, str) else ""
    if mime.startswith("image/") and mime not in _SOURCES and isinstance(value, str):
        found = picture(value, look.width, look.background)
        yield _heading(f"{mime}  {found.note}  {units.size(len(value) * 3 // 4)}")
        if found.drawn is not None and look.colours:
            yield found.drawn
        return
    yield _heading(f"{mime}  {size}")
    if mime == "text/markdown" and isinstance(value, str):
        yield Markdown(clean(value), hyperlinks=False, code_theme=look.theme)
    elif mime in _SOURCES:
        yield _code(value, look, _SOURCES[mime], numbers=False)
    elif isinstance(value, str) and not mime.endswith("json"):
        yield block(value, colours=look.colours)
    else:
        yield _json(value, look)


def _status(message: Message, look: Look) -> Renderables:
    yield Text(one_line(_text(message.content.get("execution_state")) or "no state"), "bold")


def _kernel_info(message: Message, look: Look) -> Renderables:
    content = message.content
    yield block(_text(content.get("banner")), colours=look.colours)
    yield Text()
    yield _json({key: value for key, value in content.items() if key != "banner"}, look)


def _completions(message: Message, look: Look) -> Renderables:
    matches = content if isinstance(content := message.content.get("matches"), list) else []
    yield _heading(units.plural(len(matches), "match"))
    yield block("\n".join(map(_text, matches)), colours=False)
    metadata = message.content.get("metadata")
    if metadata:
        yield Text()
        yield _json(metadata, look)


def _asked(message: Message, look: Look) -> Renderables:
    content = message.content
    key = "prompt" if "prompt" in content else "value"
    if content.get("password"):
        yield _heading("a password is asked for: what is answered is in this recording")
    yield block(_text(content.get(key)), colours=look.colours)


def _cursor(message: Message, look: Look) -> Renderables:
    yield _code(message.content.get("code", ""), look)
    yield Text()
    yield _json({key: v for key, v in message.content.items() if key != "code"}, look)


def _anything(message: Message, look: Look) -> Renderables:
    if message.content:
        yield _json(message.content, look)
    else:
        yield Text("Its content is empty.", "dim")


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


_RENDERERS: Final[Mapping[str, Callable[[Message, Look], Renderables]]] = {
    "execute_request": _request,
    "execute_input": _request,
    "execute_reply": _reply,
    "stream": _stream,
    "error": _error,
    "pyerr": _error,
    "display_data": _display,
    "execute_result": _display,
    "update_display_data": _display,
    "inspect_reply": _inspect,
    "inspect_request": _cursor,
    "complete_request": _cursor,
    "is_complete_request": _cursor,
    "complete_reply": _completions,
    "status": _status,
    "kernel_info_reply": _kernel_info,
    "input_request": _asked,
    "input_reply": _asked,
}
