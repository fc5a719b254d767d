"""Playing recordings back."""
