"""When a tap closes a chunk of its recording: after 100 ms, or so many messages."""

from typing import Final

CHUNK_NS: Final = 100_000_000
CHUNK_MESSAGES: Final = 256
"""The writing thread holds the interpreter for a time that grows with the chunk; meanwhile nothing
is stamped. So chunks are kept small where much is said: this many cost about 0.6 ms."""
