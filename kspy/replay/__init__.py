"""Playing recordings back.

The function `kspy.replay` has this package's name. Python binds a package in its parent when it is
first imported; so that the function stays what it is, the package can be called, and is the same.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kspy.replay.client.result import Replayed


class _Package(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Replayed:
        return _function(*arguments, **options)


from kspy import replay as _function  # noqa: E402 (before the package takes its name)

sys.modules[__name__].__class__ = _Package
