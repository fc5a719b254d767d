"""How far a text has come that arrives in pieces, which another run cuts elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

from kspy.wire.message import text

_LINE_ENDS: Final = "\n\r"


class Extent(NamedTuple):
    """Of two, the greater one is further.

    A line that has come is one, however long, and so is one that has not come to its end: times
    and rates in them make them longer or shorter.

    lines   that have come to their end
    rest    is there anything after the last of these?
    """

    lines: int = 0
    rest: bool = False

    def after(self, piece: str) -> Self:
        """With one more piece."""
        if not piece:
            return self
        ends = sum(map(piece.count, _LINE_ENDS))
        return self._replace(lines=self.lines + ends, rest=piece[-1] not in _LINE_ENDS)


NO_TEXT: Final = Extent()


class Texts(NamedTuple):
    """How far a request's streams have come, each by itself: how they interleave is chance.

    `others` are those of names that the specification does not have, all together.
    """

    stdout: Extent = NO_TEXT
    stderr: Extent = NO_TEXT
    others: Extent = NO_TEXT

    def after(self, content: Mapping[str, Any]) -> Self:
        """With one more piece, the content of a `stream` message."""
        piece = text(content.get("text"))
        name = content.get("name")
        if name == "stdout":
            return self._replace(stdout=self.stdout.after(piece))
        if name == "stderr":
            return self._replace(stderr=self.stderr.after(piece))
        return self._replace(others=self.others.after(piece))

    def reach(self, wanted: Texts) -> bool:
        """Has each come as far?"""
        return all(extent >= its for extent, its in zip(self, wanted, strict=True))


NO_TEXTS: Final = Texts()
