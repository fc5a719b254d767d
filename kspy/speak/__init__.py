"""Speak to a kernel: one way for all, over ZeroMQ or through a Jupyter server's WebSocket."""
