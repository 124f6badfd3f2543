"""Stages, the store they write to, the workers that run them, and the schedule."""
