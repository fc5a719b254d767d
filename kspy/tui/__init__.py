"""The viewer: a Textual app over a recording, finished or growing."""
