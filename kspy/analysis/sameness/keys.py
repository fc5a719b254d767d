"""What makes two requests equal: their type, and what they ask for. Bytes to be looked up.

Three strengths. The exact key has all of the content; the masked one leaves out what varies by
nature; the essential one has only what decides about the answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import orjson

from kspy.analysis.sameness.ids import TOKEN
from kspy.analysis.sameness.rules import MASK, Rules
from kspy.wire.message import Message

ESSENTIAL: Final[Mapping[str, tuple[str, ...]]] = {
    "execute_request": ("code", "silent"),
    "complete_request": ("code", "cursor_pos"),
    "inspect_request": ("code", "cursor_pos", "detail_level"),
    "is_complete_request": ("code",),
    "history_request": ("hist_access_type",),
    "comm_info_request": ("target_name",),
    "kernel_info_request": (),
    "connect_request": (),
    "shutdown_request": (),
    "interrupt_request": (),
    "usage_request": (),
    "list_subshell_request": (),
    "create_subshell_request": (),
}
"""The fields of a request's content that decide about its answer; all of them for other types."""


def exact_key(message: Message) -> bytes:
    """Equal where type, content and buffers are."""
    return _key(message, _canonical(message, message.content))


def masked_key(message: Message, rules: Rules) -> bytes:
    """Equal where what is left is, when all that varies by nature is left out."""
    content = message.content
    code = isinstance(content.get("code"), str)
    return _key(message, _masked(_canonical(message, content), rules, code=code))


def opening_key(message: Message, rules: Rules) -> bytes:
    """As `masked_key`; and who opens a comm may give it any id, also one that looks like a word."""
    content = message.content
    if message.msg_type != "comm_open" or not isinstance(content.get("comm_id"), str):
        return masked_key(message, rules)
    return _key(message, _masked(_canonical(message, {**content, "comm_id": MASK}), rules))


def masked_text(text: str, rules: Rules) -> str:
    """`text` without what varies by nature, ids included."""
    return rules.masked(TOKEN.sub(MASK, text))


def essential_key(message: Message) -> bytes:
    """Equal where the same was asked for, be it in another way; buffers do not count."""
    content, wanted = message.content, ESSENTIAL.get(message.msg_type)
    if wanted is None:
        return _digest(message.msg_type, _canonical(message, content))
    return _digest(
        message.msg_type,
        _canonical(message, {name: content[name] for name in wanted if name in content}),
    )


def part_key(message: Message, part: Mapping[str, Any], rules: Rules | None = None) -> bytes:
    """Equal where `part`, all that counts of the content, is; as `masked_key` where `rules` are."""
    canonical = _canonical(message, part)
    return _digest(message.msg_type, canonical if rules is None else _masked(canonical, rules))


def _masked(canonical: bytes, rules: Rules, *, code: bool = False) -> bytes:
    text = canonical.decode("utf-8", "replace")
    text = rules.masked(text, code=True) if code else masked_text(text, rules)
    return text.encode("utf-8", "replace")


def _key(message: Message, text: bytes) -> bytes:
    return _digest(message.msg_type, text, *map(bytes, message.buffers))


def _digest(msg_type: str, *pieces: bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for piece in (msg_type.encode("utf-8", "replace"), *pieces):
        digest.update(len(piece).to_bytes(8, "little"))
        digest.update(piece)
    return digest.digest()


def _canonical(message: Message, content: Mapping[str, Any]) -> bytes:
    """`content` as JSON with its keys in order; what cannot be read as such, as it is."""
    parts = message.parts
    if parts is None:
        return b"".join(message.frames[1:])
    if not message.decodes("content"):
        return parts.content
    try:
        return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return json.dumps(content, sort_keys=True, default=repr).encode("utf-8", "replace")
    except (TypeError, ValueError, RecursionError):
        return parts.content
