"""Spans of time as people read them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3.5 h``, ``4.2 days``: as exact as an estimate deserves."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 72 * 3600 else f"{seconds / 86400:.1f} days"
