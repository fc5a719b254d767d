"""The only bytes that a tap changes: the names in a request's head.

A client says whom it talks to in `Host`, and a browser where its page came from in `Origin` and
`Referer`. It names the tap. A server on this machine does not mind the name of a tap on this
machine. One behind a virtual host, an ingress or a certificate does not know it, and one that
listens on loopback refuses all that is not loopback: they want their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from kspy.tap.gateway.upstream import Upstream, is_loopback


class Naming:
    """`rename` is for the heads of requests to `upstream`.

    `anywhere`: the tap listens elsewhere than on loopback, and clients may call it by any name.
    """

    def __init__(self, upstream: Upstream, *, anywhere: bool) -> None:
        self._upstream = upstream
        self._anywhere = anywhere

    @property
    def is_needed(self) -> bool:
        return self._anywhere or not self._upstream.is_local

    def rename(self, head: bytes, headers: Mapping[str, str]) -> bytes:
        """The head with the server's name where it had the tap's."""
        host = headers.get("Host", "")
        # A name that a strange page made its own (DNS rebinding) is passed on, to be refused.
        if not self._anywhere and not is_loopback(_host(host)):
            return head
        mine = f"http://{host}".encode("latin-1", "replace")
        theirs = self._upstream.origin.encode()

        def line_of(line: bytes) -> bytes:
            name, colon, rest = line.partition(b":")
            name = name.rstrip(b" \t").lower()
            value = rest.strip(b" \t\r")
            if name == b"host" and colon:
                new = self._upstream.netloc.encode()
            elif name in (b"origin", b"referer") and (
                value == mine or value.startswith(mine + b"/")
            ):
                new = theirs + value[len(mine) :]
            else:
                return line
            at = len(rest) - len(rest.lstrip(b" \t"))
            kept = len(line) - len(rest) + at
            return line[:kept] + new + rest[at + len(value) :]

        return b"\n".join(map(line_of, head.split(b"\n")))


def _host(value: str) -> str:
    try:
        return urlsplit(f"//{value}").hostname or ""
    except ValueError:
        return ""
