"""What is wrong with a filter, and where."""

from __future__ import annotations

from kspy.errors import KspyError


class FilterError(KspyError):
    """`start` and `stop` are the columns of the mistake in the filter's text, from 0.

    The message is one line that says what would be right.
    """

    def __init__(self, message: str, start: int, stop: int) -> None:
        super().__init__(message)
        self.start = start
        self.stop = stop
