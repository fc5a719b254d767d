"""A recording in other forms: lines of text, JSON lines, a smaller recording."""
