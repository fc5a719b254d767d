"""The one exception that users see: a single line saying what, where and what to do about it."""

from __future__ import annotations


class KspyError(Exception):
    """Something could not be done. `str(error)` is one line, fit to be shown to a user."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
