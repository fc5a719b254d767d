"""The `.kspy` file: its format, and what writes, reads, follows and repairs it."""
