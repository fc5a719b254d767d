"""Values that wait in a nameless file until it is known what they belong to: not in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, Final, Self

import msgpack

_IN_MEMORY: Final = 1 << 22


class Waiting:
    """A context manager. What is added is what msgpack knows; iterate when all are there."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115

    def add(self, values: Sequence[object]) -> None:
        msgpack.pack(values, self._file)

    def __iter__(self) -> Iterator[Sequence[Any]]:
        self._file.seek(0)
        yield from msgpack.Unpacker(self._file, max_buffer_size=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
