"""A numpy column that grows at its end."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_FIRST: Final = 1024


class Growing:
    """Values of one type. Views taken before it grows stay what they were."""

    __slots__ = ("_length", "_room")

    def __init__(self, dtype: type[np.generic]) -> None:
        self._room: NDArray[Any] = np.empty(_FIRST, dtype)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def extend(self, values: NDArray[Any]) -> None:
        stop = self._length + len(values)
        if stop > len(self._room):
            room = np.empty(max(stop, len(self._room) + len(self._room) // 2), self._room.dtype)
            room[: self._length] = self._room[: self._length]
            self._room = room
        self._room[self._length : stop] = values
        self._length = stop

    @property
    def values(self) -> NDArray[Any]:
        """All of them, as a view; writing to it changes the column."""
        return self._room[: self._length]

    def __getitem__(self, place: int) -> int:
        if not 0 <= place < self._length:
            raise IndexError(f"no value {place} among {self._length}")
        return int(self._room[place])
