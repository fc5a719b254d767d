"""What was found when two sessions were compared, for people and for scripts."""
