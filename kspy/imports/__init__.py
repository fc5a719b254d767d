"""What others captured without kspy, read into messages and written as recordings."""
