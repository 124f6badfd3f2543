"""Sequential recommenders of one domain, which strategies merge."""
