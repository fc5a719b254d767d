"""Requests that the kernel has not begun with: which was sent last by another client than this one?

Asked with each request of a recording, so it must cost little however many wait: each client has
the stack of its own, and a heap knows whose top was sent last. What is gone is left in both until
it comes to the top.
"""

from __future__ import annotations

from heapq import heappop, heappush


class Unbegun:
    """Places of requests; they are added in order."""

    def __init__(self) -> None:
        self._client_of: dict[int, int] = {}
        self._stacks: dict[int, list[int]] = {}
        self._tops: list[tuple[int, int]] = []

    def add(self, place: int, client: int) -> None:
        self._client_of[place] = client
        self._stacks.setdefault(client, []).append(place)
        heappush(self._tops, (-place, client))

    def remove(self, place: int) -> None:
        """It may be gone already."""
        client = self._client_of.get(place)
        if client is None:
            return
        before = self._top(client)
        del self._client_of[place]
        if before == place and (top := self._top(client)) is not None:
            heappush(self._tops, (-top, client))

    def last_of_another(self, client: int) -> int | None:
        own: tuple[int, int] | None = None
        found: int | None = None
        while self._tops and found is None:
            place, its = -self._tops[0][0], self._tops[0][1]
            if its != client and self._top(its) == place:
                found = place
            else:
                top = heappop(self._tops)
                own = top if its == client and self._top(its) == place else own
        if own is not None:
            heappush(self._tops, own)
        return found

    def _top(self, client: int) -> int | None:
        stack = self._stacks.get(client, [])
        while stack and stack[-1] not in self._client_of:
            stack.pop()
        return stack[-1] if stack else None
