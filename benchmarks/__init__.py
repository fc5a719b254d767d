"""How fast is kspy? `python -m benchmarks` prints it, beside others measured in the same run."""
