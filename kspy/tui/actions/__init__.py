"""What the keys of the main screen do, a capability a file."""
