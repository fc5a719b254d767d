"""The only bytes that a tap changes: the names in a request's head, for a server elsewhere.

A client says whom it talks to in `Host`, and a browser where its page came from in `Origin` and
`Referer`. It names the tap. A server on this machine does not mind; one behind a virtual host, an
ingress or a certificate does not know that name, and wants its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from kspy.tap.gateway.upstream import Upstream, is_loopback

_NAMES: Final = re.compile(
    rb"^(host|origin|referer)([ \t]*:[ \t]*)([^\r\n]*?)(?=[ \t]*\r?$)", re.IGNORECASE | re.MULTILINE
)


class Naming:
    """`rename` is for the heads of requests; `anywhere`: clients may call the tap by any name."""

    def __init__(self, upstream: Upstream, *, anywhere: bool) -> None:
        self._upstream = upstream
        self._anywhere = anywhere

    def rename(self, head: bytes, headers: Mapping[str, str]) -> bytes:
        """The head with the server's name where it had the tap's."""
        host = headers.get("Host", "")
        # A name that a strange page made its own (DNS rebinding) is passed on, to be refused.
        if not self._anywhere and not is_loopback(_host(host)):
            return head
        mine = f"http://{host}".encode("latin-1", "replace")
        theirs = self._upstream.origin.encode()

        def replace(match: re.Match[bytes]) -> bytes:
            name, colon, value = match.groups()
            if name.lower() == b"host":
                value = self._upstream.netloc.encode()
            elif value == mine or value.startswith(mine + b"/"):
                value = theirs + value[len(mine) :]
            return bytes(name + colon + value)

        return _NAMES.sub(replace, head)


def _host(value: str) -> str:
    try:
        return urlsplit(f"//{value}").hostname or ""
    except ValueError:
        return ""
