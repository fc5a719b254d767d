"""The foldable tree of a message's values."""
