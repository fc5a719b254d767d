"""The one idea of what "the same" means: for comparing, replaying and serving recordings alike."""
