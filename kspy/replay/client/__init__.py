"""Playing a recording's clients: what they sent is sent to another kernel."""
