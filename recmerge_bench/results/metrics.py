"""Metrics of stored ranks, by the metrics' plugins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recmerge_bench.borders.metrics import split_metric, values_of
from recmerge_bench.contracts import definition
from recmerge_bench.evaluation.metrics import rank
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.metric_names import check_metrics
from recmerge_bench.registry import Registry


def metric_values(
    registry: Registry, names: Sequence[str], table: RankTable, ties: str = "mid"
) -> dict[str, np.ndarray]:
    """Value of each metric (``NDCG@10``, ``MRR``) for each instance: float64 [T].

    Raises:
        HandledError: no plugin registers the metric, or it does not take the cut-off.
        PluginError: it gave something else than finite numbers.
    """
    check_metrics(registry, names)
    ranks = rank(table.n_better, table.n_equal, ties)  # type: ignore[arg-type]
    found = {}
    for name in names:
        base, k = split_metric(name)
        found[name] = values_of(definition(registry.get("metric", base)), ranks, k)
    return found
