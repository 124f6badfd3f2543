"""Results with all that follows from them: files that are committed."""
