"""Frozen text encoders: item texts to vectors."""
