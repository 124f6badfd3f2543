"""Splits of phases -> the first phase in which each item occurs."""

from __future__ import annotations

from typing import Any

import numpy as np

from recmerge_bench.data.codec import load_split
from recmerge_bench.data.phases import entered
from recmerge_bench.names import phase_name
from recmerge_bench.running.context import Context

ENTRIES = "entries.npy"


def run(context: Context) -> dict[str, Any]:
    """Facts of the catalogue: a merge may know them without reading what users did."""
    phases = context.config["phases"]
    splits = [load_split(context.inputs[phase_name(phase)]) for phase in phases]
    first = entered(splits, context.interactions().catalogue.n_items)
    np.save(context.out / ENTRIES, first)
    return {"entered": {phase_name(p): int((first == p).sum()) for p in phases}}
