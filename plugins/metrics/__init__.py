"""Metrics of a rank."""
