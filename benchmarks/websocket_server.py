"""A synthetic Jupyter server: `python -m benchmarks.websocket_server`, on Tornado as the real ones.

It prints its port, and lives while stdin is open. On any kernel's channels it answers a message
with a reply, or, where its content says `burst N`, with N outputs and then the reply.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Final

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from benchmarks.process import end_with_stdin
from kspy.wire.websocket import V1, pack, unpack

_HEADER: Final = {
    "msg_id": "5fb1a7a2-6a2b4ba69d335d4e9cf36e0d_4711_1",
    "session": "5fb1a7a2-6a2b4ba69d335d4e9cf36e0d",
    "username": "kernel",
    "date": "2026-11-20T21:00:00.123456Z",
    "version": "5.4",
}
_REPLY: Final = {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}
_FLUSH: Final = 256


@cache
def output(number: int) -> bytes:
    content = {"name": "stdout", "text": f"{number:08} {'x' * 60}\n"}
    header = {**_HEADER, "msg_type": "stream"}
    return pack("iopub", header, _HEADER, {}, content, (), V1)[0]


REPLY: Final = pack("shell", {**_HEADER, "msg_type": "execute_reply"}, _HEADER, {}, _REPLY, (), V1)[
    0
]


def request(code: str) -> bytes:
    header = {**_HEADER, "msg_type": "execute_request"}
    return pack("shell", header, {}, {}, {"code": code, "silent": False}, (), V1)[0]


class Channels(WebSocketHandler):
    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return V1

    async def on_message(self, message: str | bytes) -> None:
        assert isinstance(message, bytes)
        found = unpack(message, "v1")
        assert found is not None
        if b"burst " in found.parts.content:
            await self._burst(int(found.parts.content.partition(b"burst ")[2].partition(b'"')[0]))
        await self.write_message(REPLY, binary=True)

    async def _burst(self, count: int) -> None:
        try:
            for number in range(count):
                sent = self.write_message(output(number), binary=True)
                if number % _FLUSH == 0:
                    await sent
        except WebSocketClosedError:
            return


async def serve() -> None:
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(Application([(r"/api/kernels/[\w-]+/channels", Channels)]))
    server.add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    end_with_stdin()
    asyncio.run(serve())
