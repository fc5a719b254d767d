"""How far a text has come that arrives in pieces, which another run cuts elsewhere."""

from __future__ import annotations

from typing import Final, NamedTuple, Self

_LINE_ENDS: Final = "\n\r"


class Extent(NamedTuple):
    """Of two, the greater one is further.

    A line that has come is one, however long: times and rates in it make it longer or shorter.

    lines   that have come to their end
    rest    characters after the last of these
    """

    lines: int = 0
    rest: int = 0

    def after(self, text: str) -> Self:
        """With one more piece."""
        ends = sum(map(text.count, _LINE_ENDS))
        if not ends:
            return self._replace(rest=self.rest + len(text))
        last = max(map(text.rfind, _LINE_ENDS))
        return self._replace(lines=self.lines + ends, rest=len(text) - last - 1)


NO_TEXT: Final = Extent()
