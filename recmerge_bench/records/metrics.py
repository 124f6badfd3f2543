"""Metrics of stored ranks, by the metrics' plugins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recmerge_bench.contracts import definition
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.metrics import rank
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.registry import Registry


def metric_values(
    registry: Registry, names: Sequence[str], table: RankTable, ties: str = "mid"
) -> dict[str, np.ndarray]:
    """Value of each metric (``NDCG@10``, ``MRR``) for each instance: float64 [T].

    Raises:
        HandledError: no plugin registers the metric, or its cut-off is no whole number.
    """
    ranks = rank(table.n_better, table.n_equal, ties)  # type: ignore[arg-type]
    found = {}
    for name in names:
        base, sign, cut = name.partition("@")
        if sign and not cut.isdigit():
            raise HandledError(f"metric '{name}': the cut-off after @ is a whole number")
        spec = registry.get("metric", base)
        found[name] = definition(spec).value(ranks, int(cut) if sign else None)
    return found
