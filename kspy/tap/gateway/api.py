"""What a request to a Jupyter server is about, as far as it concerns a kernel.

Rule: Jupyter Server's REST API, `/api/kernels` and `/api/sessions`, which the gateways share. They
are known by how a path ends, so that any base path will do. Pure.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

import orjson

from kspy.tap.gateway.exchange import Request
from kspy.tap.gateway.framing import Sink

_ID: Final = r"([\w-]{1,64})"
_CHANNELS: Final = re.compile(rf".*/api/kernels/{_ID}/channels")
_KERNEL: Final = re.compile(rf".*/api/kernels/{_ID}(?:/(restart|interrupt))?")
_SESSION: Final = re.compile(rf".*/api/sessions/{_ID}")
_MODELS: Final = re.compile(rf".*/api/(?:kernels|sessions)(?:/{_ID})?")
_EVENTS: Final = {
    ("POST", "restart"): "kernel_restarted",
    ("POST", "interrupt"): "kernel_interrupted",
    ("DELETE", None): "kernel_shut_down",
}
_MODEL_BYTES: Final = 4 << 20
_REMEMBERED: Final = 10_000
_NAME: Final = 200


class WebSocketRequest(NamedTuple):
    """A client wants to speak with a kernel; `session` tells a client that comes again."""

    kernel_id: str
    session: str


def web_socket_request(request: Request) -> WebSocketRequest | None:
    """The kernel whose channels a request is for."""
    path, query = _split(request)
    match = _CHANNELS.fullmatch(path)
    if not match or request.upgrade != "websocket":
        return None
    return WebSocketRequest(match[1], parse_qs(query).get("session_id", [""])[0])


class Kernels:
    """What kernels are called, and which session has which, learnt from what passes."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._sessions: dict[str, str] = {}

    def name(self, kernel_id: str) -> str:
        """Its kernelspec's name, "" where none was seen."""
        return self._names.get(kernel_id, "")

    def event(self, request: Request) -> tuple[str, str] | None:
        """The kernel that a successful request did something to, and the event's name."""
        path, _ = _split(request)
        if match := _KERNEL.fullmatch(path):
            event = _EVENTS.get((request.method, match[2]))
            return (match[1], event) if event else None
        if request.method == "DELETE" and (match := _SESSION.fullmatch(path)):
            kernel_id = self._sessions.pop(match[1], None)
            return (kernel_id, "kernel_shut_down") if kernel_id else None
        return None

    def reader(self, request: Request, headers: Mapping[str, str]) -> ModelReader | None:
        """What reads the answer to `request`, if kernels are described in it."""
        coding = headers.get("Content-Encoding", "identity").lower()
        json = headers.get("Content-Type", "").startswith("application/json")
        known = coding in ("identity", "gzip", "deflate")
        if not json or not known or not _MODELS.fullmatch(_split(request)[0]):
            return None
        return ModelReader(self._learn, compressed=coding != "identity")

    def _learn(self, models: Any) -> None:
        for model in models if isinstance(models, list) else [models]:
            if not isinstance(model, dict):
                continue
            kernel = model.get("kernel")
            if isinstance(kernel, dict):
                _remember(self._sessions, model.get("id"), kernel.get("id"))
                model = kernel
            _remember(self._names, model.get("id"), model.get("name"))


class ModelReader:
    """Collects an answer's body, and hands on what it says once it is there."""

    def __init__(self, learn: Callable[[Any], None], *, compressed: bool) -> None:
        self._learn = learn
        self._pieces: list[bytes] = []
        self._size = 0
        self._compressed = compressed

    @property
    def sink(self) -> Sink:
        return self._take

    def _take(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= _MODEL_BYTES:
            self._pieces.append(data)

    def complete(self) -> None:
        if self._size > _MODEL_BYTES:
            return
        data = b"".join(self._pieces)
        try:
            if self._compressed:
                data = zlib.decompressobj(wbits=47).decompress(data, _MODEL_BYTES)
            self._learn(orjson.loads(data))
        except (zlib.error, orjson.JSONDecodeError):
            return  # it names no kernel, that is all


def _split(request: Request) -> tuple[str, str]:
    try:
        parts = urlsplit(request.target)
    except ValueError:
        return "", ""
    return parts.path, parts.query


def _remember(known: dict[str, str], key: object, value: object) -> None:
    if isinstance(key, str) and isinstance(value, str) and len(value) <= _NAME:
        if len(known) >= _REMEMBERED:
            del known[next(iter(known))]
        known[key] = value
