"""A tap between clients and a Jupyter server or gateway: HTTP and WebSocket."""
