"""Messages as kernels and clients send them: signed, with unique ids and dates."""

from __future__ import annotations

import hmac
import json
import random
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, NamedTuple

from kspy.wire.frames import DELIMITER, Channel, Direction

KEY: Final = b"a0436f6c-1916-498b-8eb9-e81ab9368e84"
_FIGURE_BYTES: Final = 12_000
_STEP_NS: Final = 150_000
_FAILS: Final = 50
_OK: Final[Mapping[str, Any]] = {"user_expressions": {}, "payload": []}
_ERROR: Final[Mapping[str, Any]] = {
    "ename": "ValueError",
    "evalue": "loss is nan",
    "traceback": [f"\x1b[0;31mline {n}\x1b[0m: model.fit(x, y)" for n in range(20)],
}


class Sender:
    """A client or a kernel: it has a session, counts its messages, and signs them."""

    def __init__(self, username: str) -> None:
        self._username = username
        self._session = uuid.uuid4().hex
        self._numbers = count(1)

    def message(
        self, msg_type: str, content: Mapping[str, Any], parent_header: bytes = b"{}"
    ) -> list[bytes]:
        """A message's frames from the delimiter on."""
        header = {
            "msg_id": f"{self._session}_{next(self._numbers)}",
            "msg_type": msg_type,
            "username": self._username,
            "session": self._session,
            "date": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "version": "5.4",
        }
        parts = [json.dumps(header).encode(), parent_header, b"{}", json.dumps(content).encode()]
        signature = hmac.digest(KEY, b"".join(parts), "sha256").hex().encode()
        return [DELIMITER, signature, *parts]


class Sample(NamedTuple):
    """A message as a tap sees it."""

    time_ns: int
    channel: Channel
    direction: Direction
    frames: list[bytes]


def conversation(messages: int) -> list[Sample]:
    """So many messages between a client and a kernel that runs cells with text, tables, figures."""
    samples: list[Sample] = []
    time_ns = time.time_ns()
    for cell in cells():
        for channel, direction, frames in cell:
            if len(samples) == messages:
                return samples
            time_ns += _STEP_NS
            samples.append(Sample(time_ns, channel, direction, frames))
    return samples


def cells() -> Iterator[list[tuple[Channel, Direction, list[bytes]]]]:
    """What passes for each cell that is run, without end: always the same but for the ids.

    `x_` and the cell's number, from 1, stand in its code; every 50th fails.
    """
    chance = random.Random(1)
    client, kernel = Sender("user"), Sender("kernel")
    identity = uuid.uuid4().hex.encode()
    topic = b"kernel." + str(uuid.uuid4()).encode() + b"."
    for number in count(1):
        code = f"model.fit(x_{number}, y_{number}, epochs={chance.randrange(50)})\nmodel.plot()"
        asked = client.message("execute_request", _request(code))
        header = asked[2]
        published: list[tuple[str, Mapping[str, Any]]] = [
            ("status", {"execution_state": "busy"}),
            ("execute_input", {"code": code, "execution_count": number}),
            *(("stream", _lines(chance)) for _ in range(chance.randrange(1, 8))),
        ]
        if number % 5 == 0:
            published.append(("display_data", _display("text/html", _table(chance))))
        if number % 20 == 0:
            figure = chance.randbytes(_FIGURE_BYTES).hex()
            published.append(("display_data", _display("image/png", figure)))
        failed = number % _FAILS == 0
        if failed:
            published.append(("error", _ERROR))
        published.append(("status", {"execution_state": "idle"}))
        outputs = [
            [topic + kind.encode(), *kernel.message(kind, content, header)]
            for kind, content in published
        ]
        said = {"status": "error", **_ERROR} if failed else {"status": "ok", **_OK}
        reply = {"execution_count": number, **said}
        answer = [identity, *kernel.message("execute_reply", reply, header)]
        yield [
            ("shell", "to_kernel", [identity, *asked]),
            *(("iopub", "to_client", frames) for frames in outputs),
            ("shell", "to_client", answer),
        ]


def _request(code: str) -> Mapping[str, Any]:
    options = {"silent": False, "store_history": True, "allow_stdin": True, "stop_on_error": True}
    return {"code": code, "user_expressions": {}, **options}


def _lines(chance: random.Random) -> Mapping[str, Any]:
    epoch, loss = chance.randrange(100), chance.random()
    text = f"epoch {epoch:3d}/100  loss {loss:.6f}  accuracy {1 - loss:.6f}\n"
    return {"name": "stdout", "text": text * chance.randrange(1, 4)}


def _display(mime: str, data: str) -> Mapping[str, Any]:
    return {"data": {mime: data, "text/plain": "<output>"}, "metadata": {}, "transient": {}}


def _table(chance: random.Random) -> str:
    rows = (
        f"<tr><th>{n}</th><td>{chance.random():.6f}</td><td>{chance.gauss(0, 9):.6f}</td></tr>\n"
        for n in range(60)
    )
    return f'<table border="1" class="dataframe">\n{"".join(rows)}</table>'
