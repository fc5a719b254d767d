"""Bytes to message and back: no I/O here, and nothing of the rest of kspy."""
