"""The list of messages: a line a message, as they happened or as threads."""
