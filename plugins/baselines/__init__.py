"""Models that count and are not trained."""
