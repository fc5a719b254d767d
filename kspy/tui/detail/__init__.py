"""The inspector: one message, or one event, seen from all sides."""

from kspy.tui.detail.inspector import Inspector

__all__ = ["Inspector"]
