"""Cutting events into training parts and targets; see `recmerge_bench.data.splits`."""

from recmerge_bench.data.splits import Scope, leave_one_out, temporal

__all__ = ["Scope", "leave_one_out", "temporal"]
