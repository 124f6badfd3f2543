"""A distribution of plugins for RecMerge-Bench."""
