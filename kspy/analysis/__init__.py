"""What the messages of a recording mean."""
