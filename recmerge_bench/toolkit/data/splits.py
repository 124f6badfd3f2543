"""Cutting events into training parts and targets; see `recmerge_bench.data.splits`."""

from recmerge_bench.data.phases import PhaseRules, phase_split
from recmerge_bench.data.splits import Scope, leave_one_out, temporal

__all__ = ["PhaseRules", "Scope", "leave_one_out", "phase_split", "temporal"]
