"""Protocols: which events are trained on, which are targets, and what they are ranked against."""
