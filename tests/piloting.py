"""Tests that press keys: coroutines run as plain tests, and an app with the viewer's colours."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from textual.app import App

from kspy.tui.palette import DEFAULT_THEME, THEMES

P = ParamSpec("P")
Result = TypeVar("Result")


def piloted(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test that is a coroutine."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class Coloured(App[Result]):
    """An app with the viewer's themes, to put one widget or screen into."""

    def __init__(self, theme: str = DEFAULT_THEME) -> None:
        super().__init__()
        for known in THEMES:
            self.register_theme(known)
        self.theme = theme
