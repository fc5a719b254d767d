"""Tell the clients of a kernel apart, and give each a number.

A client has one routing identity on shell, control and stdin (messaging specification, "stdin":
shell and stdin must share it), and a `session` in its headers. Either makes it known; sockets
that share a session are the same client's.
"""

from __future__ import annotations

from typing import Final

SETTLE_NS: Final = 200_000_000


class Clients:
    """Numbers for clients, from 1 in the order of their first message; 0 is nobody known.

    Which connection on shell is whose, libzmq does not tell. It is certain where just one
    connection and just one client are new; where it is not, nothing is claimed.
    """

    def __init__(self) -> None:
        self._by_identity: dict[bytes, int] = {}
        self._by_session: dict[str, int] = {}
        self._by_fd: dict[int, int] = {}
        self._new_fds: list[int] = []
        self._new_clients: list[tuple[int, int]] = []
        self._count = 0

    def sender(self, identity: bytes, session: str, time_ns: int) -> tuple[int, bool]:
        """Who sends with this identity and session; and whether it was never seen before."""
        number = self._by_identity.get(identity) or self._by_session.get(session, 0)
        new = not number
        if new:
            self._count += 1
            number = self._count
            self._new_clients.append((number, time_ns))
        self._by_identity[identity] = number
        if session:
            self._by_session.setdefault(session, number)
        return number, new

    def addressed(self, identity: bytes) -> int:
        """Who has this identity."""
        return self._by_identity.get(identity, 0)

    def asked(self, session: str) -> int:
        """Who sends with this session."""
        return self._by_session.get(session, 0)

    def connected(self, fd: int) -> None:
        """A connection came on shell."""
        self._by_fd.pop(fd, None)
        self._new_fds.append(fd)

    def left(self, fd: int) -> int:
        """Who had this connection on shell, which ended; 0 where that is not certain."""
        self._match()
        if fd in self._new_fds:
            self._new_fds.remove(fd)
        return self._by_fd.pop(fd, 0)

    def settle(self, now_ns: int) -> None:
        """Call now and then: match what is new, once the news of its connection must be here."""
        if self._new_clients and now_ns - self._new_clients[-1][1] > SETTLE_NS:
            self._match()
            self._new_clients.clear()

    def _match(self) -> None:
        if len(self._new_clients) == 1 and len(self._new_fds) == 1:
            self._by_fd[self._new_fds.pop()] = self._new_clients.pop()[0]
