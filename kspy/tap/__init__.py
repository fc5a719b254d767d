"""Where bytes are picked up: between a kernel and its clients."""
