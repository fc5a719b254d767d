"""Two messages, or two threads, side by side, with what differs marked."""

from kspy.tui.compare.messages_screen import CompareMessagesScreen
from kspy.tui.compare.threads_screen import CompareThreadsScreen

__all__ = ["CompareMessagesScreen", "CompareThreadsScreen"]
