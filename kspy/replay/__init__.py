"""Playing recordings back: the clock, to a kernel, as a kernel."""
