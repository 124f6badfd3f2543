"""Building blocks of merge strategies."""
