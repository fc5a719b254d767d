"""What a served kernel says of its own: to requests that nobody recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from kspy.analysis.sameness.keys import ESSENTIAL
from kspy.analysis.sanitize import cut, one_line
from kspy.replay.serving.book import Book
from kspy.replay.serving.request import Request
from kspy.wire.message import Message, text

NOT_RECORDED: Final = "NotRecorded"
_WIDTH: Final = 120
_LOOKED_AT: Final = 10_000


def gist(message: Message) -> str:
    """What is asked for: the code, or else all of the content."""
    code = message.content.get("code")
    if isinstance(code, str):
        return code[:_LOOKED_AT]
    try:
        return json.dumps(message.content, sort_keys=True, default=repr)[:_LOOKED_AT]
    except (TypeError, ValueError, RecursionError):
        return repr(message.content)[:_LOOKED_AT]


def not_recorded(book: Book, request: Request, name: str) -> str:
    """One line: that it was never recorded, and the nearest that was. `name`: the recording's."""
    asked = cut(one_line(request.msg_type or "message without a type"), _WIDTH)
    nearest = book.nearest(request.msg_type, gist(request.message), gist)
    if nearest is None:
        return f"{name} has no such {asked}"
    lines = gist(nearest).strip().splitlines() or [""]
    first = cut(one_line(lines[0]), _WIDTH)
    other = _other(request.message, nearest)
    return f"{name} has no such {asked}; the nearest is message {nearest.seq}{other}: {first}"


def _other(asked: Message, nearest: Message) -> str:
    """What is not the same where the code is."""
    wanted = ESSENTIAL.get(asked.msg_type, ())
    other = [name for name in wanted if asked.content.get(name) != nearest.content.get(name)]
    return f", with another {' and '.join(other)}" if other and "code" not in other else ""


def failure(evalue: str, ename: str = NOT_RECORDED) -> dict[str, Any]:
    """Content of an `error`, and part of that of a reply."""
    return {"ename": ename, "evalue": evalue, "traceback": [f"{ename}: {evalue}"]}


def error_reply(request: Request, evalue: str, count: int) -> dict[str, Any]:
    """Content of the reply to what was never recorded."""
    content = {"status": "error", **failure(evalue)}
    if request.msg_type == "execute_request":
        content |= {"execution_count": count, "user_expressions": {}, "payload": []}
    if request.msg_type == "debug_request":
        asked = request.content
        content |= {
            "type": "response",
            "request_seq": asked.get("seq"),
            "command": asked.get("command"),
            "success": False,
            "message": evalue,
        }
    return content


def reply_type(msg_type: str) -> str:
    """The type of the reply to requests of a type; "" for what has no reply."""
    asks = msg_type.endswith("_request")
    return f"{msg_type.removesuffix('_request')}_reply" if asks else ""


def kernel_info(book: Book, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Content of a `kernel_info_reply`: a recorded one, or what the recording's header tells."""
    for place in book.replies("kernel_info_reply"):
        reply = book.load(place)
        if reply is not None and reply.content:
            return reply.content
    kernel = metadata.get("kernel")
    kernel = kernel if isinstance(kernel, dict) else {}
    language = text(kernel.get("language")) or "text"
    return {
        "status": "ok",
        "protocol_version": "5.4",
        "implementation": "kspy",
        "implementation_version": "",
        "language_info": {
            "name": language,
            "version": "",
            "mimetype": "text/plain",
            "file_extension": ".txt",
        },
        "banner": f"{text(kernel.get('display_name')) or 'A kernel'}, as it was recorded",
        "help_links": [],
    }
